"""A slow stand-in for the extension, in PL/pgSQL: recounts a conversation after every row.

It exists to test the model test itself: with it no difference may be found, and each of its FAULTS must be.
"""

from schema import COUNTERS

FAULTS = {
    "burn": ("SELECT c.{last} + 1 INTO n FROM {counter_table} c WHERE c.{counter_key} = NEW.{conv} FOR NO KEY UPDATE;",
             "UPDATE {counter_table} c SET {last} = c.{last} + 1 WHERE c.{counter_key} = NEW.{conv} "
             "RETURNING c.{last} INTO n;"),
    "stale save": ("  NEW.{last} := OLD.{last};", ""),
    "moved member": ("CREATE TRIGGER member_update AFTER UPDATE ON {members} "
                     "FOR EACH ROW EXECUTE FUNCTION member_changed();", ""),
    "truncate": ("  PERFORM recount({counter_key}, 0) FROM {counter_table};", ""),
}

TEXT = """
ALTER TABLE {messages} ADD {seq} bigint;
ALTER TABLE {counter_table} ADD {last} bigint NOT NULL DEFAULT 0, ADD {count} bigint NOT NULL DEFAULT 0,
  ADD {present} bigint NOT NULL DEFAULT 0, ADD {last_id} {message_type}, ADD {last_at} {time_type};

CREATE FUNCTION given(conversation text, number bigint) RETURNS void LANGUAGE sql AS $$
  SELECT set_config('reference.given', coalesce(current_setting('reference.given', true), '')
    || coalesce('<' || conversation || ':' || number || '>', ''), true) $$;
CREATE FUNCTION was_given(conversation text, number bigint) RETURNS boolean LANGUAGE sql AS $$
  SELECT coalesce(position('<' || conversation || ':' || number || '>'
    IN current_setting('reference.given', true)) > 0, false) $$;

CREATE FUNCTION recount(conversation {conversation_type}, number bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('reference.own', 'on', true);
  UPDATE {counter_table} c SET {last} = greatest(c.{last}, number),
    {count} = (SELECT count(*) FROM {messages} m WHERE m.{conv} = conversation AND {counted}),
    {present} = (SELECT count(*) FROM {members} b WHERE b.{conv} = conversation AND {is_present}),
    ({last_id}, {last_at}) = (SELECT m.{id}, m.{at} FROM {messages} m WHERE m.{conv} = conversation AND {counted}
      ORDER BY m.{seq} DESC LIMIT 1)
  WHERE c.{counter_key} = conversation;
  PERFORM set_config('reference.own', 'off', true);
END $$;

CREATE FUNCTION landed(old_conversation {conversation_type}, conversation {conversation_type}, number bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF old_conversation IS NOT NULL AND old_conversation IS DISTINCT FROM conversation THEN
    PERFORM recount(old_conversation, 0);
  END IF;
  IF conversation IS NOT NULL THEN PERFORM recount(conversation, number); END IF;
  RETURN false;
END $$;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;

CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN PERFORM given(OLD.{conv}::text, OLD.{seq}); RETURN OLD; END IF;
  IF NEW.{conv} IS NULL THEN NEW.{seq} := NULL; RETURN NEW; END IF;
  IF TG_OP = 'UPDATE' THEN
    IF NEW.{conv} IS NOT DISTINCT FROM OLD.{conv} THEN
      IF NEW.{seq} IS DISTINCT FROM OLD.{seq} THEN
        IF NOT was_given(NEW.{conv}::text, NEW.{seq}) THEN RAISE SQLSTATE '428C9'; END IF;
        NEW.{seq} := OLD.{seq};
      END IF;
      RETURN NEW;
    END IF;
    IF OLD.{conv} IS NOT NULL AND NOT EXISTS (SELECT FROM {conversations} WHERE {id} = OLD.{conv}) THEN
      PERFORM given(NEW.{conv}::text, NEW.{seq});
      RETURN NEW;
    END IF;
  ELSIF NEW.{seq} IS NOT NULL THEN
    IF was_given(NEW.{conv}::text, NEW.{seq}) THEN RETURN NEW; END IF;
    IF current_setting('chatopt.explicit_sequence', true) IS DISTINCT FROM 'on' THEN RAISE SQLSTATE '428C9'; END IF;
  END IF;
  SELECT c.{last} + 1 INTO n FROM {counter_table} c WHERE c.{counter_key} = NEW.{conv} FOR NO KEY UPDATE;
  IF n IS NULL THEN RAISE foreign_key_violation; END IF;
  IF TG_OP = 'INSERT' AND NEW.{seq} IS NOT NULL THEN
    IF EXISTS (SELECT FROM {messages} WHERE {conv} = NEW.{conv} AND {seq} = NEW.{seq}) THEN
      RAISE unique_violation;
    END IF;
    RETURN NEW;
  END IF;
  NEW.{seq} := n;
  PERFORM given(NEW.{conv}::text, n);
  RETURN NEW;
END $$;
CREATE TRIGGER zzz_number BEFORE INSERT OR DELETE OR UPDATE OF {conv}, {seq} ON {messages}
  FOR EACH ROW EXECUTE FUNCTION number();
CREATE TRIGGER aaa_insert AFTER INSERT ON {messages} FOR EACH ROW
  WHEN (landed(NULL, NEW.{conv}, NEW.{seq})) EXECUTE FUNCTION nothing();
CREATE TRIGGER aaa_update AFTER UPDATE ON {messages} FOR EACH ROW
  WHEN (landed(OLD.{conv}, NEW.{conv}, NEW.{seq})) EXECUTE FUNCTION nothing();
CREATE TRIGGER aaa_delete AFTER DELETE ON {messages} FOR EACH ROW
  WHEN (landed(OLD.{conv}, NULL, NULL)) EXECUTE FUNCTION nothing();

CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('reference.own', true) = 'on' THEN RETURN NEW; END IF;
  IF TG_OP = 'INSERT' THEN
    NEW.{last} := 0; NEW.{count} := 0; NEW.{present} := 0; NEW.{last_id} := NULL; NEW.{last_at} := NULL;
    RETURN NEW;
  END IF;
  NEW.{last} := OLD.{last};
  NEW.{count} := OLD.{count}; NEW.{present} := OLD.{present};
  NEW.{last_id} := OLD.{last_id}; NEW.{last_at} := OLD.{last_at};
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON {counter_table} FOR EACH ROW EXECUTE FUNCTION guard();

CREATE FUNCTION member_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN PERFORM recount(OLD.{conv}, 0); END IF;
  IF TG_OP <> 'DELETE' THEN PERFORM recount(NEW.{conv}, 0); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER member_insert AFTER INSERT OR DELETE ON {members} FOR EACH ROW EXECUTE FUNCTION member_changed();
CREATE TRIGGER member_update AFTER UPDATE ON {members} FOR EACH ROW EXECUTE FUNCTION member_changed();

CREATE FUNCTION recount_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM recount({counter_key}, 0) FROM {counter_table};
  RETURN NULL;
END $$;
CREATE TRIGGER truncated AFTER TRUNCATE ON {messages} FOR EACH STATEMENT EXECUTE FUNCTION recount_all();
CREATE TRIGGER truncated AFTER TRUNCATE ON {members} FOR EACH STATEMENT EXECUTE FUNCTION recount_all();
SELECT pg_advisory_xact_lock(1);
CREATE SCHEMA IF NOT EXISTS chatopt;
CREATE OR REPLACE FUNCTION chatopt.lock_conversations(messages regclass, VARIADIC conversations anycompatiblearray)
RETURNS void LANGUAGE sql AS '';
"""

