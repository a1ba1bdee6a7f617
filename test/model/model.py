"""The in-memory model: what every number and counter must be after each statement.

It knows nothing of chatopt's code.  A conversation is its title and the greatest number that ever landed; everything
else (counts, last message) is recounted from the rows whenever it is asked for.  Each change is logged with its old
value, so that statements, savepoints and transactions roll back by undoing the log.  Rows belong to the transaction
that touched them, which is how the one driver knows which statement would have to wait: that one raises Blocked and
is not run.
"""

from collections import defaultdict, namedtuple

# mentions is None or a tuple of users
Message = namedtuple("Message", "id conv seq at content deleted reply sender mentions", defaults=(None, None))
Conversation = namedtuple("Conversation", "title last")

ANSWER_OFFSET = 500_000_000  # the application's trigger answers message n with message n + this
REMINDER_OFFSET = 700_000_000  # and its deferred trigger sends this at the end of the transaction
SHUT = 0  # the key of the whole table
READ_COMMITTED = "read committed"
# a statement that works on rows in no defined order may meet any of its errors first
MEMBER = 1_000_000  # the key of a member's positions: the conversation times this, and the member, negative
UNORDERED_ERRORS = frozenset(("23502", "23503", "23505", "23514", "21000", "428C9", "0A000"))


class Blocked(Exception):
    """The statement would wait for another session, or its result is not defined: it is not run."""


class Fail(Exception):
    """The statement must fail with one of these SQLSTATEs."""

    def __init__(self, *codes):
        super().__init__(codes)
        self.codes = frozenset(codes)


class Op:
    """One recorded operation: the session, its kind and its arguments.  Runs on any state."""

    __slots__ = ("session", "kind", "a")

    def __init__(self, session, kind, **arguments):
        self.session, self.kind, self.a = session, kind, arguments


class Result:
    """What the statement must do: fail with one of codes, or leave the touched rows as the model has them."""

    __slots__ = ("codes", "conversations", "ids", "groups", "holes", "ended", "may_serialize", "value", "viewer")

    def __init__(self, codes=None, conversations=(), ids=(), groups=(), holes=(), ended=False, may_serialize=False):
        self.value, self.viewer = None, None    # what a function gives; the transaction that looks, None: the observer
        self.codes, self.conversations, self.ids = codes, conversations, ids
        self.groups, self.holes, self.ended, self.may_serialize = groups, holes, ended, may_serialize


class Transaction:
    __slots__ = ("log", "marks", "aborted", "level", "snapshot", "truncated")

    def __init__(self, level, snapshot):
        self.log, self.marks, self.aborted = [], [], False
        self.level, self.snapshot, self.truncated = level, snapshot, False


class Statement:
    __slots__ = ("numbered", "touched", "ids", "asks", "replies", "missed", "reminders", "unordered", "skipped",
                 "live_before", "landed", "present_before", "last_before")

    def __init__(self):
        self.numbered = []      # (conversation, row key) in the order of numbering
        self.touched = set()    # row keys this statement wrote, which it may not write again
        self.ids = set()
        self.asks = []          # rows whose AFTER INSERT trigger will answer
        self.replies = []       # messages that must exist at its end
        self.missed = {}        # numbers given out last whose row did not land, by conversation
        self.reminders = 0
        self.unordered = False
        self.skipped = False    # a row was numbered and did not land
        self.live_before = {}   # what reads follow: (conversation, number) -> (sender, counted) of the row before, or None
        self.landed = []        # row keys written
        self.present_before = {}    # (conversation, user) -> was a member
        self.last_before = {}   # conversation -> its last number


