"""What statements on messages do to the model: the statement forms of promise 1, row by row."""

from conversations import Conversations
from model import ANSWER_OFFSET, READ_COMMITTED, REMINDER_OFFSET, UNORDERED_ERRORS
from model import Blocked, Fail, Message, Statement

MONTH = 100_000  # a time is month * MONTH + minute; month 0 does not exist


class Statements(Conversations):
    """The model with its statements; each do_ method is one kind of operation."""

    def run(self, kind, a):
        """One statement with its triggers, or a batch of statements."""
        if kind in ("block", "string"):
            self.in_batch = True
            try:
                self.do_batch(a["steps"], kind == "block")
            finally:
                self.in_batch = False
            return
        outer, self.statement = self.statement, Statement()
        try:
            getattr(self, "do_" + kind)(a)
            self.follow()
            self.answer()
            self.check_replies()
            self.note_unordered()
            self.follow_unordered()
        except Fail as failure:
            if self.statement.unordered:
                self.touch_mentioned(a)
                raise Fail(*UNORDERED_ERRORS) from None
            raise
        finally:
            self.statement = outer

    def do_batch(self, steps, guarded_allowed):
        """Several statements in one round trip; in a PL/pgSQL block each may have its own exception handler."""
        for kind, a, guarded in steps:
            if self.groups or self.holes:
                raise Blocked  # numbers that the database chooses, only as the last thing
            mark = len(self.transaction.log)
            try:
                self.run(kind, a)
            except Fail:
                if not (guarded and guarded_allowed):
                    raise
                self.undo(self.transaction, mark)

    @staticmethod
    def mentioned(a):
        """Ids and conversations that a statement on messages names."""
        ids, places = list(a.get("ids", ())), [a.get("conv_is"), a.get("set", {}).get("conv"), a.get("conv")]
        if "id" in a.get("set", {}):
            ids.append(a["set"]["id"])
        for entry in a.get("rows", ()):
            row = entry if isinstance(entry, Message) else entry[0]
            ids.append(row.id)
            places.append(row.conv)
        return ids, places

    def touch_mentioned(self, a):
        """A statement that fails at a row may have come to any other before: none may be another session's."""
        for kind, part in a.get("parts", ()):
            self.touch_mentioned({"ids": [-cid for cid in part["ids"]]} if kind == "save" else part)
        ids, places = self.mentioned(a)
        for mid in ids:
            self.touch(mid)
            places.extend(self.messages[key].conv for key in self.by_id[mid])
        for cid in places:
            self.touch_conversation(cid)

    def answer(self):
        """The application's own AFTER INSERT trigger answers a message that asks, when all rows have landed."""
        outer = self.statement
        if outer.asks and outer.unordered and outer.skipped:
            raise Blocked  # which number is left over depends on the order
        answers = []
        for row in outer.asks:
            self.statement = Statement()
            try:
                answer = Message(row.id + ANSWER_OFFSET, row.conv, None, row.at, "answer", False, None, row.sender)
                self.insert_row(answer, "nothing", given=outer.missed)
                self.follow_inner(outer)
                outer.numbered += self.statement.numbered
                answers += self.statement.numbered
            finally:
                self.statement = outer
        for cid, number in outer.missed.items():
            keys = [key for place, key in answers if place == cid]
            if keys and self.messages[keys[0]].seq == number + 1:
                self.holes.append((cid, keys))
        if self.tracked and self.holes:
            raise Blocked

    def remind(self, row):
        """A deferred trigger will send something when the transaction ends."""
        if self.transaction.level == "serializable":
            raise Blocked  # the commit is asked of the database first
        self.statement.reminders += 1
        if self.statement.unordered and self.statement.reminders > 1:
            raise Blocked
        self.transaction.log.append(("d", row, None))

    def fire_deferred(self, transaction):
        reminders = [row for what, row, _ in transaction.log if what == "d"]
        if reminders and self.holes:
            raise Blocked
        for row in reminders:
            self.statement = Statement()
            reminder = Message(row.id + REMINDER_OFFSET, row.conv, None, row.at, "reminder", False, None)
            self.insert_row(reminder, "nothing")
            self.follow()
        self.statement = None

    def check_replies(self):
        """The foreign key of replies, checked when all rows have landed."""
        if any(not self.by_id[mid] for mid in self.statement.replies):
            raise Fail("23503")

    def note_unordered(self):
        if not self.statement.unordered:
            return
        by_conversation = {}
        for cid, key in self.statement.numbered:
            by_conversation.setdefault(cid, []).append(key)
        for cid, keys in by_conversation.items():
            if len(keys) > 1:
                rows = [self.messages.get(key) for key in keys]
                if len(set(keys)) != len(keys) or any(row is None or row.conv != cid for row in rows):
                    raise Blocked
                self.groups.append((cid, min(row.seq for row in rows), keys))

    # ------------------------------------------------------------------ one message row

    def next_number(self, cid, given=()):
        """The conversation's next number; the row is known to land.

        A trigger's statement leaves alone what the statement around it has given out: that row may land yet.
        """
        conversation = self.conversations[cid]
        number = conversation.last + 1
        if cid in given and given[cid] == number:
            number += 1
        self.put_conversation(cid, conversation._replace(last=number))
        self.transaction.log.append(("w", cid, None))
        self.statement.missed.pop(cid, None)
        return number

    def lock_for_number(self, cid):
        """What numbering a row asks of its conversation before the row lands."""
        if cid is None:
            return
        transaction = self.transaction
        stale = (transaction.level != READ_COMMITTED and self.sent.get(cid, 0) > transaction.snapshot
                 and self.owner.get(-cid) is None and cid in self.conversations
                 and self.born.get(cid, 0) <= transaction.snapshot and self.truncated <= transaction.snapshot)
        if stale:
            raise Fail("40001")
        self.touch_conversation(cid)
        if cid not in self.conversations:
            raise Fail("23503")

    def insert_row(self, row, conflict="error", leaf=None, explicit=False, given=()):
        if self.partitioned and leaf is None and row.at // MONTH > self.months:
            raise Fail("23514")
        if self.triggers and row.content.startswith("nil"):
            return  # the application's earlier trigger drops it before it is numbered
        codes = set()
        if row.seq is not None and not explicit:
            codes.add("428C9")
            if self.statement.unordered or self.statement.missed.get(row.conv) == row.seq:
                raise Blocked  # it may be the very number that this statement has left over
        try:
            self.lock_for_number(row.conv)
        except Fail as failure:
            codes |= failure.codes
        if explicit and row.seq is not None and not codes and self.taken(row):
            codes.add("23505")
        if leaf is not None and row.at // MONTH != leaf:
            codes |= {"23514", "0A000"}  # 0A000 where a BEFORE trigger has made the row
        if codes:
            raise Fail(*codes)
        if row.conv is not None and row.seq is None:
            self.statement.missed[row.conv] = self.conversations[row.conv].last + 1
        if self.triggers and row.content.startswith("drop"):
            self.statement.skipped = True
            return  # a later trigger drops it: its number did not land
        self.touch_id(row.id)
        key = self.key(row)
        if key in self.messages:
            self.statement.skipped = True
            if conflict == "nothing":
                return
            if conflict == "update":
                self.upsert(key, row, leaf)
                return
            raise Fail("23505")
        self.land(key, row, explicit, given)

    def land(self, key, row, explicit=False, given=()):
        if row.reply is not None:
            self.touch_id(row.reply)
            self.statement.replies.append(row.reply)
        if row.conv is None:
            number = None
        elif explicit and row.seq is not None:
            number = self.explicit_number(row)
        else:
            number = self.next_number(row.conv, given)
            self.statement.numbered.append((row.conv, key))
        row = row._replace(seq=number)
        self.put_message(key, row)
        self.statement.touched.add(key)
        if self.triggers and row.content.startswith("ask"):
            self.statement.asks.append(row)
        if row.content == "remind":
            self.remind(row)

    def taken(self, row):
        return any(self.messages[key].seq == row.seq for key in self.by_conversation[row.conv])

    def explicit_number(self, row):
        """An import keeps its numbers and moves the counter up to them."""
        conversation = self.conversations[row.conv]
        if row.seq > conversation.last:
            self.put_conversation(row.conv, conversation._replace(last=row.seq))
            self.transaction.log.append(("w", row.conv, None))
        return row.seq

    def upsert(self, key, row, leaf):
        """ON CONFLICT DO UPDATE that sets every column, the number included."""
        if key in self.statement.touched:
            raise Fail("21000")
        self.touch_row(self.messages[key])
        self.change(key, leaf, conv=row.conv, at=row.at, content=row.content, deleted=row.deleted, sender=row.sender,
                    mentions=row.mentions)

    def change(self, key, leaf=None, **new):
        """One row of an UPDATE."""
        old = self.messages[key]
        self.touch_row(old)
        row = old._replace(**new)
        if row.conv != old.conv:
            self.lock_for_number(row.conv)
        elif row.seq is None:
            row = row._replace(seq=old.seq)  # no number given: it keeps its own
        elif row.seq != old.seq and row.conv is not None:
            raise Fail("428C9")
        if self.partitioned and row.at // MONTH > self.months:
            raise Fail("23514")
        if leaf is not None and row.at // MONTH != leaf:
            raise Fail("23514")
        new_key = self.key(row)
        if row.id != old.id:
            self.touch_id(row.id)
        if new_key != key and new_key in self.messages:
            raise Fail("23505")
        if row.conv is None:
            row = row._replace(seq=None)
        elif row.conv != old.conv:
            row = row._replace(seq=self.next_number(row.conv))
            self.statement.numbered.append((row.conv, new_key))
        if new_key != key:
            self.put_message(key, None)
        self.put_message(new_key, row)
        self.statement.touched.add(new_key)
        if row.id != old.id:
            self.follow_key(old.id, row.id)
        if self.partitioned and row.at // MONTH != old.at // MONTH and self.triggers and row.content.startswith("ask"):
            self.statement.asks.append(row)

    def follow_key(self, old_id, new_id):
        """Replies follow the key of what they answer (ON UPDATE CASCADE)."""
        for key in sorted(self.replies[old_id]):
            row = self.messages[key]
            self.touch_row(row)
            self.put_message(key, row._replace(reply=new_id))

    def remove(self, key):
        row = self.messages.get(key)
        if row is None:
            return
        self.touch_row(row)
        if row.reply is not None:
            self.touch_id(row.reply)
        self.put_message(key, None)
        for reply in sorted(self.replies[row.id]):
            self.remove(reply)

    # ------------------------------------------------------------------ statements on messages

    def do_insert(self, a):
        form = a["form"]
        conflict = form if form in ("nothing", "update") else "error"
        for row in a["rows"]:
            self.insert_row(row, conflict, a.get("leaf"), form == "import")

    def do_nested(self, a):
        """INSERT whose rows call a function that itself sends a message first, in a subtransaction of its own."""
        outer = self.statement
        for row, inner in a["rows"]:
            mark = len(self.transaction.log)
            self.statement = Statement()
            try:
                self.insert_row(Message(inner, row.conv, None, row.at, "inner", False, None))
                self.follow()
            except Fail as failure:
                if failure.codes != {"23505"}:
                    raise
                self.undo(self.transaction, mark)
            finally:
                self.statement = outer
            self.insert_row(row)

    def do_forward(self, a):
        """INSERT … SELECT of existing messages into a conversation, in the order of the list."""
        rows = []
        for old_id, new_id in a["pairs"]:
            self.touch_id(old_id)
            for key in sorted(self.by_id[old_id]):
                row = self.messages[key]
                self.touch_row(row)
                rows.append(Message(new_id, a["conv"], None, row.at, row.content, row.deleted, None, row.sender,
                                    row.mentions))
        for row in rows:
            self.insert_row(row)

    def matching(self, a):
        """The rows an UPDATE or DELETE finds: by ids, by conversation, or by time."""
        if a.get("before") is not None:
            self.touch_everything()
            keys = [key for key, row in self.messages.items() if row.at is not None and row.at < a["before"]]
        elif a.get("conv_is") is not None:
            self.touch_conversation(a["conv_is"])
            keys = list(self.by_conversation[a["conv_is"]])
        else:
            keys = []
            for mid in a["ids"]:
                self.touch_id(mid)
                keys.extend(self.by_id[mid])
        if a.get("leaf") is not None:
            keys = [key for key in keys if self.messages[key].at // MONTH == a["leaf"]]
        for key in keys:
            self.touch_row(self.messages[key])
        return sorted(keys)

    def do_update(self, a):
        keys = self.matching(a)
        self.statement.unordered |= len(keys) > 1
        for key in keys:
            if key not in self.messages:
                raise Blocked
            new = dict(a["set"])
            if new.get("seq") == "same":
                del new["seq"]
            elif "seq" in new and new.get("conv", self.messages[key].conv) != self.messages[key].conv:
                if new["seq"] != self.messages[key].seq:
                    raise Blocked
                del new["seq"]
            self.change(key, a.get("leaf"), **new)

    def do_delete(self, a):
        for key in self.matching(a):
            self.remove(key)

    def do_merge(self, a):
        self.statement.unordered = len(a["rows"]) > 1
        found = []
        for row, match_at, act in a["rows"]:
            self.touch_id(row.id)
            key = (row.id, match_at) if self.partitioned else row.id
            found.append(key if key in self.messages else None)
        for (row, match_at, act), key in zip(a["rows"], found):
            if key is not None:
                if act == "delete":
                    self.remove(key)
                elif key not in self.messages:
                    raise Blocked
                else:
                    self.change(key, conv=row.conv, at=row.at, content=row.content, deleted=row.deleted,
                                sender=row.sender, mentions=row.mentions)
            elif act != "skip":
                self.insert_row(row)

    def do_reinsert(self, a):
        """WITH d AS (DELETE … RETURNING *) INSERT … SELECT from d: the number goes along."""
        if self.triggers:
            raise Blocked
        keys = self.matching(a)
        self.statement.unordered |= len(keys) > 1
        rows = [self.messages[key] for key in keys]
        for key in keys:
            if self.replies[self.messages[key].id]:
                raise Blocked
            self.put_message(key, None)
        for row in rows:
            row = row._replace(at=row.at if a["at"] is None else a["at"])
            if self.partitioned and row.at // MONTH > self.months:
                raise Fail("23514")
            key = self.key(row)
            if key in self.messages:
                raise Fail("23505")
            self.put_message(key, row)
            if row.content == "remind":
                self.remind(row)

    def do_truncate(self, a):
        self.touch_everything()
        if any(what == "d" for what, _, _ in self.transaction.log):
            raise Fail("55006")  # PostgreSQL refuses while deferred triggers have yet to fire
        leaf = a.get("leaf")
        keys = [key for key, row in self.messages.items() if leaf is None or row.at // MONTH == leaf]
        for key in keys:
            row = self.messages[key]
            self.touched.add(row.id)
            if row.conv is not None:
                self.touched.add(-row.conv)
            self.put_message(key, None)
        self.shut()

    def do_truncate_all(self, a):
        """TRUNCATE of everything: a conversation of the same key starts again from zero."""
        self.do_truncate({})
        self.do_truncate_members({})
        for cid in list(self.conversations):
            self.touched.add(-cid)
            self.put_conversation(cid, None)
            self.forget_reads(cid)

    def do_switch(self, a):
        """The emergency switch: what is sent while chatopt is off is numbered by (time, key) afterwards."""
        self.do_upkeep(a)
        for mid in a["ids"]:
            for key in sorted(self.by_id[mid]):
                self.remove(key)
        for row in a["rows"]:
            key = self.key(row)
            if self.by_id[row.id] or row.conv not in self.conversations:
                raise Blocked
            if row.at is None or row.at // MONTH > self.months:
                raise Blocked
            self.put_message(key, row)
        text_keys = "camel" in self.features
        for row in sorted(a["rows"], key=lambda row: (row.at, f"m{row.id}" if text_keys else row.id)):
            number = self.next_number(row.conv)
            self.put_message(self.key(row), row._replace(seq=number))

    def do_cte(self, a):
        """Several data-modifying parts in one statement, on different rows."""
        seen = set()
        self.statement.unordered = True
        named = [mid for kind, part in a["parts"] if kind not in ("save", "join", "leave") for mid in set(self.mentioned(part)[0])]
        if len(named) != len(set(named)) or any("conv_is" in part or "before" in part for _, part in a["parts"]):
            raise Blocked
        for kind, part in a["parts"]:
            self.statement.ids = set()
            getattr(self, "do_" + kind)(part)
            if seen & self.statement.ids:
                raise Blocked
            seen |= self.statement.ids
