"""What statements on conversations and members do to the model, locks and a DBA's upkeep included."""

from model import READ_COMMITTED, Blocked, Conversation, Fail
from reads import Reads


class Conversations(Reads):
    """The model with its statements on conversations and members; each do_ method is one kind of operation."""

    def do_conversations(self, a):
        """INSERT of conversations, with whatever the application says of counters."""
        done = set()
        for cid, title in a["rows"]:
            self.touch_conversation(cid)
            if cid in self.conversations:
                if a["form"] == "nothing":
                    continue
                if a["form"] != "update":
                    raise Fail("23505")
                if cid in done:
                    raise Fail("21000")
                self.put_conversation(cid, self.conversations[cid]._replace(title=title))
            else:
                self.put_conversation(cid, Conversation(title, 0))
            done.add(cid)

    def do_save(self, a):
        """UPDATE of conversations, stale counters included."""
        for cid in a["ids"]:
            self.touch_conversation(cid)
            if cid in self.conversations:
                self.put_conversation(cid, self.conversations[cid]._replace(title=a["title"]))

    def do_drop(self, a):
        """DELETE of conversations: what happens to the messages is the foreign key's."""
        for cid in a["ids"]:
            self.touch_key(cid)
            self.touch_all_reads(cid)
        for cid in a["ids"]:
            if cid not in self.conversations:
                continue
            for key in sorted(self.by_conversation[cid]):
                if self.on_delete == "no action":
                    raise Fail("23503")
                row = self.messages.get(key)
                if row is None:
                    continue
                self.touch_id(row.id)
                if self.on_delete == "set null":
                    self.put_message(key, row._replace(conv=None, seq=None))
                else:
                    self.remove(key)
            for user in sorted(self.members_of[cid]):
                self.put_member((cid, user), None)
            self.put_conversation(cid, None)
            self.forget_reads(cid)

    def do_rekey(self, a):
        """UPDATE of a conversation's key: messages and members follow, numbers and counters stay."""
        old, new = a["id"], a["new"]
        self.touch_key(old)
        self.touch_key(new)
        if old not in self.conversations or old == new:
            return
        if new in self.conversations:
            raise Fail("23505")
        self.put_conversation(new, self.conversations[old])
        self.put_conversation(old, None)
        for key in sorted(self.by_conversation[old]):
            row = self.messages[key]
            self.touch_id(row.id)
            self.put_message(key, row._replace(conv=new))
        for user in sorted(self.members_of[old]):
            left = self.members[(old, user)]
            self.put_member((old, user), None)
            self.put_member((new, user), left)
        self.rename_reads(old, new)

    def do_lock(self, a):
        for cid in a["ids"]:
            self.touch_conversation(cid)
            if cid not in self.conversations:
                raise Blocked

    def do_share(self, a):
        """SELECT … FOR KEY SHARE: others may send, nobody may take the conversation away."""
        for cid in a["ids"]:
            holder = self.owner.get(-cid, self.transaction)
            if self.transaction.level != READ_COMMITTED or holder is not self.transaction:
                raise Blocked
            if cid in self.conversations and self.transaction not in self.sharers[cid]:
                self.sharers[cid].append(self.transaction)
                self.transaction.log.append(("k", cid, None))

    def do_hold(self, a):
        """SELECT … FOR UPDATE, as an application does to serialize its own work."""
        for cid in a["ids"]:
            self.touch_key(cid)

    def do_upkeep(self, a):
        """Work of a DBA between transactions, none of which changes a number or counter."""
        if self.transaction in self.sessions:
            raise Blocked
        self.touch_everything()

    def do_join(self, a):
        done, codes = set(), set()
        for cid, user, left in a["rows"]:
            self.touch_conversation(cid)
            if (cid, user) in self.members or (cid, user) in done:
                if a["form"] == "nothing":
                    continue
                if a["form"] != "update":
                    codes.add("23505")
                    continue
                if (cid, user) in done:
                    codes.add("21000")
                    continue
            done.add((cid, user))
            if cid in self.conversations:
                self.put_member((cid, user), left)
            else:
                codes.add("23503")
        if codes:
            raise Fail(*codes)

    def do_leave(self, a):
        for key in a["keys"]:
            self.touch_conversation(key[0])
            if key in self.members:
                self.put_member(key, None)

    def do_mark_left(self, a):
        for key in a["keys"]:
            self.touch_conversation(key[0])
            if key in self.members:
                self.put_member(key, a["left"])

    def do_move_member(self, a):
        old, new = a["key"], a["new"]
        self.touch_conversation(old[0])
        self.touch_conversation(new[0])
        if old not in self.members:
            return
        if old == new:
            return
        if new[0] not in self.conversations:
            raise Fail("23503")
        if new in self.members:
            raise Fail("23505")
        left = self.members[old]
        self.put_member(old, None)
        self.put_member(new, left)

    def do_truncate_members(self, a):
        self.touch_everything()
        for key in list(self.members):
            self.touched.add(-key[0])
            self.put_member(key, None)
        self.shut()