COUNTER_ROWS = """
CREATE FUNCTION counter_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN DELETE FROM {counter_table} WHERE {counter_key} = OLD.{id};
  ELSE INSERT INTO {counter_table} VALUES (NEW.{id}) ON CONFLICT DO NOTHING; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER counter_row AFTER INSERT OR DELETE ON {conversations} FOR EACH ROW EXECUTE FUNCTION counter_row();
"""


def attach(schema, fault=None):
    """The statements that take chatopt.attach's place."""
    text = TEXT + (COUNTER_ROWS if schema.has("counters") else "")
    if schema.partitioned:
        for leaf in range(1, 5):
            text += (f"CREATE TRIGGER truncated AFTER TRUNCATE ON messages_{leaf} "
                     "FOR EACH STATEMENT EXECUTE FUNCTION recount_all();\n")
    if fault is not None:
        before, after = FAULTS[fault]
        if before not in text:
            raise SystemExit(f"the fault {fault} has nothing to replace")
        text = text.replace(before, after)
    counted = "m.{deleted} IS NULL" if schema.has("counted") else "true"
    is_present = "b.{left} IS NULL" if schema.has("counted") else "true"
    words = dict(schema.n, counter_table=schema.counter_table, counter_key=schema.counter_key,
                 conversation_type=schema.conversation_type, message_type=schema.message_type,
                 time_type=schema.time_type)
    words.update(counted=counted.format(**words), is_present=is_present.format(**words))
    assert all(name in words for name in COUNTERS)
    return text.format(**words)
