"""The schemas the model runs on: names, key types, foreign keys, partitions; and how a value is written in SQL."""

import functools

from statements import MONTH

VARIANTS = (
    "plain",
    "partitioned",
    "counters",
    "enforce",
    "counted",
    "camel+counted+setnull",
    "epoch+restrict+enforce",
    "replies+triggers+counted",
    "partitioned+counted+enforce",
    "counters+counted+enforce+triggers",
    "partitioned+counters+triggers",
    "partitioned+setnull+counted",
    "indexed+deferred+counted",
    "counters+indexed+enforce+deferred",
    "wide+counted",
    "any",
)
FEATURES = frozenset(word for variant in VARIANTS for word in variant.split("+")) - {"plain", "any"}
MONTHS = 4

SNAKE = {
    "conversations": "conversations", "messages": "messages", "members": "members", "counters": "chat_counters",
    "id": "id", "conv": "conversation_id", "seq": "sequence_number", "at": "created_at", "content": "content",
    "deleted": "deleted_at", "reply": "reply_to", "title": "title", "user": "user_id", "left": "left_at",
    "last": "last_sequence_number", "count": "message_count", "present": "member_count",
    "last_id": "last_message_id", "last_at": "last_message_at",
}
CAMEL = {
    "conversations": '"Conversation"', "messages": '"Message"', "members": '"Member"', "counters": '"ChatCounter"',
    "id": "id", "conv": '"conversationId"', "seq": '"sequenceNumber"', "at": '"createdAt"', "content": "content",
    "deleted": '"deletedAt"', "reply": '"replyTo"', "title": "title", "user": '"userId"', "left": '"leftAt"',
    "last": '"lastSequenceNumber"', "count": '"messageCount"', "present": '"memberCount"',
    "last_id": '"lastMessageId"', "last_at": '"lastMessageAt"',
}
COUNTERS = ("last", "count", "present", "last_id", "last_at")
ANSWER_TRIGGERS = """
CREATE FUNCTION drop_early() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RETURN CASE WHEN NEW.content LIKE 'nil%' THEN NULL ELSE NEW END; END $$;
CREATE FUNCTION drop_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RETURN CASE WHEN NEW.content LIKE 'drop%' THEN NULL ELSE NEW END; END $$;
CREATE FUNCTION answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO messages (id, conversation_id, created_at, content)
  VALUES (NEW.id + 500000000, NEW.conversation_id, NEW.created_at, 'answer') ON CONFLICT DO NOTHING;
  RETURN NULL; END $$;
CREATE TRIGGER application_drop BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION drop_early();
CREATE TRIGGER zzzz_drop BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION drop_late();
CREATE TRIGGER {name} AFTER INSERT ON messages FOR EACH ROW WHEN (NEW.content LIKE 'ask%') EXECUTE FUNCTION answer();
"""
SAY = """
CREATE FUNCTION say(mid {message_type}, place {conversation_type}, moment {time_type}) RETURNS text
LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO {messages} ({id}, {conv}, {at}, {content}) VALUES (mid, place, moment, 'inner'); RETURN 'outer';
EXCEPTION WHEN unique_violation THEN RETURN 'outer'; END $$;
"""
DEFERRED_TRIGGER = """
CREATE FUNCTION remind() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO messages (id, conversation_id, created_at, content)
  VALUES (NEW.id + 700000000, NEW.conversation_id, NEW.created_at, 'reminder') ON CONFLICT DO NOTHING;
  RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER remind AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.content = 'remind') EXECUTE FUNCTION remind();
"""


def pick(variant, rng):
    """The variant itself, or for "any" some features that go together."""
    if variant != "any":
        return variant
    features = {rng.choice(("plain", "plain", "camel", "epoch")), rng.choice(("plain", "setnull", "restrict"))}
    features.update(word for word in ("partitioned", "counters", "enforce", "counted", "indexed") if rng.random() < 0.4)
    if "camel" not in features and rng.random() < 0.4:
        features.add("triggers")
    if "partitioned" not in features and rng.random() < 0.4:
        features.add("replies")
    if not features & {"partitioned", "camel"} and rng.random() < 0.4:
        features.add("deferred")
    if rng.random() < 0.1:
        features.add("wide")
    return "+".join(["plain"] + sorted(features - {"plain"}))


