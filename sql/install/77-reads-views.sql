-- 77-reads-views.sql: how often messages were viewed, for channels too large for receipts.

CREATE FUNCTION chatopt.save_views(messages regclass, views regclass)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_save_views';
COMMENT ON FUNCTION chatopt.save_views(regclass, regclass) IS
  'writes into the configuration which table counts the views of a chat''s messages, NULL for none; for chatopt.track_reads, and for the '
  'statements its dry run prints. The caller must own both tables (42501)';

--| Counts that messages of a conversation were viewed: those from one number to another, each by as many views. Nobody waits for anybody: who
--| views is not noted, and a message's views are spread over rows. Numbers that are no message's yet are passed over, as are unknown
--| conversations. Needs INSERT and UPDATE on the table of views, which chatopt.track_reads makes with views => true.
--@ cost: a look-up and a row version a message
--@ locks: a row of views a message, and which rows of the conversation the session makes, until the transaction ends
--@ errors: 22004 22023 22P02 42501 54000 55000 55P03
CREATE FUNCTION chatopt.add_views(messages regclass, conversation anyelement, from_seq bigint, to_seq bigint, by int DEFAULT 1)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_add_views';
COMMENT ON FUNCTION chatopt.add_views(regclass, anyelement, bigint, bigint, int) IS
  'counts views of messages, from one number to another, at most 1,000; never waits. Needs INSERT and UPDATE on the table of views. Errors: 22023 by '
  'less than 1, 54000 too many messages, 55000 views are not counted, 55P03 too many open transactions view one message';

CREATE FUNCTION chatopt.add_views(messages regclass, conversation text, from_seq bigint, to_seq bigint, by int DEFAULT 1)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_add_views';
COMMENT ON FUNCTION chatopt.add_views(regclass, text, bigint, bigint, int) IS
  'counts views of messages, from one number to another, at most 1,000; never waits. Needs INSERT and UPDATE on the table of views. Errors: 22023 by '
  'less than 1, 54000 too many messages, 55000 views are not counted, 55P03 too many open transactions view one message';

--| How often a message was viewed; 0 where it never was, or is none. NULL where an argument is NULL.
--@ cost: a row for each session that views at the same time, 64 at most
--@ errors: 22004 22P02 42501 55000
CREATE FUNCTION chatopt.view_count(messages regclass, conversation anyelement, seq bigint)
  RETURNS bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_view_count';
COMMENT ON FUNCTION chatopt.view_count(regclass, anyelement, bigint) IS
  'how often a message was viewed. Needs SELECT on the table of views';

CREATE FUNCTION chatopt.view_count(messages regclass, conversation text, seq bigint)
  RETURNS bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_view_count';
COMMENT ON FUNCTION chatopt.view_count(regclass, text, bigint) IS
  'how often a message was viewed. Needs SELECT on the table of views';
