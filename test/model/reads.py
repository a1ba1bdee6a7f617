"""The model of reads: who was a member when, how far they have read, and what is unread, recounted from the rows.

Of a member it keeps the intervals of membership with their positions, the unread mark and what was acknowledged out of
order; what a statement did to them is worked out when it ends, from what was noted while it ran.
"""

from collections import namedtuple

from model import MEMBER, READ_COMMITTED, Blocked, Fail, Model

# left is None while the membership is open
Interval = namedtuple("Interval", "joined left delivered read")
# slot is None until the database has been seen to give one; delivered and read are numbers ever acknowledged out of
# order, held those of them that are still kept beside the positions
State = namedtuple("State", "slot intervals unread delivered read held",
                   defaults=(None, (), None, frozenset(), frozenset(), frozenset()))


def reads_key(cid, user):
    """The key under which a member's positions are held and touched."""
    return -cid * MEMBER - user


class Reads(Model):
    """The model with positions, kept where the chat's reads are tracked."""

    def __init__(self, features, *arguments, **named):
        super().__init__(features, *arguments, **named)
        self.tracked = "reads" in features and "late" not in features
        self.own_are_read = "quiet" not in features
        self.reads, self.reads_of = {}, {}
        self.absorbs = False    # whether the extension has acknowledgements, which positions take along

    # ------------------------------------------------------------------ storage

    def _store_reads(self, key, state):
        old = self.reads.get(key)
        if state is None:
            self.reads.pop(key, None)
            self.reads_of.get(key[0], set()).discard(key[1])
        else:
            self.reads[key] = state
            self.reads_of.setdefault(key[0], set()).add(key[1])
        return old

    def put_reads(self, key, state):
        self.transaction.log.append(("r", key, self._store_reads(key, state)))

    def touch_reads(self, cid, user):
        """Take the row of positions.  One that was changed since the transaction's snapshot may be refused with 40001."""
        key = reads_key(cid, user)
        self.touched.add(key)
        transaction = self.transaction
        if transaction.level != READ_COMMITTED and self.changed.get(key, 0) > transaction.snapshot:
            if self.in_batch:
                raise Blocked  # an exception handler in it may or may not have caught that
            self.stale = True
        holder = self.owner.get(key)
        if holder is None:
            self.owner[key] = self.transaction
            self.transaction.log.append(("o", key, None))
        elif holder is not self.transaction:
            raise Blocked

    def touch_all_reads(self, cid):
        for user in sorted(self.reads_of.get(cid, ())):
            self.touch_reads(cid, user)

    # ------------------------------------------------------------------ what a statement does, noted row by row

    def counts(self, row):
        return not (self.soft and row.deleted)

    def present(self, key):
        return key in self.members and not (self.soft and self.members[key])

    def note_message(self, key, old, row):
        statement = self.statement
        if not self.tracked or statement is None:
            return
        if old is not None and old.conv is not None:
            statement.live_before.setdefault((old.conv, old.seq), (old.sender, self.counts(old)))
        if row is not None:
            if row.conv is not None:
                statement.live_before.setdefault((row.conv, row.seq), None)
            statement.landed.append(key)

    def note_member(self, key, old):
        if self.tracked and self.statement is not None:
            was = old is not None and not (self.soft and old)
            self.statement.present_before.setdefault(key, was)

    def note_conversation(self, cid, old):
        if self.tracked and self.statement is not None:
            self.statement.last_before.setdefault(cid, 0 if old is None else old.last)

    # ------------------------------------------------------------------ when it ends

    def follow(self):
        """Joins, leaves and own messages of the statement so far."""
        statement = self.statement
        if not self.tracked:
            return
        joined, left = [], []
        for key, was in statement.present_before.items():
            if key[0] in self.conversations and was != self.present(key):
                (left if was else joined).append(key)
        if (joined or left) and (statement.asks or statement.unordered):
            raise Blocked  # where they join depends on who is first
        for key in joined:
            self.join(key, statement.last_before.get(key[0], self.conversations[key[0]].last))
        if not statement.unordered:
            self.read_own(statement.landed)
        for key in left:
            self.leave(key)
        statement.present_before.clear()
        if not statement.unordered:
            statement.landed.clear()

    def follow_inner(self, outer):
        """Of a trigger's statement: with the one around it, where the numbers of both come in no defined order."""
        if outer.unordered:
            outer.landed += self.statement.landed
            for place, before in self.statement.live_before.items():
                outer.live_before.setdefault(place, before)
        else:
            self.follow()

    def follow_unordered(self):
        """Own messages of a statement whose rows come in no defined order: those whose number is known."""
        statement = self.statement
        if not self.tracked or not statement.unordered:
            return
        unknown = {key for _, _, keys in self.groups for key in keys}
        self.read_own(key for key in statement.landed if key not in unknown)
        for key in unknown:
            row = self.messages[key]
            if self.reads_own_message(row):
                self.touch_reads(row.conv, row.sender)
                self.put_reads((row.conv, row.sender), self.reads[(row.conv, row.sender)])

    def read_adopted(self, key):
        row = self.messages[key]
        if self.tracked and self.reads_own_message(row):
            place = (row.conv, row.sender)
            self._store_reads(place, self.own_sent(row.conv, self.reads[place], row.seq))

    def reads_own_message(self, row):
        state = self.reads.get((row.conv, row.sender))
        return self.own_are_read and self.counts(row) and state is not None and is_open(state)

    def read_own(self, keys):
        """A message that was not there and counted before, or not from this sender, is read by who sent it."""
        for key in dict.fromkeys(keys):
            row = self.messages.get(key)
            if row is None or row.conv is None or row.sender is None or not self.reads_own_message(row):
                continue
            if self.statement.live_before.get((row.conv, row.seq)) == (row.sender, True):
                continue
            self.touch_reads(row.conv, row.sender)
            place = (row.conv, row.sender)
            self.put_reads(place, self.own_sent(row.conv, self.reads[place], row.seq))

    def join(self, key, at):
        """At the last number when the statement ends; in a conversation without a message before it, at zero."""
        last = self.conversations[key[0]].last
        at = 0 if at == 0 else last
        self.touch_reads(*key)
        state = self.reads.get(key, State())
        intervals = state.intervals
        if intervals and intervals[-1].left == at:
            intervals = intervals[:-1] + (intervals[-1]._replace(left=None),)
        else:
            intervals += (Interval(at, None, at, at),)
        self.put_reads(key, state._replace(intervals=intervals))

    def leave(self, key):
        self.touch_reads(*key)
        state = self.reads[key]
        left = state.intervals[-1]._replace(left=self.conversations[key[0]].last)
        self.put_reads(key, state._replace(intervals=state.intervals[:-1] + (left,), unread=None))

    def moved(self, cid, state, delivered, read):
        """Positions never go back; reading moves an unread mark along."""
        now, marked = state.intervals[-1], state.unread is not None or state.held
        position = max(now.read, read)
        now = now._replace(delivered=max(now.delivered, delivered, position), read=position)
        unread = state.unread
        if unread is not None and read > unread:
            unread = read if read < position else None
        state = state._replace(intervals=state.intervals[:-1] + (now,), unread=unread)
        return self.absorbed(cid, state) if marked else state

    def absorbed(self, cid, state):
        """Positions go on over what is acknowledged, or is no message, without a gap."""
        if not self.absorbs:
            return state
        last = self.conversations[cid].last
        live = {self.messages[key].seq for key in self.by_conversation[cid]}
        now = state.intervals[-1]
        read, delivered = now.read, now.delivered
        while read < last and (read + 1 in state.read or read + 1 not in live):
            read += 1
        delivered = max(delivered, read)
        while delivered < last and (delivered + 1 in state.delivered or delivered + 1 not in live):
            delivered += 1
        now = now._replace(delivered=delivered, read=read)
        held = frozenset(n for n in state.held if n > delivered or (n > read and n in state.read))
        return state._replace(intervals=state.intervals[:-1] + (now,), held=held)

    def own_sent(self, cid, state, number):
        """An own message that was read before leaves an unread mark alone: it came back, it was not sent now."""
        return self.moved(cid, state, number, number) if number > state.intervals[-1].read else state

    def forget_reads(self, cid):
        """The conversation is gone."""
        for user in sorted(self.reads_of.get(cid, ())):
            self.touch_reads(cid, user)
            self.put_reads((cid, user), None)

    def rename_reads(self, old, new):
        """Everything follows the conversation's key, and nothing of it is a join or a message sent."""
        for user in sorted(self.reads_of.get(old, ())):
            self.touch_reads(old, user)
            self.touch_reads(new, user)
            state = self.reads[(old, user)]
            self.put_reads((old, user), None)
            self.put_reads((new, user), state)
        self.statement.present_before.clear()
        self.statement.landed.clear()

    # ------------------------------------------------------------------ statements

    def open_state(self, cid, user):
        """The positions of a member, taken to be changed; None for anybody else."""
        if self.owner.get(-cid, self.transaction) is not self.transaction:
            raise Blocked  # which number is the last one is for the other session to say
        self.touch_reads(cid, user)
        state = self.reads.get((cid, user))
        return state if state is not None and is_open(state) else None

    def do_mark(self, a):
        """mark_delivered, mark_read or mark_unread of one member."""
        if a["upto"] is None:
            raise Fail("22004")
        state = self.open_state(a["conv"], a["user"])
        if state is None:
            return
        what, now = a["what"], state.intervals[-1]
        if what == "unread":
            self.value = max(now.joined, min(a["upto"] - 1, now.read))
            state = state._replace(unread=self.value if self.value < now.read else None)
        else:
            upto = min(a["upto"], self.conversations[a["conv"]].last)
            state = self.moved(a["conv"], state, upto, upto if what == "read" else 0)
            self.value = getattr(state.intervals[-1], what)
        self.put_reads((a["conv"], a["user"]), state)

    def do_ack(self, a):
        """ack_message: one message, whatever the position."""
        cid, user, seq, status = a["conv"], a["user"], a["seq"], a["status"]
        state = self.open_state(cid, user)
        if state is None:
            return
        message = next((row for row in map(self.messages.get, self.by_conversation[cid]) if row.seq == seq), None)
        own = message is not None and message.sender == user and self.counts(message) and not self.own_are_read
        now = state.intervals[-1]
        position = now.read if status == "read" else now.delivered
        if message is not None and status != "sent" and seq > position and not own:
            state = state._replace(delivered=state.delivered | {seq}, held=state.held | {seq})
            if status == "read":
                state = state._replace(read=state.read | {seq})
            state = self.absorbed(cid, state)
            self.put_reads((cid, user), state)
        now = state.intervals[-1]
        self.value = now.read if status == "read" else now.delivered

    def do_apply(self, a):
        """apply_receipts: the greatest position of each member and conversation; how many memberships moved."""
        folded, moved = {}, 0
        for cid, user, upto, status in a["entries"]:
            if None not in (cid, user, upto) and status != "sent":
                delivered, read = folded.get((cid, user), (upto, 0))
                folded[(cid, user)] = (max(delivered, upto), max(read, upto) if status == "read" else read)
        for (cid, user), (delivered, read) in sorted(folded.items()):
            state = self.open_state(cid, user)
            if state is None:
                continue
            last, before = self.conversations[cid].last, state.intervals[-1]
            delivered, read = min(delivered, last), min(read, last)
            moved += read > before.read or max(delivered, read) > before.delivered
            self.put_reads((cid, user), self.moved(cid, state, delivered, read))
        self.value = moved

    def do_track(self, a):
        """track_reads and backfill on what is there: everybody has read everything."""
        self.do_upkeep(a)
        if self.tracked:
            raise Blocked
        self.tracked = True
        for key in sorted(self.members):
            if self.present(key):
                last = self.conversations[key[0]].last
                self.put_reads(key, State(intervals=(Interval(last, None, last, last),)))

    def do_found(self, a):
        """One statement that makes a conversation, or takes one, its members, and sends."""
        if a["new"]:
            self.do_conversations({"form": "values", "rows": [(a["conv"], a["title"])]})
        self.do_insert({"form": "values", "rows": a["rows"]})
        self.do_join({"form": "values", "rows": a["joins"]})

    # ------------------------------------------------------------------ what the database must show

    def unread_rows(self, cid, user):
        """The messages the member has not read, as a recount finds them; None for somebody who is none."""
        state = self.reads.get((cid, user))
        if state is None or not is_open(state):
            return None
        position = state.intervals[-1].read if state.unread is None else state.unread
        acked = state.read if state.unread is None else ()
        return [row for key in self.by_conversation[cid] for row in (self.messages[key],)
                if row.seq > position and self.counts(row) and row.sender != user and row.seq not in acked]

    def unread(self, cid, user):
        """How many messages the member has not read."""
        rows = self.unread_rows(cid, user)
        return None if rows is None else len(rows)

    def unread_mentions(self, cid, user):
        """The numbers of those that mention the member, ascending."""
        rows = self.unread_rows(cid, user)
        return None if rows is None else sorted(row.seq for row in rows if user in (row.mentions or ()))

    def receipts(self, cid, number, present_only=False):
        """(recipients, delivered, seen) as sets of users; None where there is no such message."""
        message = next((row for row in map(self.messages.get, self.by_conversation[cid]) if row.seq == number), None)
        if message is None:
            return None
        recipients, delivered, seen = set(), set(), set()
        for user in self.reads_of.get(cid, ()):
            state = self.reads[(cid, user)]
            for joined, left, at_delivered, at_read in state.intervals:
                if user == message.sender or number <= joined or (left is not None and (present_only or number > left)):
                    continue
                recipients.add(user)
                if number <= at_delivered or number in state.delivered:
                    delivered.add(user)
                if number <= at_read or number in state.read:
                    seen.add(user)
        return recipients, delivered, seen

    def skipped(self, cid):
        """(removed, uncounted): the numbers on no row, and those on rows that do not count."""
        live = {self.messages[key].seq: self.counts(self.messages[key]) for key in self.by_conversation[cid]}
        last = self.conversations[cid].last
        return (frozenset(range(1, last + 1)).difference(live), frozenset(n for n, counts in live.items() if not counts))

    def visible(self, key, viewer):
        """Whether the viewer's transaction, or the observer, sees the row as the model has it."""
        if self.owner.get(key, viewer) is not viewer:
            return False
        if viewer is None or viewer.level == READ_COMMITTED:
            return True
        return max(self.changed.get(key, 0), self.truncated) <= viewer.snapshot


def is_open(state):
    return bool(state.intervals) and state.intervals[-1].left is None
