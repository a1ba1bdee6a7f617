"""The seeded generator: picks a session and a statement that fits the state of the model.

It only proposes.  The model refuses (Blocked) what would wait for another session, and says what fails.
"""

from model import Op, Message
from schema import MONTHS
from statements import MONTH

CONVERSATIONS = 12      # keys in use; a dropped one comes back, starting from zero
MANY = 400              # the same in a schema with many conversations a statement
USERS = 9
# never part of another operation
ALONE = ("block", "string", "cte", "truncate", "truncate_members", "truncate_all", "upkeep", "switch", "track")
CROWDED = 45            # messages a conversation before deletes become likely


class Generator:
    def __init__(self, rng, model, schema, two_phase=True):
        self.rng, self.model, self.schema = rng, model, schema
        self.two_phase = two_phase
        self.wide = schema.has("wide")
        self.places, self.crowded = (MANY, 6) if self.wide else (CONVERSATIONS, CROWDED)
        self.draining, self.script, self.mine = False, [], None
        self.next_id, self.next_gid, self.next_name = 1, 1, 1
        self.weigh()

    def weigh(self):
        """Which kinds of statement, and how often."""
        schema, model = self.schema, self.model
        self.weighed = model.tracked
        weights = {
            "insert": 30, "update": 14, "delete": 5, "merge": 5, "forward": 3, "reinsert": 2, "save": 4,
            "conversations": 4, "drop": 1.2, "rekey": 1, "lock": 1, "join": 5, "leave": 2, "mark_left": 3,
            "move_member": 2, "block": 4, "string": 3, "cte": 3, "nested": 1.5, "share": 1.5,
            "hold": 1, "truncate": 0.25, "truncate_members": 0.05,
        }
        without = self.without = model.without
        if model.tracked:
            weights.update(mark=22, found=3, join=8, leave=4, truncate_members=0.2)
            if "ack_message" in schema.functions:
                weights.update(ack=12, apply=5)
            without = self.without = model.without | {"switch"}
        elif schema.has("late"):
            weights.update(join=8, leave=4)
            without = self.without = model.without | {"switch"}
        weights = {kind: weight for kind, weight in weights.items() if kind not in without}
        self.cte_kinds = [kind for kind in ("insert", "insert", "update", "delete", "save") if kind not in without]
        if model.triggers:
            weights.pop("reinsert", None)
        self.kinds, self.weights = list(weights), list(weights.values())
        self.inner = [kind for kind in self.kinds if kind not in ALONE]
        self.inner_weights = [weights[kind] for kind in self.inner]

    # ------------------------------------------------------------------ what the next operation is

    def next(self):
        rng, model = self.rng, self.model
        if self.script:
            return self.script.pop(0)
        if rng.random() < 0.002:
            self.draining = True
        if self.draining:
            return self.drain()
        session = rng.randrange(len(model.sessions))
        transaction = model.sessions[session]
        if transaction is None:
            return self.outside(session)
        if transaction.aborted:
            return self.after_error(session, transaction)
        dice = rng.random()
        if rng.random() < 0.004:
            return Op(session, "reconnect")
        if dice < 0.09:
            return Op(session, "commit")
        if dice < 0.12:
            return Op(session, "rollback")
        if dice < 0.14 and self.two_phase and transaction.level != "serializable":
            self.next_gid += 1
            return Op(session, "prepare", gid=self.next_gid)
        if dice < 0.21 and len(transaction.marks) < 4:
            self.next_name += 1
            return Op(session, "savepoint", name=f"s{self.next_name}")
        if dice < 0.29 and transaction.marks:
            name = rng.choice(transaction.marks)[0]
            return Op(session, rng.choice(("rollback_to", "rollback_to", "release")), name=name)
        return self.statement(session)

    def drain(self):
        """End every transaction, for something that wants the tables to itself."""
        rng, model = self.rng, self.model
        for session, transaction in enumerate(model.sessions):
            if transaction is not None:
                return Op(session, rng.choice(("commit", "commit", "rollback")))
        session = rng.randrange(len(model.sessions))
        if model.prepared:
            gid = min(model.prepared)
            return Op(session, rng.choice(("commit_prepared", "commit_prepared", "rollback_prepared")), gid=gid)
        self.draining, self.mine = False, None
        kinds = [kind for kind in ("truncate", "truncate_members", "truncate_all", "upkeep", "upkeep", "switch")
                 if kind not in self.without]
        if self.schema.has("late") and not model.tracked:
            kinds += ["track"] * 6
        kind = rng.choice(kinds)
        op = Op(session, kind, **getattr(self, "make_" + kind)())
        if kind.startswith("truncate") and rng.random() < 0.5:
            self.script = [op]
            return Op(session, "begin", level="read committed")
        return op

    def outside(self, session):
        rng, model = self.rng, self.model
        if model.prepared and rng.random() < 0.3:
            gid = rng.choice(sorted(model.prepared))
            return Op(session, rng.choice(("commit_prepared", "commit_prepared", "rollback_prepared")), gid=gid)
        if rng.random() < 0.45:
            dice = rng.random()
            level = "serializable" if dice < 0.03 else "repeatable read" if dice < 0.12 else "read committed"
            return Op(session, "begin", level=level)
        return self.statement(session)

    def after_error(self, session, transaction):
        if transaction.marks and self.rng.random() < 0.85:
            return Op(session, "rollback_to", name=self.rng.choice(transaction.marks[-2:])[0])
        return Op(session, self.rng.choice(("rollback", "commit")))

    def statement(self, session):
        if self.weighed != self.model.tracked:
            self.weigh()
        kind = self.rng.choices(self.kinds, self.weights)[0]
        self.mine = self.model.sessions[session]
        return Op(session, kind, **getattr(self, "make_" + kind)())

    # ------------------------------------------------------------------ picking things

    def conversation(self):
        """A conversation, mostly one that no other session holds; now and then one that does not exist."""
        rng, model = self.rng, self.model
        if rng.random() < 0.02:
            return rng.randint(1, self.places + 2)
        for _ in range(4):
            cid = rng.randint(1, self.places)
            if cid in model.conversations and model.owner.get(-cid) in (None, self.mine):
                return cid
        return cid

    def home(self):
        """The conversation of a new message: NULL now and then."""
        return None if self.rng.random() < 0.02 else self.conversation()

    def time(self):
        rng = self.rng
        if self.schema.partitioned:
            month = MONTHS + 1 if rng.random() < 0.004 else rng.randint(1, MONTHS)
        elif rng.random() < 0.02:
            return None
        else:
            month = rng.randint(1, MONTHS)
        return month * MONTH + rng.randrange(40000)

    def fresh(self):
        self.next_id += 1
        return self.next_id

    def existing(self, count=1):
        """Ids of messages, mostly of one conversation; now and then of ones long gone."""
        rng, model = self.rng, self.model
        ids = []
        place = None if rng.random() < 0.03 else self.conversation()
        keys = sorted(model.by_conversation[place]) if place in model.by_conversation else []
        for _ in range(count):
            if rng.random() < 0.12:
                place = self.conversation()
                keys = sorted(model.by_conversation[place])
            if keys and rng.random() < 0.97:
                key = keys[-1] if rng.random() < 0.3 else rng.choice(keys)
                ids.append(model.messages[key].id)
            elif self.next_id > 1:
                ids.append(rng.randint(1, self.next_id))
        return list(dict.fromkeys(ids)) or [1]

    def some(self, most=8):
        """A small number, mostly one."""
        return 1 if self.rng.random() < 0.5 else self.rng.randint(1, most)

    def content(self):
        if self.model.triggers:
            dice = self.rng.random()
            if dice < 0.10:
                return "ask"
            if dice < 0.20:
                return "drop"
            if dice < 0.23:
                return "nil"
        if self.schema.has("deferred") and self.rng.random() < 0.08:
            return "remind"
        return self.rng.choice(("hello", "yes", "no", "later"))

    def row(self, mid=None, cid=0):
        rng = self.rng
        reply = None
        if self.schema.has("replies") and rng.random() < 0.2:
            reply = self.existing()[0]
        return Message(self.fresh() if mid is None else mid, self.home() if cid == 0 else cid, None, self.time(),
                       self.content(), self.model.soft and rng.random() < 0.15, reply, self.sender(cid), self.mentions())

    def sender(self, cid):
        """Who sends: mostly a member."""
        rng, dice = self.rng, self.rng.random()
        if not self.model.tracked or dice < 0.1:
            return None
        return rng.randint(1, USERS)

    def mentions(self):
        """Whom a message mentions: mostly nobody; members or not, the sender too, somebody twice."""
        rng = self.rng
        if not self.schema.has("mentions") or rng.random() < 0.6:
            return None
        return tuple(rng.choices(range(1, USERS + 1), k=rng.randint(0, 4)))

    # ------------------------------------------------------------------ messages

    def make_insert(self, inner=False):
        rng = self.rng
        form = rng.choices(("values", "select", "copy", "prepared", "nothing", "update", "import"),
                           (10, 4, 5, 3, 6, 6, 0 if "number" in self.without else 1))[0]
        if inner and form in ("copy", "prepared", "import"):
            form = "values"
        count = 1 if form == "prepared" else self.some(12 if rng.random() < 0.9 else 40)
        place = self.home()
        if self.wide and count > 1 and rng.random() < 0.3:
            count, place = rng.randint(50, 600), 0
        rows = [self.row(cid=place if rng.random() < 0.7 else 0) for _ in range(count)]
        a = {"form": form, "rows": rows}
        if form == "prepared":
            a["rows"] = [rows[0]._replace(reply=None)]
        elif form in ("nothing", "update") or rng.random() < 0.03:
            self.collide(rows, 0.4)
        if form == "import":
            self.give_numbers(rows)
        elif rng.random() < 0.01 and "number" not in self.without and rows[0].conv is not None and form != "prepared":
            rows[-1] = rows[-1]._replace(seq=rng.randint(1, 50), conv=rows[0].conv)
        if rng.random() < 0.1 and form != "prepared":
            a["number_column"] = True
        if self.schema.partitioned and form not in ("prepared", "import") and rng.random() < 0.25:
            self.aim_at_leaf(a)
        return a

    def collide(self, rows, share):
        """Give some rows the key of an existing message, or of another row of the statement."""
        rng, model = self.rng, self.model
        for place, row in enumerate(rows):
            if rng.random() >= share:
                continue
            if place and rng.random() < 0.15:
                other = rows[rng.randrange(place)]
            else:
                known = sorted(model.by_id.get(self.existing()[0], ()))
                if not known:
                    continue
                other = model.messages[known[0]]
            rows[place] = row._replace(id=other.id, at=other.at if self.schema.partitioned else row.at,
                                       conv=other.conv if rng.random() < 0.6 else row.conv)

    def give_numbers(self, rows):
        """An import: numbers above the last one, with a hole here and there."""
        last = {}
        for place, row in enumerate(rows):
            if row.conv in self.model.conversations:
                number = last.get(row.conv, self.model.conversations[row.conv].last)
                number += 1 if self.rng.random() < 0.8 else self.rng.randint(-1, 4)
                last[row.conv] = number
                if number > 0:
                    rows[place] = row._replace(seq=number)

    def aim_at_leaf(self, a):
        leaf = a["leaf"] = self.rng.randint(1, MONTHS)
        for place, row in enumerate(a["rows"]):
            if self.rng.random() < 0.99:
                a["rows"][place] = row._replace(at=leaf * MONTH + row.at % MONTH)

    def make_nested(self, inner=False):
        rng, rows = self.rng, []
        place = self.conversation()
        for _ in range(self.some(5)):
            row = self.row(cid=place if rng.random() < 0.8 else self.conversation())
            mid = self.fresh() if rng.random() < 0.8 else self.existing()[0]
            rows.append((row._replace(content="outer", deleted=False, reply=None, mentions=None), mid))
        return {"rows": rows}

    def make_forward(self, inner=False):
        ids = self.existing(self.some(6))
        return {"pairs": [(mid, self.fresh()) for mid in ids], "conv": self.home()}

    def target(self, a):
        """Which rows: mostly by ids, sometimes a whole conversation, rarely everything old."""
        rng = self.rng
        if rng.random() < 0.1:
            a["conv_is"] = self.conversation()
        else:
            a["ids"] = self.existing(self.some())
        if self.schema.partitioned and rng.random() < 0.15:
            a["leaf"] = rng.randint(1, MONTHS)
        return a

    def make_update(self, inner=False):
        rng = self.rng
        a = self.target({"set": {}})
        new = a["set"]
        what = rng.choices(("content", "deleted", "move", "time", "key", "all", "number", "both"),
                           (3, 4 if self.model.soft else 1, 5, 3, 1, 2, 0.3, 2))[0]
        if what in ("content", "all"):
            new["content"] = rng.choice(("edited", "changed"))
        if self.model.tracked and rng.random() < 0.1:
            new["sender"] = self.sender(None)
        if self.schema.has("mentions") and rng.random() < 0.25:
            new["mentions"] = self.mentions()
        if what in ("deleted", "all"):
            new["deleted"] = rng.random() < 0.5
        if what in ("move", "both"):
            new["conv"] = self.home()
            if rng.random() < 0.2:
                new["seq"] = "same"
        if what in ("time", "both"):
            new["at"] = self.time()
        if what == "all":
            self.save_every_column(a)
        if what == "key":
            a.pop("conv_is", None)
            a["ids"] = a.get("ids", self.existing())[:1]
            new["id"] = self.fresh() if rng.random() < 0.9 else self.existing()[0]
        if what == "number" and "number" not in self.without:
            a.pop("conv_is", None)
            a["ids"] = a.get("ids", self.existing())[:1]
            new["seq"] = rng.choice((None, 0, -1, rng.randint(1, 20), rng.randint(1, 20)))
        if not new:
            new["content"] = "edited"
        return a

    def save_every_column(self, a):
        """An ORM's save of one message: every column with what was read, the number too."""
        rng, model = self.rng, self.model
        a.pop("conv_is", None)
        a["ids"] = a.get("ids", self.existing())[:1]
        known = sorted(model.by_id.get(a["ids"][0], ()))
        if known:
            row = model.messages[known[0]]
            a["set"]["conv"] = row.conv if rng.random() < 0.7 else self.home()
            if row.seq is not None:
                a["set"]["seq"] = row.seq
            if not self.schema.partitioned:
                a["set"]["at"] = row.at

    def make_delete(self, inner=False):
        rng = self.rng
        if not inner and rng.random() < 0.04:
            return {"before": rng.randint(1, MONTHS) * MONTH + rng.randrange(20000)}
        a = self.target({})
        crowded = [c for c in self.model.conversations if len(self.model.by_conversation[c]) > self.crowded
                   and self.model.owner.get(-c) in (None, self.mine)]
        if crowded:
            a.pop("conv_is", None)
            keys = sorted(self.model.by_conversation[rng.choice(crowded)])
            a["ids"] = [self.model.messages[key].id for key in rng.sample(keys, rng.randint(self.crowded // 4, self.crowded))]
        return a

    def make_merge(self, inner=False):
        rng, rows = self.rng, {}
        for _ in range(self.some()):
            act = rng.choice(("update", "update", "update", "delete", "skip"))
            match_at = self.time()
            mid = self.existing()[0] if rng.random() < 0.6 else self.fresh()
            row = self.row(mid, cid=0)._replace(reply=None)
            known = sorted(self.model.by_id.get(mid, ()))
            if known:
                old = self.model.messages[known[0]]
                match_at = old.at
                row = row._replace(conv=old.conv if rng.random() < 0.5 else row.conv, at=rng.choice((old.at, row.at)))
            if row.content in ("drop", "nil"):
                row = row._replace(content="merged")
            rows[mid] = (row, match_at, act)
        return {"rows": list(rows.values())}

    def make_reinsert(self, inner=False):
        return {"ids": self.existing(self.some()), "at": self.time() if self.rng.random() < 0.6 else None}

    def make_truncate(self, inner=False):
        leaf = self.rng.randint(1, MONTHS) if self.schema.partitioned and self.rng.random() < 0.7 else None
        return {"leaf": leaf}

    # ------------------------------------------------------------------ several statements in one

    def make_block(self):
        steps = []
        for _ in range(self.rng.randint(1, 5)):
            kind = self.rng.choices(self.inner, self.inner_weights)[0]
            steps.append((kind, getattr(self, "make_" + kind)(inner=True), self.rng.random() < 0.4))
        return {"steps": steps}

    def make_string(self):
        steps = self.make_block()["steps"]
        return {"steps": [(kind, a, False) for kind, a, _ in steps]}

    def make_cte(self):
        rng, parts = self.rng, []
        for _ in range(rng.randint(2, 3)):
            kind = rng.choice(self.cte_kinds)
            a = getattr(self, "make_" + kind)(inner=True)
            if a.pop("conv_is", None) is not None:
                a["ids"] = self.existing(self.some())
            if kind == "save":
                a.update(inner=True, ids=a["ids"][:1])
            parts.append((kind, a))
        return {"parts": parts}

    # ------------------------------------------------------------------ conversations and members

    def title(self):
        return f"title {self.rng.randrange(1000)}"

    def make_conversations(self, inner=False):
        rng = self.rng
        form = rng.choices(("values", "nothing", "update"), (3, 2, 2))[0]
        missing = [c for c in range(1, self.places + 1) if c not in self.model.conversations]
        rows = []
        for _ in range(self.some(3)):
            cid = rng.choice(missing) if missing and rng.random() < 0.85 else rng.randint(1, self.places)
            if form == "values" and cid in self.model.conversations and rng.random() < 0.8:
                form = "update"
            rows.append((cid, self.title()))
        if rng.random() < 0.95:
            rows = list(dict(rows).items())
        return {"form": form, "rows": rows, "bogus": rng.random() < 0.5}

    def make_save(self, inner=False):
        ids = sorted({self.conversation() for _ in range(self.some(3))})
        return {"ids": ids, "title": self.title(), "stale": self.rng.random() < 0.7}

    def make_drop(self, inner=False):
        return {"ids": sorted({self.conversation() for _ in range(self.some(2))})}

    def make_rekey(self, inner=False):
        return {"id": self.conversation(), "new": self.rng.randint(1, self.places)}

    def make_lock(self, inner=False):
        ids = list({self.conversation() for _ in range(self.some(4))})
        self.rng.shuffle(ids)
        return {"ids": ids}

    def make_switch(self):
        rows = [self.row(cid=self.conversation())._replace(content="unnumbered", reply=None)
                for _ in range(self.some(10) - 1)]
        return {"rows": rows, "ids": self.existing(self.some(4)) if self.rng.random() < 0.5 else []}

    def make_truncate_all(self):
        return {}

    def make_track(self):
        return {"batch": self.rng.choice((1, 3, 7, 1000))}

    make_share = make_hold = make_lock

    def make_upkeep(self):
        self.next_name += 1
        return {"what": self.rng.choice(("repair", "backfill", "attach", "vacuum", "rewrite", "analyze", "column",
                                         "counter column", "drop column")), "number": self.next_name}

    def member(self):
        """Mostly an existing member."""
        cid = self.conversation()
        users = sorted(self.model.members_of[cid])
        if users and self.rng.random() < 0.9:
            return cid, self.rng.choice(users)
        return cid, self.rng.randint(1, USERS)

    def make_join(self, inner=False):
        rng = self.rng
        form = rng.choices(("values", "nothing", "update"), (3, 3, 3))[0]
        rows = []
        for _ in range(self.some(5)):
            cid, user = self.conversation(), rng.randint(1, USERS)
            if form == "values" and user in self.model.members_of[cid] and rng.random() < 0.9:
                user = rng.randint(100, 100 + self.next_id)
            rows.append((cid, user, self.model.soft and rng.random() < 0.2))
        if form == "update" and rng.random() < 0.95:
            rows = [(cid, user, left) for (cid, user), left in {(c, u): x for c, u, x in rows}.items()]
        return {"form": form, "rows": rows}

    def make_leave(self, inner=False):
        return {"keys": sorted({self.member() for _ in range(self.some(6))})}

    def make_mark_left(self, inner=False):
        return {"keys": sorted({self.member() for _ in range(self.some(4))}), "left": self.rng.random() < 0.5}

    def make_move_member(self, inner=False):
        key = self.member()
        conversation = key[0] if self.rng.random() < 0.3 else self.conversation()
        return {"key": key, "new": (conversation, self.rng.randint(1, USERS) if self.rng.random() < 0.5 else key[1])}

    def make_mark(self, inner=False):
        """mark_read and its like, around where the conversation is."""
        rng, (cid, user) = self.rng, self.member()
        what = rng.choices(("read", "delivered", "unread"), (5, 3, 2))[0]
        last = self.model.conversations[cid].last if cid in self.model.conversations else 0
        upto = last + rng.randint(-6, 1) if rng.random() < 0.7 else rng.randint(-1, last + 2)
        if rng.random() < 0.005:
            upto = rng.choice((None, 2**63 - 1, -2**63))
        return {"what": what, "conv": cid, "user": user, "upto": upto, "typed": rng.randrange(4)}

    def make_ack(self, inner=False):
        rng, (cid, user) = self.rng, self.member()
        last = self.model.conversations[cid].last if cid in self.model.conversations else 0
        seq = last - rng.randint(0, 5) if rng.random() < 0.8 else rng.randint(-1, last + 2)
        return {"conv": cid, "user": user, "seq": seq, "status": rng.choice(("read", "read", "delivered", "delivered", "sent")),
                "typed": rng.randrange(4)}

    def make_apply(self, inner=False):
        rng, entries = self.rng, []
        for _ in range(self.some(8)):
            a = self.make_mark()
            cid, user = (None, a["user"]) if rng.random() < 0.02 else (a["conv"], a["user"])
            entries.append((cid, user, a["upto"], rng.choice(("read", "delivered", "sent"))))
        return {"entries": entries}

    def make_found(self, inner=False):
        rng = self.rng
        missing = [c for c in range(1, self.places + 1) if c not in self.model.conversations]
        new = bool(missing) and rng.random() < 0.7
        cid = rng.choice(missing) if new else self.conversation()
        users = rng.sample(range(1, USERS + 1), rng.randint(1, 5))
        users = [user for user in users if user not in self.model.members_of[cid] or rng.random() < 0.05] or [rng.randint(100, 999)]
        rows = [self.row(cid=cid)._replace(reply=None, content="hello", mentions=None) for _ in range(self.some(4))]
        return {"new": new, "conv": cid, "title": self.title(), "rows": rows,
                "joins": [(cid, user, self.model.soft and rng.random() < 0.1) for user in users]}

    def make_truncate_members(self, inner=False):
        return {}
