"""An operation of the model as the SQL that a session sends."""

import io

LEVELS = {"read committed": "BEGIN", "repeatable read": "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1",
          "serializable": "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1"}


class Renderer:
    def __init__(self, schema):
        self.schema, self.n = schema, schema.n

    def sql(self, op):
        return self.part(op.kind, op.a)

    def part(self, kind, a):
        return getattr(self, "sql_" + kind)(a)

    def script(self, op):
        """The operation as a line of a psql script."""
        if op.kind == "insert" and op.a["form"] == "copy":
            return self.copy_command(op.a) + ";\n" + self.copy_data(op.a).getvalue() + "\\."
        return self.sql(op) + ("" if op.kind == "reconnect" else ";")

    # ------------------------------------------------------------------ transactions

    def sql_reconnect(self, a):
        return "\\connect -"

    def sql_begin(self, a):
        return LEVELS[a["level"]]

    def sql_commit(self, a):
        return "COMMIT"

    def sql_rollback(self, a):
        return "ROLLBACK"

    def sql_savepoint(self, a):
        return f"SAVEPOINT {a['name']}"

    def sql_rollback_to(self, a):
        return f"ROLLBACK TO {a['name']}"

    def sql_release(self, a):
        return f"RELEASE {a['name']}"

    def gid(self, a):
        return f"'{self.schema.name} {a['gid']}'"

    def sql_prepare(self, a):
        return f"PREPARE TRANSACTION {self.gid(a)}"

    def sql_commit_prepared(self, a):
        return f"COMMIT PREPARED {self.gid(a)}"

    def sql_rollback_prepared(self, a):
        return f"ROLLBACK PREPARED {self.gid(a)}"

    # ------------------------------------------------------------------ several statements in one

    def sql_block(self, a):
        steps = []
        for kind, part, guarded in a["steps"]:
            text = self.part(kind, part)
            if kind in ("lock", "share", "hold", "mark", "ack", "apply"):
                text = text.replace("SELECT", "PERFORM", 1)
            steps.append(f"BEGIN {text}; EXCEPTION WHEN OTHERS THEN NULL; END;" if guarded else text + ";")
        return "DO $block$ BEGIN\n  " + "\n  ".join(steps) + "\nEND $block$"

    def sql_string(self, a):
        return ";\n".join(self.part(kind, part) for kind, part, _ in a["steps"])

    def sql_cte(self, a):
        parts = [self.part(kind, part) for kind, part in a["parts"]]
        named = [f"part{i} AS ({text} RETURNING 1)" for i, text in enumerate(parts[:-1])]
        return f"WITH {', '.join(named)}\n{parts[-1]}"

    # ------------------------------------------------------------------ messages

    def columns(self, a):
        names = ["id", "conv", "at", "content", "deleted"]
        if self.has_numbers(a):
            names.append("seq")
        if any(row.reply is not None for row in a["rows"]):
            names.append("reply")
        return names + self.senders()

    @staticmethod
    def has_numbers(a):
        return a.get("number_column") or any(row.seq is not None for row in a["rows"])

    def value(self, name, row):
        schema = self.schema
        if name == "id":
            return schema.message(row.id)
        if name == "conv":
            return schema.conversation(row.conv)
        if name == "at":
            return schema.time(row.at)
        if name == "content":
            return "'" + row.content + "'"
        if name == "deleted":
            return schema.deleted(row.deleted)
        if name == "seq":
            return "NULL" if row.seq is None else str(row.seq)
        if name == "sender":
            return schema.user(row.sender)
        if name == "mentions":
            return schema.mentions(row.mentions)
        return schema.message(row.reply)

    def typed(self, name):
        schema = self.schema
        return {"id": schema.message_type, "conv": schema.conversation_type, "at": schema.time_type, "content": "text",
                "deleted": "timestamptz", "seq": "bigint", "reply": schema.message_type,
                "sender": schema.user_type, "mentions": schema.user_type + "[]"}[name]

    def copy_command(self, a):
        return f"COPY {self.schema.table(a.get('leaf'))} ({', '.join(self.n[c] for c in self.columns(a))}) FROM STDIN"

    def copy_data(self, a):
        names = self.columns(a)
        out = io.StringIO()
        for row in a["rows"]:
            values = (self.value(name, row) for name in names)
            out.write("\t".join("\\N" if v == "NULL" else v.strip("'") for v in values) + "\n")
        out.seek(0)
        return out

    def sql_insert(self, a):
        form, rows, names = a["form"], a["rows"], self.columns(a)
        if form == "prepared":
            return f"EXECUTE model_send ({', '.join(self.value(name, rows[0]) for name in names)})"
        head = f"INSERT INTO {self.schema.table(a.get('leaf'))} ({', '.join(self.n[c] for c in names)})"
        if form == "select":
            values = ", ".join(
                "(" + ", ".join([str(place)] + [f"{self.value(c, row)}::{self.typed(c)}" for c in names]) + ")"
                for place, row in enumerate(rows))
            picked = ", ".join("v." + self.n[c] for c in names)
            named = ", ".join(self.n[c] for c in names)
            return f"{head}\nSELECT {picked} FROM (VALUES {values}) v (place, {named}) ORDER BY v.place"
        values = ", ".join("(" + ", ".join(self.value(c, row) for c in names) + ")" for row in rows)
        sql = f"{head}\nVALUES {values}"
        if form == "nothing":
            return sql + "\nON CONFLICT DO NOTHING"
        if form == "update":
            target = f"{self.n['id']}, {self.n['at']}" if self.schema.partitioned else self.n["id"]
            written = ["id", "conv", "at", "content", "deleted", "seq"] + self.senders()
            sets = ", ".join(f"{self.n[c]} = EXCLUDED.{self.n[c]}" for c in written)
            return f"{sql}\nON CONFLICT ({target}) DO UPDATE SET {sets}"
        if form == "import":
            return f"SET chatopt.explicit_sequence = on; {sql}; SET chatopt.explicit_sequence = off"
        return sql

    def senders(self):
        return ["sender"] * self.schema.has("reads") + ["mentions"] * self.schema.has("mentions")

    def sql_nested(self, a):
        n, schema, rows = self.n, self.schema, []
        sender = f", {n['sender']}" if self.senders() else ""
        for row, inner in a["rows"]:
            conversation, moment = schema.conversation(row.conv), schema.time(row.at)
            rows.append(f"({schema.message(row.id)}, {conversation}, {moment}, "
                        f"say({schema.message(inner)}, {conversation}, {moment})"
                        + (f", {schema.user(row.sender)})" if sender else ")"))
        names = ", ".join(n[c] for c in ("id", "conv", "at", "content"))
        return f"INSERT INTO {n['messages']} ({names}{sender}) VALUES {', '.join(rows)}"

    def sql_forward(self, a):
        n, schema = self.n, self.schema
        pairs = ", ".join(f"({place}, {schema.message(old)}, {schema.message(new)})"
                          for place, (old, new) in enumerate(a["pairs"]))
        copied = ", ".join("m." + n[c] for c in ["at", "content", "deleted"] + self.senders())
        order = f"v.place, m.{n['at']}" if schema.partitioned else "v.place"
        return (f"INSERT INTO {n['messages']} ({', '.join(n[c] for c in ['id', 'conv', 'at', 'content', 'deleted'] + self.senders())})\n"
                f"SELECT v.new_id, {schema.conversation(a['conv'])}::{schema.conversation_type}, {copied}\n"
                f"FROM (VALUES {pairs}) v (place, old_id, new_id) JOIN {n['messages']} m ON m.{n['id']} = v.old_id\n"
                f"ORDER BY {order}")

    def ids(self, ids):
        return ", ".join(map(self.schema.message, ids))

    def where(self, a):
        n, schema = self.n, self.schema
        if a.get("before") is not None:
            return f"WHERE {n['at']} < {schema.time(a['before'])}"
        if a.get("conv_is") is not None:
            return f"WHERE {n['conv']} = {schema.conversation(a['conv_is'])}"
        return f"WHERE {n['id']} IN ({self.ids(a['ids'])})"

    def sql_update(self, a):
        schema, n, sets = self.schema, self.n, []
        for name, value in a["set"].items():
            if name == "conv":
                text = schema.conversation(value)
            elif name == "at":
                text = schema.time(value)
            elif name == "id":
                text = schema.message(value)
            elif name == "deleted":
                text = schema.deleted(value)
            elif name == "sender":
                text = schema.user(value)
            elif name == "mentions":
                text = schema.mentions(value)
            elif name == "seq":
                text = n["seq"] if value == "same" else "NULL" if value is None else str(value)
            else:
                text = "'" + value + "'"
            sets.append(f"{n[name]} = {text}")
        return f"UPDATE {schema.table(a.get('leaf'))} SET {', '.join(sets)} {self.where(a)}"

    def sql_delete(self, a):
        return f"DELETE FROM {self.schema.table(a.get('leaf'))} {self.where(a)}"

    def sql_merge(self, a):
        n, names = self.n, ["id", "conv", "at", "content", "deleted"] + self.senders()
        rows = []
        for row, match_at, act in a["rows"]:
            values = [f"{self.value(c, row)}::{self.typed(c)}" for c in names]
            rows.append(f"({', '.join(values)}, {self.schema.time(match_at)}::{self.typed('at')}, '{act}')")
        named = ", ".join(n[c] for c in names)
        matched = f"m.{n['id']} = s.{n['id']}"
        if self.schema.partitioned:
            matched += f" AND m.{n['at']} = s.match_at"
        sets = ", ".join(f"{n[c]} = s.{n[c]}" for c in names[1:])
        values = ", ".join("s." + n[c] for c in names)
        return (f"MERGE INTO {n['messages']} m USING (VALUES {', '.join(rows)}) s ({named}, match_at, act)\n"
                f"ON {matched}\n"
                f"WHEN MATCHED AND s.act = 'delete' THEN DELETE\n"
                f"WHEN MATCHED THEN UPDATE SET {sets}\n"
                f"WHEN NOT MATCHED AND s.act <> 'skip' THEN INSERT ({named}) VALUES ({values})")

    def sql_reinsert(self, a):
        n, names = self.n, ["id", "conv", "seq", "at", "content", "deleted", "reply"] + self.senders()
        picked = ", ".join(f"{self.schema.time(a['at'])}" if c == "at" and a["at"] is not None else n[c] for c in names)
        return (f"WITH d AS (DELETE FROM {n['messages']} {self.where(a)} RETURNING *)\n"
                f"INSERT INTO {n['messages']} ({', '.join(n[c] for c in names)}) SELECT {picked} FROM d")

    def sql_truncate(self, a):
        return f"TRUNCATE {self.schema.table(a.get('leaf'))}{self.notices()}"

    def notices(self):
        return ", notices" if self.schema.has("notices") else ""

    def sql_truncate_all(self, a):
        return f"TRUNCATE {self.n['conversations']}, {self.n['messages']}, {self.n['members']}{self.notices()}"

    def sql_switch(self, a):
        """Several statements, each on its own: procedures do not run in a transaction."""
        messages = "'" + self.n["messages"] + "'"
        sql = [f"SELECT chatopt.disable({messages})"]
        if a["ids"]:
            sql.append(f"DELETE FROM {self.n['messages']} WHERE {self.n['id']} IN ({self.ids(a['ids'])})")
        if a["rows"]:
            sql.append(self.sql_insert({"form": "values", "rows": a["rows"]}))
        sql += [f"SELECT count(*) FROM chatopt.enable({messages})", f"CALL chatopt.backfill({messages}, 3)",
                f"CALL chatopt.repair({messages})"]
        return ";;\n".join(sql)

    # ------------------------------------------------------------------ conversations and members

    def sql_conversations(self, a):
        n, schema = self.n, self.schema
        bogus = [] if schema.has("counters") or not a["bogus"] else ["last", "count", "present"]
        values = ", 77" * len(bogus)
        rows = ", ".join(f"({schema.conversation(cid)}, '{title}'{values})" for cid, title in a["rows"])
        sql = f"INSERT INTO {n['conversations']} ({', '.join(n[c] for c in ['id', 'title'] + bogus)}) VALUES {rows}"
        if a["form"] == "nothing":
            return sql + " ON CONFLICT DO NOTHING"
        if a["form"] == "update":
            sets = ", ".join(f"{n[c]} = EXCLUDED.{n[c]}" for c in ["title"] + bogus)
            return f"{sql} ON CONFLICT ({n['id']}) DO UPDATE SET {sets}"
        return sql

    def sql_save(self, a):
        n, schema = self.n, self.schema
        ids = ", ".join(map(schema.conversation, a["ids"]))
        stale = "".join(f", {n[c]} = {v}" for c, v in (("last", 1), ("count", 99), ("present", 0), ("last_id", "NULL")))
        if not a["stale"]:
            stale = ""
        if schema.has("counters"):
            sql = f"UPDATE {n['conversations']} SET {n['title']} = '{a['title']}' WHERE {n['id']} IN ({ids})"
            if stale and not a.get("inner"):
                sql += f"; UPDATE {n['counters']} SET {stale[2:]} WHERE {n['conv']} IN ({ids})"
            return sql
        return f"UPDATE {n['conversations']} SET {n['title']} = '{a['title']}'{stale} WHERE {n['id']} IN ({ids})"

    def sql_drop(self, a):
        ids = ", ".join(map(self.schema.conversation, a["ids"]))
        return f"DELETE FROM {self.n['conversations']} WHERE {self.n['id']} IN ({ids})"

    def sql_rekey(self, a):
        n, schema = self.n, self.schema
        return (f"UPDATE {n['conversations']} SET {n['id']} = {schema.conversation(a['new'])} "
                f"WHERE {n['id']} = {schema.conversation(a['id'])}")

    def sql_lock(self, a):
        schema = self.schema
        ids = ", ".join(f"{schema.conversation(cid)}::{schema.conversation_type}" for cid in a["ids"])
        messages = self.n["messages"].replace("'", "''")
        return f"SELECT chatopt.lock_conversations('{messages}', {ids})"

    def sql_share(self, a, mode="KEY SHARE"):
        schema = self.schema
        ids = ", ".join(map(schema.conversation, a["ids"]))
        return f"SELECT 1 FROM {schema.counter_table} WHERE {schema.counter_key} IN ({ids}) FOR {mode}"

    def sql_hold(self, a):
        return self.sql_share(a, "UPDATE")

    def sql_upkeep(self, a):
        schema, what = self.schema, a["what"]
        messages = "'" + self.n["messages"] + "'"
        return {"repair": f"CALL chatopt.repair({messages})", "backfill": f"CALL chatopt.backfill({messages})",
                "attach": schema.attach().rstrip(";\n"), "vacuum": f"VACUUM {schema.counter_table}",
                "rewrite": f"VACUUM FULL {schema.counter_table}", "analyze": "ANALYZE",
                "column": f"ALTER TABLE {self.n['messages']} ADD COLUMN extra_{a['number']} int",
                "counter column": f"ALTER TABLE {schema.counter_table} ADD COLUMN extra_{a['number']} int DEFAULT 7",
                "drop column": f"ALTER TABLE {schema.counter_table} DROP COLUMN IF EXISTS extra_{a['number'] - 1}",
                }[what]

    def member(self, key):
        return f"({self.schema.conversation(key[0])}, {self.schema.user(key[1])})"

    def sql_join(self, a):
        n = self.n
        rows = ", ".join(f"({self.schema.conversation(cid)}, {self.schema.user(user)}, {self.schema.deleted(left)})"
                         for cid, user, left in a["rows"])
        sql = f"INSERT INTO {n['members']} ({n['conv']}, {n['user']}, {n['left']}) VALUES {rows}"
        if a["form"] == "nothing":
            return sql + " ON CONFLICT DO NOTHING"
        if a["form"] == "update":
            return f"{sql} ON CONFLICT ({n['conv']}, {n['user']}) DO UPDATE SET {n['left']} = EXCLUDED.{n['left']}"
        return sql

    def members(self, keys):
        return f"WHERE ({self.n['conv']}, {self.n['user']}) IN ({', '.join(map(self.member, keys))})"

    def sql_leave(self, a):
        return f"DELETE FROM {self.n['members']} {self.members(a['keys'])}"

    def sql_mark_left(self, a):
        left = self.schema.deleted(a["left"])
        return f"UPDATE {self.n['members']} SET {self.n['left']} = {left} {self.members(a['keys'])}"

    def sql_move_member(self, a):
        n = self.n
        return (f"UPDATE {n['members']} SET ({n['conv']}, {n['user']}) = {self.member(a['new'])} "
                f"{self.members([a['key']])}")

    def sql_mark(self, a):
        return self.schema.mark(a)

    def sql_ack(self, a):
        return self.schema.ack(a)

    def sql_apply(self, a):
        return self.schema.apply(a)

    def sql_track(self, a):
        return f"{self.schema.track()};;\nCALL chatopt.backfill('{self.n['messages']}', {a['batch']})"

    def sql_found(self, a):
        n, schema, names = self.n, self.schema, ["id", "at", "content", "deleted", "sender"]
        place = schema.conversation(a["conv"])
        taken = f"SELECT {place}::{schema.conversation_type}"
        if a["new"]:
            taken = f"INSERT INTO {n['conversations']} ({n['id']}, {n['title']}) VALUES ({place}, '{a['title']}') RETURNING {n['id']}"
        joins = ", ".join(f"({schema.user(user)}::{schema.user_type}, {schema.deleted(left)}::timestamptz)"
                          for _, user, left in a["joins"])
        rows = ", ".join("(" + ", ".join([str(i)] + [f"{self.value(c, row)}::{self.typed(c)}" for c in names]) + ")"
                         for i, row in enumerate(a["rows"]))
        named = ", ".join(n[c] for c in names)
        return (f"WITH c (place) AS ({taken}),\n"
                f"b AS (INSERT INTO {n['members']} ({n['conv']}, {n['user']}, {n['left']}) "
                f"SELECT c.place, v.* FROM c, (VALUES {joins}) v)\n"
                f"INSERT INTO {n['messages']} ({n['conv']}, {named})\n"
                f"SELECT c.place, {', '.join('v.' + n[c] for c in names)} FROM c, (VALUES {rows}) v (i, {named}) ORDER BY v.i")

    def sql_truncate_members(self, a):
        return f"TRUNCATE {self.n['members']}"