class Model:
    def __init__(self, features, sessions=3, months=4, without=()):
        self.features, self.without = features, frozenset(without)
        self.partitioned = "partitioned" in features
        self.soft = "counted" in features
        self.triggers = "triggers" in features
        self.months = months
        if "setnull" in features:
            self.on_delete = "set null"
        elif "restrict" in features:
            self.on_delete = "no action"
        else:
            self.on_delete = "cascade"
        self.conversations, self.messages, self.members = {}, {}, {}
        self.by_conversation, self.by_id = defaultdict(set), defaultdict(set)
        self.members_of, self.replies = defaultdict(set), defaultdict(set)
        self.owner, self.changed, self.sent, self.born = {}, {}, {}, {}
        self.sharers = defaultdict(list)  # transactions that hold a key share lock on a conversation
        self.clock, self.truncated = 0, 0
        self.sessions = [None] * sessions
        self.prepared = {}
        self.transaction = self.statement = self.value = None
        self.stale, self.in_batch = False, False
        self.groups, self.holes, self.touched = [], [], set()

    # ------------------------------------------------------------------ storage with an undo log

    def key(self, row):
        return (row.id, row.at) if self.partitioned else row.id

    def _store_message(self, key, row):
        old = self.messages.get(key)
        if old is not None:
            self.by_conversation[old.conv].discard(key)
            self.by_id[old.id].discard(key)
            if old.reply is not None:
                self.replies[old.reply].discard(key)
        if row is None:
            self.messages.pop(key, None)
        else:
            self.messages[key] = row
            self.by_conversation[row.conv].add(key)
            self.by_id[row.id].add(key)
            if row.reply is not None:
                self.replies[row.reply].add(key)
        return old

    def _store_member(self, key, left):
        old = self.members.get(key)
        if left is None:
            self.members.pop(key, None)
            self.members_of[key[0]].discard(key[1])
        else:
            self.members[key] = left
            self.members_of[key[0]].add(key[1])
        return old

    def _store_conversation(self, cid, row):
        old = self.conversations.get(cid)
        if row is None:
            self.conversations.pop(cid, None)
        else:
            self.conversations[cid] = row
        return old

    def put_message(self, key, row):
        if row is not None and row.reply is not None:
            self.touch(row.reply)  # the foreign key may look at it again
        old = self._store_message(key, row)
        self.transaction.log.append(("m", key, old))
        self.note_message(key, old, row)

    def put_member(self, key, left):
        old = self._store_member(key, left)
        self.transaction.log.append(("b", key, old))
        self.note_member(key, old)

    def put_conversation(self, cid, row):
        old = self._store_conversation(cid, row)
        self.transaction.log.append(("c", cid, old))
        self.note_conversation(cid, old)

    def undo(self, transaction, mark):
        log = transaction.log
        while len(log) > mark:
            what, key, old = log.pop()
            if what == "m":
                self._store_message(key, old)
            elif what == "b":
                self._store_member(key, old)
            elif what == "c":
                self._store_conversation(key, old)
            elif what == "r":
                self._store_reads(key, old)
            elif what == "o":
                del self.owner[key]
            elif what == "k":
                self.sharers[key].remove(transaction)

    # ------------------------------------------------------------------ who holds which row

    def touch(self, key):
        """Take the row for this transaction: a message by its id, a conversation by its negative number."""
        self.touched.add(key)
        holder = self.owner.get(key)
        if holder is self.transaction:
            return
        if holder is not None:
            raise Blocked
        transaction = self.transaction
        if transaction.level != READ_COMMITTED:
            if self.truncated > transaction.snapshot or self.changed.get(key, 0) > transaction.snapshot:
                raise Blocked
        self.owner[key] = transaction
        transaction.log.append(("o", key, None))

    def touch_conversation(self, cid):
        if cid is not None:
            self.touch(-cid)

    def touch_key(self, cid):
        """For what takes away or changes a conversation's key."""
        self.touch_conversation(cid)
        if any(transaction is not self.transaction for transaction in self.sharers[cid]):
            raise Blocked

    def touch_id(self, mid):
        self.touch(mid)
        self.statement.ids.add(mid)

    def touch_row(self, row):
        self.touch_id(row.id)
        self.touch_conversation(row.conv)

    def touch_everything(self):
        """For statements that meet every row: nobody else may have a transaction open."""
        if self.prepared or any(t is not None and t is not self.transaction for t in self.sessions):
            raise Blocked
        if self.transaction.level != READ_COMMITTED and self.clock > self.transaction.snapshot:
            raise Blocked

    def shut(self):
        """TRUNCATE: nobody else comes in before this transaction ends."""
        self.transaction.truncated = True
        if SHUT not in self.owner:
            self.owner[SHUT] = self.transaction
            self.transaction.log.append(("o", SHUT, None))

    # ------------------------------------------------------------------ transactions

    def apply(self, op):
        """Run the operation on the model; says what the database must answer."""
        control = getattr(self, "control_" + op.kind, None)
        if control is not None:
            return control(op)
        transaction = self.sessions[op.session]
        alone = transaction is None
        if alone:
            transaction = Transaction(READ_COMMITTED, self.clock)
        elif transaction.aborted:
            raise Blocked
        if self.owner.get(SHUT, transaction) is not transaction:
            raise Blocked
        self.transaction = transaction
        self.groups, self.holes, self.touched, self.value, self.stale = [], [], set(), None, False
        mark = len(transaction.log)
        serializable = transaction.level == "serializable"
        try:
            self.run(op.kind, op.a)
            if alone:
                self.fire_deferred(transaction)
        except Blocked:
            self.undo(transaction, mark)
            raise
        except Fail as failure:
            self.abort(transaction)
            return Result(codes=failure.codes, may_serialize=serializable or self.stale)
        result = self.result_of(self.touched)
        result.groups, result.holes, result.may_serialize = self.groups, self.holes, serializable or self.stale
        result.value, result.viewer = self.value, None if alone else transaction
        if alone:
            self.finish(transaction)
        return result

    @staticmethod
    def result_of(touched):
        conversations = {-key if -key < MEMBER else -key // MEMBER for key in touched if key < 0}
        return Result(conversations=sorted(conversations), ids=[key for key in touched if key > 0])

    def held(self, transaction, mark=0):
        """Every row the transaction has touched since the mark."""
        return self.result_of({key for what, key, _ in transaction.log[mark:] if what == "o"})

    def abort(self, transaction):
        """An error undoes the innermost savepoint, and with none the transaction."""
        self.undo(transaction, transaction.marks[-1][1] if transaction.marks else 0)
        transaction.aborted = True

    def finish(self, transaction):
        self.clock += 1
        for what, key, old in transaction.log:
            if what == "o":
                del self.owner[key]
                self.changed[key] = self.clock
            elif what == "w":
                self.sent[key] = self.clock
            elif what == "k":
                self.sharers[key].remove(transaction)
            elif what == "c" and old is None:
                self.born[key] = self.clock
        if transaction.truncated:
            self.truncated = self.clock

    def serialization_failure(self, op):
        """A serializable transaction was refused, which it may be at any statement."""
        transaction = self.sessions[op.session]
        if transaction is not None and not transaction.aborted:
            self.abort(transaction)

    def open_transaction(self, op, aborted_too=False):
        transaction = self.sessions[op.session]
        if transaction is None or (transaction.aborted and not aborted_too):
            raise Blocked
        return transaction

    def control_begin(self, op):
        if self.sessions[op.session] is not None:
            raise Blocked
        self.sessions[op.session] = Transaction(op.a["level"], self.clock)
        return Result()

    def control_commit(self, op):
        transaction = self.open_transaction(op, aborted_too=True)
        self.sessions[op.session] = None
        if transaction.aborted:
            self.undo(transaction, 0)
            return Result(ended=True)
        failure = self.end_statements(transaction)
        if failure is not None:
            return failure
        result = self.held(transaction)
        result.ended = True
        self.finish(transaction)
        return result

    def end_statements(self, transaction):
        """What deferred triggers do at the end of a transaction; a failure there rolls it back."""
        self.transaction, self.groups, self.holes, self.touched = transaction, [], [], set()
        try:
            self.fire_deferred(transaction)
        except Fail as failure:
            self.undo(transaction, 0)
            return Result(codes=failure.codes, ended=True)
        return None

    def control_rollback(self, op):
        transaction = self.open_transaction(op, aborted_too=True)
        result = self.held(transaction)
        self.undo(transaction, 0)
        self.sessions[op.session] = None
        result.ended = True
        return result

    def control_reconnect(self, op):
        """The client goes away, with an open transaction or without."""
        if self.owner.get(SHUT, self.sessions[op.session]) is not self.sessions[op.session]:
            raise Blocked
        if self.sessions[op.session] is None:
            return Result()
        return self.control_rollback(op)

    def control_savepoint(self, op):
        transaction = self.open_transaction(op)
        transaction.marks.append((op.a["name"], len(transaction.log)))
        return Result()

    def find_mark(self, transaction, name):
        for place in range(len(transaction.marks) - 1, -1, -1):
            if transaction.marks[place][0] == name:
                return place
        raise Blocked

    def control_rollback_to(self, op):
        transaction = self.open_transaction(op, aborted_too=True)
        place = self.find_mark(transaction, op.a["name"])
        mark = transaction.marks[place][1]
        result = self.held(transaction, mark)
        self.undo(transaction, mark)
        del transaction.marks[place + 1:]
        transaction.aborted = False
        result.may_serialize, result.viewer = transaction.level == "serializable", transaction
        return result

    def control_release(self, op):
        transaction = self.open_transaction(op)
        del transaction.marks[self.find_mark(transaction, op.a["name"]):]
        return Result()

    def control_prepare(self, op):
        transaction = self.open_transaction(op)
        if transaction.level == "serializable" or op.a["gid"] in self.prepared:
            raise Blocked
        self.sessions[op.session] = None
        failure = self.end_statements(transaction)
        if failure is not None:
            return failure
        self.prepared[op.a["gid"]] = transaction
        return Result()

    def control_commit_prepared(self, op):
        if self.sessions[op.session] is not None or op.a["gid"] not in self.prepared:
            raise Blocked
        transaction = self.prepared.pop(op.a["gid"])
        result = self.held(transaction)
        self.finish(transaction)
        result.ended = True
        return result

    def control_rollback_prepared(self, op):
        if self.sessions[op.session] is not None or op.a["gid"] not in self.prepared:
            raise Blocked
        transaction = self.prepared.pop(op.a["gid"])
        result = self.held(transaction)
        self.undo(transaction, 0)
        result.ended = True
        return result

    # ------------------------------------------------------------------ what the database must show

    def counters(self, cid):
        """(last number, messages, members, last message) of a conversation, recounted from its rows."""
        count, last = 0, None
        for key in self.by_conversation[cid]:
            row = self.messages[key]
            if self.soft and row.deleted:
                continue
            count += 1
            if last is None or row.seq > last.seq:
                last = row
        members = self.members_of[cid]
        if self.soft:
            present = sum(1 for user in members if not self.members[(cid, user)])
        else:
            present = len(members)
        return self.conversations[cid].last, count, present, last

    def adopt(self, groups, number_of):
        """Rows that a statement numbered in no defined order: any order will do, a gap or a double will not."""
        for cid, first, keys in groups:
            given = [number_of(key) for key in keys]
            if None in given or sorted(given) != list(range(first, first + len(keys))):
                return f"numbers {given} given to {len(keys)} rows, expected {first} to {first + len(keys) - 1}"
            for key, number in zip(keys, given):
                self._store_message(key, self.messages[key]._replace(seq=number))
        for _, _, keys in groups:
            for key in keys:
                self.read_adopted(key)
        return None

    def close_holes(self, holes, number_of):
        """What a trigger sends may take the number of the outer statement's last row that did not land, or leave it."""
        for cid, keys in holes:
            if keys and number_of(keys[0]) == self.messages[keys[0]].seq - 1:
                for key in keys:
                    self._store_message(key, self.messages[key]._replace(seq=self.messages[key].seq - 1))
                self._store_conversation(cid, self.conversations[cid]._replace(last=self.conversations[cid].last - 1))
