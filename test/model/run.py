"""Runs operations on the database and compares what it shows with the model."""

import collections
import os
import time

import psycopg2

from model import SHUT, Blocked, Op
from reads import is_open, reads_key
from render import Renderer
from schema import Schema
from skips import skipped_problem
from statements import Statements

INDIVIDUAL = 50         # members of a conversation up to which receipts tell who
LOCK_TIMEOUT = "3s"     # the model never runs a statement that has to wait

# what ended is checked by the observer afterwards
UNCHECKED = ("begin", "savepoint", "release", "prepare", "commit", "rollback", "commit_prepared", "rollback_prepared")

# these give a value
VALUED = ("mark", "ack", "apply")

# after these everything is compared
SWEEPING = ("truncate", "truncate_members", "truncate_all", "upkeep", "switch", "track")


class Difference(Exception):
    """The database did something else than the model says."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def connect():
    for attempt in range(60):
        try:
            connection = psycopg2.connect("dbname=" + os.environ.get("PGDATABASE", "postgres"))
            connection.autocommit = True
            return connection
        except psycopg2.OperationalError:
            if attempt == 59:
                raise
            time.sleep(0.5)
    return None


class Database:
    """One schema of a variant, with its sessions and an observer that only reads what is committed."""

    def __init__(self, schema, sessions=3, reference=None, pool=None):
        self.schema, self.renderer = schema, Renderer(schema)
        self.pool = pool if pool is not None else []
        while len(self.pool) < sessions + 1:
            self.pool.append(connect())
        self.cursors = [connection.cursor() for connection in self.pool[:sessions + 1]]
        self.observer = self.cursors[-1]
        self.reference = reference
        self.observer.execute(f"DROP SCHEMA IF EXISTS {schema.name} CASCADE; CREATE SCHEMA {schema.name}")
        for cursor in self.cursors:
            self.set_up(cursor)
        self.observer.execute(schema.ddl())
        self.observer.execute((schema.attach() if reference is None else reference(schema)) + schema.indexes())
        self.look_at_reads()
        for cursor in self.cursors:
            cursor.execute(schema.prepare())

    def look_at_reads(self):
        """Which tables track_reads has made, and what the extension can."""
        schema, observer = self.schema, self.observer
        if self.reference is None:
            observer.execute(schema.read_tables_query())
            schema.read_tables = observer.fetchone()
            observer.execute("SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'chatopt'::regnamespace")
            schema.functions = {row[0] for row in observer.fetchall()}

    def tracked(self):
        """Reads are tracked from now on: the sessions look at them too."""
        self.look_at_reads()
        for cursor in self.cursors:
            cursor.execute("DEALLOCATE ALL; " + self.schema.prepare())

    def set_up(self, cursor):
        cursor.execute(f"DEALLOCATE ALL; SET search_path = {self.schema.name}, public; SET TimeZone = 'UTC'; "
                       f"SET lock_timeout = '{LOCK_TIMEOUT}'; SET client_min_messages = warning")

    def reconnect(self, session):
        """The session's connection goes away in the middle; its backend has ended when this returns."""
        pid = self.pool[session].info.backend_pid
        self.pool[session].close()
        self.observer.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,))
        while self.observer.fetchone() is not None:
            time.sleep(0.001)
            self.observer.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,))
        self.pool[session] = connect()
        self.cursors[session] = self.pool[session].cursor()
        self.set_up(self.cursors[session])
        self.cursors[session].execute(self.schema.prepare())

    def close(self):
        """Drop the schema; the connections go back to the pool."""
        for connection, cursor in zip(self.pool, self.cursors):
            if connection.info.transaction_status != 0:
                cursor.execute("ROLLBACK")
        forget_prepared(self.observer, self.schema.name)
        if self.reference is None:
            cascade = ", cascade => true" if self.schema.has("reads") else ""
            self.observer.execute(f"SELECT count(*) FROM chatopt.detach('{self.schema.n['messages']}'{cascade})")
        self.observer.execute(f"DROP SCHEMA {self.schema.name} CASCADE")


def forget_prepared(cursor, name):
    cursor.execute("SELECT gid FROM pg_prepared_xacts WHERE gid LIKE %s", (name + " %",))
    for (gid,) in cursor.fetchall():
        cursor.execute("ROLLBACK PREPARED %s", (gid,))


def drop_after_failure(pool, name):
    """After a failure nothing of the connections is reused, and the schema goes without a detach."""
    drop_pool(pool)
    try:
        connection = connect()
        cursor = connection.cursor()
        forget_prepared(cursor, name)
        cursor.execute("SET lock_timeout = '10s'; SET client_min_messages = warning; "
                       f"DROP SCHEMA IF EXISTS {name} CASCADE")
        connection.close()
    except psycopg2.Error:
        pass