def quote(text):
    return "'" + text.replace("'", "''") + "'"


class Schema:
    """One variant, in one database schema."""

    def __init__(self, variant, name):
        self.variant, self.name = variant, name
        self.features = frozenset(variant.split("+")) - {"plain"}
        unknown = self.features - FEATURES
        if unknown:
            raise SystemExit(f"unknown schema feature: {', '.join(sorted(unknown))}")
        self.has = self.features.__contains__
        self.partitioned = self.has("partitioned")
        self.n = CAMEL if self.has("camel") else SNAKE
        self.conversation_type = "text" if self.has("camel") else "int" if self.has("epoch") else "uuid"
        self.message_type = "text" if self.has("camel") else "bigint"
        self.time_type = "bigint" if self.has("epoch") else "timestamptz"
        self.counter_table = self.n["counters"] if self.has("counters") else self.n["conversations"]
        self.counter_key = self.n["conv"] if self.has("counters") else self.n["id"]

    # ------------------------------------------------------------------ values as text, as the database shows them

    @functools.lru_cache(maxsize=None)
    def conversation_text(self, cid):
        if self.conversation_type == "uuid":
            return f"{cid * 2654435761 % 2**32:08x}-0000-4000-8000-{cid:012x}"
        return f"conversation {cid}" if self.conversation_type == "text" else str(cid)

    def message_text(self, mid):
        return f"m{mid}" if self.message_type == "text" else str(mid)

    @functools.lru_cache(maxsize=None)
    def time_text(self, at):
        month, minute = divmod(at, MONTH)
        if self.time_type == "bigint":
            return str(1767225600000 + (month * 50000 + minute) * 60000)
        day, minute = divmod(minute, 1440)
        return f"2026-{month:02d}-{day + 1:02d} {minute // 60:02d}:{minute % 60:02d}:00+00"

    # ------------------------------------------------------------------ and as literals

    def conversation(self, cid):
        return "NULL" if cid is None else quote(self.conversation_text(cid))

    def message(self, mid):
        return "NULL" if mid is None else quote(self.message_text(mid)) if self.message_type == "text" else str(mid)

    def time(self, at):
        return "NULL" if at is None else quote(self.time_text(at))

    @staticmethod
    def deleted(deleted):
        return "'2026-05-01 00:00:00+00'" if deleted else "NULL"

    def table(self, leaf=None):
        return self.n["messages"] if leaf is None else f"messages_{leaf}"

    # ------------------------------------------------------------------ DDL

    def reference(self, on_delete="CASCADE"):
        return f"REFERENCES {self.n['conversations']} ON DELETE {on_delete} ON UPDATE CASCADE"

    def ddl(self):
        n, c, m = self.n, self.conversation_type, self.message_type
        on_delete = "SET NULL" if self.has("setnull") else "NO ACTION" if self.has("restrict") else "CASCADE"
        key = f"PRIMARY KEY ({n['id']}, {n['at']})" if self.partitioned else f"PRIMARY KEY ({n['id']})"
        reply = f", {n['reply']} {m}"
        if self.has("replies"):
            reply += f" REFERENCES {n['messages']} ON DELETE CASCADE ON UPDATE CASCADE"
        out = [
            f"CREATE TABLE {n['conversations']} ({n['id']} {c} PRIMARY KEY, {n['title']} text)",
            f"CREATE TABLE {n['messages']} ({n['id']} {m}, {n['conv']} {c} {self.reference(on_delete)}, "
            f"{n['at']} {self.time_type}, {n['content']} text, {n['deleted']} timestamptz{reply}, {key})"
            + (f" PARTITION BY RANGE ({n['at']})" if self.partitioned else ""),
            f"CREATE TABLE {n['members']} ({n['conv']} {c} {self.reference()}, {n['user']} int, "
            f"{n['left']} timestamptz, PRIMARY KEY ({n['conv']}, {n['user']}))",
        ]
        if self.has("counters"):
            out.append(f"CREATE TABLE {n['counters']} ({n['conv']} {c} PRIMARY KEY)")
        if self.partitioned:
            for month in range(1, MONTHS + 1):
                low, high = (self.time(at * MONTH) for at in (month, month + 1))
                out.append(f"CREATE TABLE messages_{month} PARTITION OF {n['messages']} "
                           f"FOR VALUES FROM ({low}) TO ({high})")
        out.append(SAY.format(**n, conversation_type=c, message_type=m, time_type=self.time_type))
        if self.has("triggers"):
            # before our own flush, or after it
            out.append(ANSWER_TRIGGERS.format(name="aa_answer" if self.has("counted") else "zz_answer"))
        if self.has("deferred"):
            out.append(DEFERRED_TRIGGER)
        return ";\n".join(out) + ";\n"

    def attach(self):
        n = self.n
        arguments = [quote(n["conversations"]), quote(n["messages"]), quote(n["members"])]
        if self.has("counters"):
            arguments.append("counters => " + quote(n["counters"]))
        if self.has("counted"):
            arguments.append("message_counted => " + quote(f"{n['deleted']} IS NULL"))
            arguments.append("member_counted => " + quote(f"{n['left']} IS NULL"))
        if self.has("enforce"):
            arguments.append("enforce_conversation => true")
        return f"SELECT count(*) FROM chatopt.attach({', '.join(arguments)});\n"

    def indexes(self):
        """Indexes on counters, which every write of a counter then has to keep right."""
        if not self.has("indexed"):
            return ""
        n, table = self.n, self.counter_table
        return (f"CREATE INDEX by_last ON {table} ({n['last_at']} DESC);\n"
                f"CREATE INDEX by_count ON {table} ({n['count']}) WHERE {n['present']} > 0;\n"
                f"CREATE INDEX by_number ON {table} (({n['last']} % 7));\n")

    def check_indexes(self):
        """Every version of a counter row that can be seen is in every index."""
        return ("SELECT indexrelid::regclass::text, bt_index_check(indexrelid, true) FROM pg_index "
                f"WHERE indrelid = {quote(self.name + '.' + self.counter_table)}::regclass")

    def prepare(self):
        """The check after each statement, and a send as a prepared statement."""
        n, c, m = self.n, self.conversation_type, self.message_type
        return f"""
PREPARE model_check ({c}[], {m}[]) AS
  {self.shown('WHERE c.' + n['id'] + ' = ANY ($1)', 'WHERE ' + n['id'] + ' = ANY ($2)')};
PREPARE model_send ({m}, {c}, {self.time_type}, text, timestamptz) AS
  INSERT INTO {n['messages']} ({n['id']}, {n['conv']}, {n['at']}, {n['content']}, {n['deleted']})
  VALUES ($1, $2, $3, $4, $5);
"""

    def shown(self, conversations="", messages=""):
        """Every fact the model knows, as rows of text."""
        n = self.n
        source = f"{n['conversations']} c"
        if self.has("counters"):
            source += f" LEFT JOIN {n['counters']} k ON k.{n['conv']} = c.{n['id']}"
        counters = ", ".join(f"{'k' if self.has('counters') else 'c'}.{n[name]}::text" for name in COUNTERS)
        return (f"SELECT 'c', c.{n['id']}::text, {counters}, c.{n['title']} FROM {source} {conversations} UNION ALL "
                f"SELECT 'm', {n['id']}::text, {n['conv']}::text, {n['seq']}::text, {n['at']}::text, {n['content']}, "
                f"({n['deleted']} IS NOT NULL)::text, {n['reply']}::text FROM {n['messages']} {messages}")

    def check(self, conversations, ids):
        keys = ",".join('"' + self.conversation_text(cid) + '"' for cid in conversations)
        return f"EXECUTE model_check ('{{{keys}}}', '{{{','.join(map(self.message_text, ids))}}}')"

    def verify(self):
        return f"SELECT * FROM chatopt.verify({quote(self.name + '.' + self.n['messages'])})"

    # ------------------------------------------------------------------ the model's rows in the database's words

    def conversation_row(self, model, cid):
        last_number, count, present, last = model.counters(cid)
        return ("c", self.conversation_text(cid), str(last_number), str(count), str(present),
                None if last is None else self.message_text(last.id),
                None if last is None or last.at is None else self.time_text(last.at), model.conversations[cid].title)

    def message_row(self, row):
        return ("m", self.message_text(row.id), None if row.conv is None else self.conversation_text(row.conv),
                None if row.seq is None else str(row.seq), None if row.at is None else self.time_text(row.at),
                row.content, "true" if row.deleted else "false",
                None if row.reply is None else self.message_text(row.reply))
