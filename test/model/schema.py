"""The schemas the model runs on: names, key types, foreign keys, partitions; and how a value is written in SQL."""

import functools

from reads import reads_key
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
    "reads",
    "reads+mentions+counted",
    "reads+mentions+partitioned+counted",
    "reads+mentions+quiet+counted+epoch",
    "reads+mentions+camel+counted+setnull",
    "reads+mentions+counters+counted+triggers",
    "reads+quiet+partitioned+counters+enforce",
    "reads+replies+deferred+indexed+counted",
    "reads+wide+counted",
    "reads+late+counted+partitioned",
    "reads+late+mentions+counted",
    "reads+mentions+notices+counted+enforce",
    "reads+mentions+notices+counters+triggers+replies",
    "reads+late+mentions+notices+counted",
    "reads+late+camel+counters+indexed",
    "any",
)
FEATURES = frozenset(word for variant in VARIANTS for word in variant.split("+")) - {"plain", "any"}
MONTHS = 4

SNAKE = {
    "conversations": "conversations", "messages": "messages", "members": "members", "counters": "chat_counters",
    "id": "id", "conv": "conversation_id", "seq": "sequence_number", "at": "created_at", "content": "content",
    "deleted": "deleted_at", "reply": "reply_to", "sender": "sender_id", "mentions": "mentions", "title": "title", "user": "user_id", "left": "left_at",
    "last": "last_sequence_number", "count": "message_count", "present": "member_count",
    "last_id": "last_message_id", "last_at": "last_message_at",
}
CAMEL = {
    "conversations": '"Conversation"', "messages": '"Message"', "members": '"Member"', "counters": '"ChatCounter"',
    "id": "id", "conv": '"conversationId"', "seq": '"sequenceNumber"', "at": '"createdAt"', "content": "content",
    "deleted": '"deletedAt"', "reply": '"replyTo"', "sender": '"senderId"', "mentions": '"mentionedIds"', "title": "title", "user": '"userId"', "left": '"leftAt"',
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
  INSERT INTO messages (id, conversation_id, created_at, content{sender})
  VALUES (NEW.id + 500000000, NEW.conversation_id, NEW.created_at, 'answer'{new_sender}) ON CONFLICT DO NOTHING;
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
# mentions in a table of their own, kept like the column
NOTICES = """
CREATE TABLE notices (message_id {message_type} NOT NULL{reference}, user_id {user_type} NOT NULL, PRIMARY KEY (message_id, user_id));
CREATE FUNCTION notice() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
  IF TG_OP <> 'INSERT' THEN DELETE FROM notices WHERE message_id = OLD.id; END IF;
  IF TG_OP = 'UPDATE' THEN DELETE FROM notices WHERE message_id = NEW.id; END IF;
  IF TG_OP <> 'DELETE' THEN INSERT INTO notices SELECT DISTINCT NEW.id, u FROM unnest(NEW.mentions) u; END IF;
  RETURN NULL; END $$;
CREATE TRIGGER notice AFTER INSERT OR DELETE OR UPDATE OF id, mentions ON messages FOR EACH ROW EXECUTE FUNCTION notice();
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
        self.user_type = "text" if self.has("camel") else "bigint" if self.has("epoch") else "int"
        self.read_tables = None     # what track_reads has made
        self.functions = frozenset()    # what the extension has in schema chatopt
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

    def user_text(self, user):
        return f"user {user}" if self.user_type == "text" else str(user)

    def user(self, user):
        return "NULL" if user is None else quote(self.user_text(user)) if self.user_type == "text" else str(user)

    def mentions(self, users):
        if users is None:
            return "NULL"
        return "'{" + ", ".join('"' + self.user_text(user) + '"' for user in users) + "}'"

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
        sender = f", {n['sender']} {self.user_type}" if self.has("reads") else ""
        if self.has("mentions"):
            sender += f", {n['mentions']} {self.user_type}[]"
        out = [
            f"CREATE TABLE {n['conversations']} ({n['id']} {c} PRIMARY KEY, {n['title']} text)",
            f"CREATE TABLE {n['messages']} ({n['id']} {m}, {n['conv']} {c} {self.reference(on_delete)}, "
            f"{n['at']} {self.time_type}, {n['content']} text, {n['deleted']} timestamptz{reply}{sender}, {key})"
            + (f" PARTITION BY RANGE ({n['at']})" if self.partitioned else ""),
            f"CREATE TABLE {n['members']} ({n['conv']} {c} {self.reference()}, {n['user']} {self.user_type}, "
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
        if self.has("notices"):
            # without a foreign key the rows may be there before their message
            reference = "" if self.has("late") else f" REFERENCES {n['messages']} ON DELETE CASCADE ON UPDATE CASCADE"
            out.append(NOTICES.format(message_type=m, user_type=self.user_type, reference=reference))
        if self.has("triggers"):
            # before our own flush, or after it
            words = {"sender": ", sender_id", "new_sender": ", NEW.sender_id"} if self.has("reads") else {
                "sender": "", "new_sender": ""}
            out.append(ANSWER_TRIGGERS.format(name="aa_answer" if self.has("counted") else "zz_answer", **words))
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
        sql = f"SELECT count(*) FROM chatopt.attach({', '.join(arguments)});\n"
        if self.has("reads") and (self.read_tables or not self.has("late")):
            sql += self.track() + ";\n"
        return sql

    def track(self):
        own = ", own_messages => 'count'" if self.has("quiet") else ""
        if self.has("mentions"):
            own += f", mentions => {quote('notices' if self.has('notices') else self.n['mentions'].strip(chr(34)))}"
        return f"SELECT count(*) FROM chatopt.track_reads({quote(self.n['messages'])}{own})"

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
        names = [n[name] for name in ("id", "conv", "at", "content", "deleted")]
        types = [m, c, self.time_type, "text", "timestamptz"]
        if self.has("reads"):
            names.append(n["sender"])
            types.append(self.user_type)
        if self.has("mentions"):
            names.append(n["mentions"])
            types.append(self.user_type + "[]")
        shown = self.shown(f"WHERE c.{n['id']} = ANY ($1)", f"WHERE {n['id']} = ANY ($2)", "WHERE {} = ANY ($1)")
        return f"""
PREPARE model_check ({c}[], {m}[]) AS
  {shown};
PREPARE model_send ({', '.join(types)}) AS
  INSERT INTO {n['messages']} ({', '.join(names)})
  VALUES ({', '.join(f'${i + 1}' for i in range(len(names)))});
"""

    def shown(self, conversations="", messages="", of_reads=""):
        """Every fact the model knows, as rows of text."""
        n = self.n
        source = f"{n['conversations']} c"
        if self.has("counters"):
            source += f" LEFT JOIN {n['counters']} k ON k.{n['conv']} = c.{n['id']}"
        counters = ", ".join(f"{'k' if self.has('counters') else 'c'}.{n[name]}::text" for name in COUNTERS)
        content = f"{n['content']} || coalesce(' from ' || {n['sender']}, '')" if self.has("reads") else n["content"]
        if self.has("mentions"):
            content += f" || coalesce(' to ' || array_to_string({n['mentions']}, ', '), '')"
        return (f"SELECT 'c', c.{n['id']}::text, {counters}, c.{n['title']} FROM {source} {conversations} UNION ALL "
                f"SELECT 'm', {n['id']}::text, {n['conv']}::text, {n['seq']}::text, {n['at']}::text, {content}, "
                f"({n['deleted']} IS NOT NULL)::text, {n['reply']}::text FROM {n['messages']} {messages}"
                + (self.shown_reads(of_reads) if self.read_tables else ""))

    # ------------------------------------------------------------------ reads

    def read_tables_query(self):
        return ("SELECT read_state::text, read_heads::text, skipped_numbers::text, read_marks::text FROM chatopt.reads "
                f"WHERE messages = {quote(self.name + '.' + self.n['messages'])}::regclass")

    def shown_reads(self, where):
        """Positions, unread marks, and what is unread for whoever is in the table of members."""
        n, (state, _, _, marks) = self.n, self.read_tables
        of_member = f"({quote(n['messages'])}, {n['conv']}, {n['user']})"
        mentions = f"chatopt.mention_count{of_member}" if self.has("mentions") else "NULL"
        by_key = where.format("conversation_id")
        return (" UNION ALL SELECT 'r', conversation_id::text, member_id::text, joined_seq::text, left_seq::text, "
                f"delivered_seq::text, read_seq::text, slot::text FROM {state} {by_key} UNION ALL "
                "SELECT 'u', conversation_id::text, member_id::text, unread_seq::text, NULL, NULL, NULL, NULL "
                f"FROM {marks} {by_key}{' AND' if by_key else ' WHERE'} chunk = -1 UNION ALL "
                f"SELECT 'n', {n['conv']}::text, {n['user']}::text, (chatopt.unread_count{of_member})::text, ({mentions})::text, "
                f"NULL, NULL, NULL "
                f"FROM {n['members']} {where.format(n['conv'])}")

    def heads_query(self):
        return f"SELECT conversation_id::text, next_slot, members, filled_upto FROM {self.read_tables[1]}"

    def skipped_query(self):
        return ("SELECT conversation_id::text, level, chunk, removed::int[], uncounted::int[], counts "
                f"FROM {self.read_tables[2]}")

    def unread_counts_query(self, user):
        return (f"SELECT 'b', conversation, {quote(self.user_text(user))}, unread::text, last_read::text, "
                f"last_sequence::text, mentions::text FROM chatopt.unread_counts({quote(self.n['messages'])}, "
                f"{self.user(user)}::{self.user_type})")

    def unread_mentions_query(self, cid, user):
        return (f"SELECT chatopt.unread_mentions({quote(self.n['messages'])}, {self.conversation(cid)}, "
                f"{quote(self.user_text(user))})")

    def receipts_query(self, cid, first, last):
        """A row a number: slots of all and of present members, counts, and members who have seen it."""
        call = f"({quote(self.n['messages'])}, {self.conversation(cid)}"
        sets = ("CASE WHEN {0} IS NOT NULL THEN jsonb_build_array(to_jsonb(recipients({0})::int[]), "
                "to_jsonb(delivered({0})::int[]), to_jsonb(seen({0})::int[])) END")
        return (f"SELECT n, {sets.format('r')}, {sets.format('p')}, "
                f"(SELECT jsonb_build_array(c.recipients, c.delivered, c.seen) FROM chatopt.receipt_counts{call}, n, n) c), "
                f"(SELECT coalesce(jsonb_agg(s.member ORDER BY s.member COLLATE \"C\"), '[]') FROM chatopt.seen_by{call}, n) s) "
                f"FROM generate_series({first}::bigint, {last}) n, chatopt.receipts{call}, n) r, "
                f"chatopt.receipts{call}, n, present_only => true) p")

    def mark(self, a):
        """A call of mark_read and its like: keys typed or not, as a driver sends them."""
        return f"SELECT chatopt.mark_{a['what']}({self.marked(a)}, {'NULL' if a['upto'] is None else a['upto']})"

    def marked(self, a):
        conversation, member = self.conversation(a["conv"]), self.user(a["user"])
        if a["typed"] & 1 or not conversation.startswith("'"):
            conversation += "::" + self.conversation_type
        if a["typed"] & 2:
            member += "::" + self.user_type
        elif not member.startswith("'"):
            member = quote(member)
        return f"{quote(self.n['messages'])}, {conversation}, {member}"

    def ack(self, a):
        return f"SELECT chatopt.ack_message({self.marked(a)}, {a['seq']}, '{a['status']}')"

    def apply(self, a):
        """A call of apply_receipts with arrays of the keys' types, or of text."""
        columns = list(zip(*a["entries"]))
        conversations = ", ".join(map(self.conversation, columns[0]))
        members = ", ".join(map(self.user, columns[1]))
        numbers = ", ".join("NULL" if upto is None else str(upto) for upto in columns[2])
        words = ", ".join(f"'{status}'" for status in columns[3])
        return (f"SELECT chatopt.apply_receipts({quote(self.n['messages'])}, ARRAY[{conversations}]::{self.conversation_type}[], "
                f"ARRAY[{members}]::{self.user_type}[], ARRAY[{numbers}]::bigint[], ARRAY[{words}])")

    @functools.lru_cache(maxsize=None)
    def keys_of_texts(self):
        """Conversations and members by the texts in which the database shows them."""
        return {self.conversation_text(cid): cid for cid in range(1, 1000)}

    def member_key(self, row):
        return self.keys_of_texts()[row[1]], int(row[2].replace("user ", ""))

    def is_visible(self, model, row, viewer):
        """Whether a row about a conversation or a member is the viewer's to see as the model has it."""
        cid = self.keys_of_texts()[row[1]]
        if row[0] == "c":
            return model.visible(-cid, viewer)
        if not model.visible(reads_key(*self.member_key(row)), viewer):
            return False
        return row[0] in "ru" or model.visible(-cid, viewer)

    def read_rows(self, model, cid, viewer):
        """Positions, marks and unread counts of a conversation as the model has them."""
        rows, place = [], self.conversation_text(cid)
        for user in model.reads_of.get(cid, ()):
            state, member = model.reads[(cid, user)], self.user_text(user)
            for joined, left, delivered, read in state.intervals:
                rows.append(("r", place, member, str(joined), None if left is None else str(left), str(delivered),
                             str(read), None if state.slot is None else str(state.slot)))
            if state.unread is not None:
                rows.append(("u", place, member, str(state.unread), None, None, None, None))
        for user in model.members_of[cid]:
            unread, mentions = model.unread(cid, user), self.mention_count(model, cid, user)
            rows.append(("n", place, self.user_text(user), None if unread is None else str(unread), mentions, None, None, None))
        return [row for row in rows if self.is_visible(model, row, viewer)]

    def mention_count(self, model, cid, user):
        """As the database shows it."""
        mentions = model.unread_mentions(cid, user) if self.has("mentions") else None
        return None if mentions is None else str(len(mentions))

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
                self.content_text(row), "true" if row.deleted else "false",
                None if row.reply is None else self.message_text(row.reply))

    def content_text(self, row):
        text = row.content if row.sender is None else f"{row.content} from {self.user_text(row.sender)}"
        return text if row.mentions is None else text + " to " + ", ".join(map(self.user_text, row.mentions))