def drop_pool(pool):
    for connection in pool:
        try:
            connection.close()
        except psycopg2.Error:
            pass
    pool.clear()


class Runner:
    """The model and the database side by side."""

    def __init__(self, schema, reference=None, pool=None, full_check_every=40, without=()):
        self.schema = schema
        self.model = Statements(schema.features, without=without)
        self.database = Database(schema, reference=reference, pool=pool)
        self.model.absorbs = "ack_message" in schema.functions
        self.full_check_every = full_check_every
        self.ended = self.statements = 0
        self.kinds = collections.Counter()

    def run(self, op):
        """One operation on both.  Raises Blocked from the model, or Difference."""
        transaction = self.model.sessions[op.session]
        if op.kind == "commit" and transaction is not None and transaction.level == "serializable":
            return self.commit_serializable(op, transaction)
        in_transaction = transaction is not None
        result = self.model.apply(op)
        self.statements += 1
        form = " " + op.a["form"] if "form" in op.a else ""
        self.kinds[op.kind + form + (" refused" if result.codes is not None else "")] += 1
        cursor = self.database.cursors[op.session]
        if result.codes is not None:
            self.expect_failure(cursor, op, result)
            return result
        try:
            rows = self.send(cursor, op, result, in_transaction)
        except psycopg2.Error as error:
            if result.may_serialize and error.pgcode == "40001":
                self.model.serialization_failure(op)
                return result
            raise self.unexpected(error) from error
        if rows is not None:
            self.compare(rows, result, op.kind)
        if result.ended or (op.kind in SWEEPING and not in_transaction):
            self.after_transaction(op, result)
        return result

    def send(self, cursor, op, result, in_transaction):
        """The statement, and in the same round trip, when in a transaction, what the session now sees."""
        if op.kind == "reconnect":
            self.database.reconnect(op.session)
            return None
        renderer = self.database.renderer
        nothing_to_check = not (result.conversations or result.ids) or op.kind in UNCHECKED
        if op.kind == "insert" and op.a["form"] == "copy":
            cursor.copy_expert(renderer.copy_command(op.a), renderer.copy_data(op.a))
        else:
            sql = renderer.sql(op)
            if op.kind in ("switch", "track"):
                for statement in sql.split(";;\n"):
                    cursor.execute(statement)
                if op.kind == "track":
                    self.database.tracked()
                return None
            if in_transaction and not nothing_to_check and op.kind not in VALUED:
                cursor.execute(sql + "; " + self.schema.check(result.conversations, result.ids))
                return cursor.fetchall()
            cursor.execute(sql)
            if op.kind in VALUED:
                self.same_value(cursor.fetchone()[0], result.value, renderer.sql(op))
        if nothing_to_check:
            return None
        reader = cursor if in_transaction else self.database.observer
        reader.execute(self.schema.check(result.conversations, result.ids))
        return reader.fetchall()

    def commit_serializable(self, op, transaction):
        self.statements += 1
        try:
            self.database.cursors[op.session].execute("COMMIT")
        except psycopg2.Error as error:
            if error.pgcode != "40001" or transaction.aborted:
                raise self.unexpected(error) from error
            result = self.model.control_rollback(op)
        else:
            result = self.model.apply(op)
        self.after_transaction(op, result)
        return result

    @staticmethod
    def unexpected(error):
        if error.pgcode is None or error.pgcode.startswith("57P"):
            return Difference("crash", f"connection lost: {error}")
        return Difference("error " + error.pgcode, f"unexpected error {error.pgcode}: {str(error).strip()}")

    def expect_failure(self, cursor, op, result):
        renderer = self.database.renderer
        try:
            if op.kind == "insert" and op.a["form"] == "copy":
                cursor.copy_expert(renderer.copy_command(op.a), renderer.copy_data(op.a))
            else:
                cursor.execute(renderer.sql(op))
        except psycopg2.Error as error:
            if error.pgcode in result.codes or (result.may_serialize and error.pgcode == "40001"):
                return
            raise Difference(f"error {error.pgcode}", f"expected {' or '.join(sorted(result.codes))}, "
                             f"got {error.pgcode}: {str(error).strip()}") from error
        raise Difference("accepted", f"expected {' or '.join(sorted(result.codes))}, but the statement succeeded")

    def after_transaction(self, op, result):
        """A transaction has ended: what it held, as committed; now and then everything, and verify."""
        if result.conversations or result.ids:
            self.database.observer.execute(self.schema.check(result.conversations, result.ids))
            self.compare(self.database.observer.fetchall(), result, "committed, after " + op.kind)
        self.ended += 1
        if self.ended % self.full_check_every == 0 or op.kind in SWEEPING:
            self.check_everything()

    # ------------------------------------------------------------------ comparing

    def compare(self, rows, result, when):
        model, schema = self.model, self.schema
        if result.groups or result.holes:
            self.adopt(rows, result)
        expected = []
        for mid in result.ids:
            expected.extend(schema.message_row(model.messages[key]) for key in model.by_id[mid])
        if model.tracked:
            self.learn_slots(rows)
            rows = self.without_hidden(rows, result.viewer)
            expected += [row for cid in result.conversations for row in schema.read_rows(model, cid, result.viewer)]
        expected += [schema.conversation_row(model, cid) for cid in result.conversations if cid in model.conversations
                     and (not model.tracked or model.visible(-cid, result.viewer))]
        self.same(rows, expected, when)

    @staticmethod
    def same_value(value, expected, when):
        if value != expected:
            raise Difference("difference", f"{when} gives {value}, expected {expected}")

    def without_hidden(self, rows, viewer):
        """The rows about reads and conversations that no other transaction holds or has changed meanwhile."""
        return [row for row in rows if row[0] == "m" or self.schema.is_visible(self.model, row, viewer)]

    def learn_slots(self, rows):
        """A member's slot is the database's to choose, once."""
        for row in rows:
            if row[0] == "r":
                key = self.schema.member_key(row)
                state = self.model.reads.get(key)
                if state is not None and state.slot is None:
                    self.model.reads[key] = state._replace(slot=int(row[7]))

    def same(self, rows, expected, when):
        if len(rows) == len(expected) and set(rows) == set(expected):
            return
        lines = [f"after {when}:"]
        lines += [f"  database has {row}" for row in sorted(set(rows) - set(expected), key=str)]
        lines += [f"  expected     {row}" for row in sorted(set(expected) - set(rows), key=str)]
        raise Difference("difference", "\n".join(lines))

    def adopt(self, rows, result):
        numbers = {(row[1], row[4]): row[3] for row in rows if row[0] == "m"}

        def number_of(key):
            shown = self.schema.message_row(self.model.messages[key])
            number = numbers.get((shown[1], shown[4]))
            return None if number is None else int(number)

        self.model.close_holes(result.holes, number_of)
        problem = self.model.adopt(result.groups, number_of)
        if problem:
            raise Difference("difference", problem)

    def check_everything(self):
        """Every row that no open transaction holds, and chatopt.verify."""
        model, schema, observer = self.model, self.schema, self.database.observer
        if SHUT in model.owner:
            return
        observer.execute(schema.shown())
        rows = observer.fetchall()
        held = set()
        for key in model.owner:
            held.add(("c", schema.conversation_text(-key)) if key < 0 else ("m", schema.message_text(key)))
        expected = [schema.conversation_row(model, cid) for cid in model.conversations if -cid not in model.owner]
        expected += [schema.message_row(row) for row in model.messages.values() if row.id not in model.owner
                     and (row.conv is None or -row.conv not in model.owner)]
        shown = [row for row in rows if row[:2] not in held and not (row[0] == "m" and ("c", row[2]) in held)]
        if model.tracked:
            self.learn_slots(shown)
            shown = self.without_hidden(shown, None)
            for cid in model.conversations:
                expected += schema.read_rows(model, cid, None)
            self.check_reads()
        self.same(shown, expected, "comparing everything")
        if self.database.reference is None:
            observer.execute(schema.verify())
            problems = observer.fetchall()
            if problems:
                raise Difference("verify", "verify says:\n" + "\n".join(f"  {row}" for row in problems))

        if schema.has("indexed"):
            observer.execute(schema.check_indexes())

    def check_reads(self):
        """What is kept beside the positions: heads, skipped numbers; and what is asked over all conversations."""
        model, schema, observer = self.model, self.schema, self.database.observer
        free = [cid for cid in model.conversations if model.visible(-cid, None)]
        for cid in free:
            slots = [model.reads[(cid, user)].slot for user in model.reads_of.get(cid, ())]
            if None not in slots and len(set(slots)) < len(slots):
                raise Difference("difference", f"two members of {schema.conversation_text(cid)} have one slot: {slots}")
        observer.execute(schema.heads_query())
        heads = {row[0]: row[1:] for row in observer.fetchall()}
        for cid in free:
            self.same_head(cid, heads.get(schema.conversation_text(cid)))
        observer.execute(schema.skipped_query())
        stored = {}
        for conversation, level, chunk, removed, uncounted, counts in observer.fetchall():
            stored.setdefault(conversation, {})[(level, chunk)] = (removed, uncounted, counts)
        for cid in free:
            problem = skipped_problem(stored.get(schema.conversation_text(cid), {}), model.skipped(cid),
                                      model.conversations[cid].last)
            if problem:
                raise Difference("difference", f"skipped numbers of {schema.conversation_text(cid)}: {problem}")
        if "receipts" in schema.functions and free:
            for cid in free if self.full_check_every == 1 else [free[self.ended % len(free)]]:
                self.check_receipts(cid)
        users = sorted({user for _, user in model.reads})
        for user in users[:12]:
            self.check_unread_counts(user)
            if schema.has("mentions") and free:
                self.check_mentions(free[self.ended % len(free)], user)

    def check_mentions(self, cid, user):
        model, schema, observer = self.model, self.schema, self.database.observer
        if not model.visible(reads_key(cid, user), None):
            return
        observer.execute(schema.unread_mentions_query(cid, user))
        found, expected = [row[0] for row in observer.fetchall()], model.unread_mentions(cid, user) or []
        if found != expected:
            raise Difference("difference", f"unread mentions of {user} in {schema.conversation_text(cid)} are {found}, expected {expected}")

    def check_receipts(self, cid):
        """Receipts of the newest messages, as sets, as counts and as who has seen them, and of numbers there are not."""
        model, schema, observer = self.model, self.schema, self.database.observer
        states = {user: model.reads[(cid, user)] for user in model.reads_of.get(cid, ())}
        if not all(model.visible(reads_key(cid, user), None) for user in states):
            return
        last, few = model.conversations[cid].last, sum(map(is_open, states.values())) <= INDIVIDUAL
        first = max(last - 30, -1)
        observer.execute(schema.receipts_query(cid, first, last + 2))
        for number, *found in observer.fetchall():
            truth, present = model.receipts(cid, number), model.receipts(cid, number, present_only=True)
            slots = [None if truth is None or not few else [sorted(states[user].slot for user in users) for users in sets or ()]
                     for sets in (truth, present)]
            counts = None if number < 1 or number > last else [None] * 3 if truth is None else [len(users) for users in truth]
            seen = sorted(map(schema.user_text, truth[2])) if truth is not None and few else []
            if found != [slots[0], slots[1], counts, seen]:
                raise Difference("difference", f"receipts of {schema.conversation_text(cid)} number {number} are {found}, "
                                 f"expected {[slots[0], slots[1], counts, seen]}")

    def same_head(self, cid, head):
        members = sum(1 for user in self.model.reads_of.get(cid, ()) if is_open(self.model.reads[(cid, user)]))
        slots = [self.model.reads[(cid, user)].slot for user in self.model.reads_of.get(cid, ())]
        if head is None and not slots and self.model.conversations[cid].last == 0:
            return
        if head is None or head[1] != members or head[2] is not None or any(s is not None and s >= head[0] for s in slots):
            raise Difference("difference", f"head of {self.schema.conversation_text(cid)} is {head} "
                             f"with {members} members and slots {slots}")

    def check_unread_counts(self, user):
        model, schema, observer = self.model, self.schema, self.database.observer
        observer.execute(schema.unread_counts_query(user))
        expected = []
        for cid in model.conversations:
            state = model.reads.get((cid, user))
            if state is not None and is_open(state):
                read = state.intervals[-1].read if state.unread is None else state.unread
                expected.append(("b", schema.conversation_text(cid), schema.user_text(user),
                                 str(model.unread(cid, user)), str(read), str(model.conversations[cid].last),
                                 schema.mention_count(model, cid, user)))
        expected = [row for row in expected if schema.is_visible(model, row, None)]
        self.same([row for row in observer.fetchall() if schema.is_visible(model, row, None)], expected,
                  f"unread_counts of {user}")

    def end(self):
        """End every transaction, then compare everything."""
        for session, transaction in enumerate(self.model.sessions):
            if transaction is not None:
                self.run(Op(session, "commit"))
        for gid in sorted(self.model.prepared):
            self.run(Op(0, "commit_prepared", gid=gid))
        self.check_everything()


def replay(variant, name, ops, reference=None, full_check_every=1):
    """Run a recorded list in a fresh schema; the first difference, or None.  What would block is left out."""
    pool, done = [], []
    try:
        runner = Runner(Schema(variant, name), reference, pool, full_check_every)
        for op in ops:
            try:
                runner.run(op)
                done.append(op)
            except Blocked:
                continue
            except Difference as difference:
                return difference, done + [op]
        try:
            runner.end()
        except Difference as difference:
            return difference, done
        return None, done
    except psycopg2.Error as error:
        return Runner.unexpected(error), done
    finally:
        drop_after_failure(pool, name)
