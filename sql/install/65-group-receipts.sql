-- 65-group-receipts.sql: the type group_receipts, its operators, functions, casts and aggregates.
--
-- The receipts of one message to a group in one value: three sets of member slots, seen within delivered within
-- recipients. Slots are the numbers 0 … 2^31-1 of receipt_bitmap. Created in the extension's schema.

CREATE TYPE group_receipts;

--@ errors: 22P02
CREATE FUNCTION group_receipts_in(input cstring) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_in';
COMMENT ON FUNCTION group_receipts_in(cstring) IS 'text input: {recipients={0-29},delivered={0-12},seen={0-3}}, or a plain set of recipients. Raises 22P02';

CREATE FUNCTION group_receipts_out(receipts group_receipts) RETURNS cstring
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_out';
COMMENT ON FUNCTION group_receipts_out(group_receipts) IS 'text output: {recipients={0-29},delivered={0-12},seen={0-3}}';

--@ errors: 22P03
CREATE FUNCTION group_receipts_recv(input internal) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_recv';
COMMENT ON FUNCTION group_receipts_recv(internal) IS 'binary input: the stored bytes, validated. Raises 22P03';

CREATE FUNCTION group_receipts_send(receipts group_receipts) RETURNS bytea
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_send';
COMMENT ON FUNCTION group_receipts_send(group_receipts) IS 'binary output: the stored bytes';

--| The receipts of one message to a group: recipients, delivered and seen, three sets of member slots in one value, of 4 to 16 bytes
--| for a group of 30. Seen is always within delivered, delivered within recipients.
CREATE TYPE group_receipts (
  INPUT = group_receipts_in,
  OUTPUT = group_receipts_out,
  RECEIVE = group_receipts_recv,
  SEND = group_receipts_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = int4,
  STORAGE = external
);
COMMENT ON TYPE group_receipts IS 'the receipts of one message to a group: sets of recipients, delivered and seen';

-- Constructors. A driver's untyped parameter needs a type here: group_receipts($1::int).

--| Receipts of a message that went to these slots and reached nobody yet.
CREATE FUNCTION group_receipts(recipients receipt_bitmap) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_group_receipts';
COMMENT ON FUNCTION group_receipts(receipt_bitmap) IS 'receipts of a message that went to these slots and reached nobody yet';

--@ errors: 22003
CREATE FUNCTION group_receipts(n smallint) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_int2';
COMMENT ON FUNCTION group_receipts(smallint) IS 'receipts of a message that went to slots 0 to n-1 and reached nobody yet. Raises 22003';

--| Receipts of a message that went to slots 0 to n-1 and reached nobody yet.
--@ errors: 22003
CREATE FUNCTION group_receipts(n int) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_int4';
COMMENT ON FUNCTION group_receipts(int) IS 'receipts of a message that went to slots 0 to n-1 and reached nobody yet. Raises 22003';

--@ errors: 22003
CREATE FUNCTION group_receipts(n bigint) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_int8';
COMMENT ON FUNCTION group_receipts(bigint) IS 'receipts of a message that went to slots 0 to n-1 and reached nobody yet. Raises 22003';

-- mark_delivered: the text form is for drivers that send parameters as text.

--@ errors: 22003
CREATE FUNCTION mark_delivered(receipts group_receipts, slot smallint) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_mark_delivered_int2';
COMMENT ON FUNCTION mark_delivered(group_receipts, smallint) IS 'marks a slot as delivered; ignored where it is no recipient. Raises 22003';

--| The receipts with a slot, or a set of slots, marked as delivered. Slots that are no recipients are ignored, marks never
--| go back: the same call again, or calls in another order, give the same.
--@ errors: 22003
CREATE FUNCTION mark_delivered(receipts group_receipts, slot int) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_mark_delivered_int4';
COMMENT ON FUNCTION mark_delivered(group_receipts, int) IS 'marks a slot as delivered; ignored where it is no recipient. Raises 22003';

--@ errors: 22003
CREATE FUNCTION mark_delivered(receipts group_receipts, slot bigint) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_mark_delivered_int8';
COMMENT ON FUNCTION mark_delivered(group_receipts, bigint) IS 'marks a slot as delivered; ignored where it is no recipient. Raises 22003';

CREATE FUNCTION mark_delivered(receipts group_receipts, slots receipt_bitmap) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_mark_delivered';
COMMENT ON FUNCTION mark_delivered(group_receipts, receipt_bitmap) IS 'marks a set of slots as delivered; slots that are no recipients are ignored';

--@ errors: 22P02
CREATE FUNCTION mark_delivered(receipts group_receipts, slots text) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_mark_delivered_text';
COMMENT ON FUNCTION mark_delivered(group_receipts, text) IS 'marks a slot, or a set of slots, given as text as delivered; slots that are no recipients are ignored. Raises 22P02';

-- mark_seen: the text form is for drivers that send parameters as text.

--@ errors: 22003
CREATE FUNCTION mark_seen(receipts group_receipts, slot smallint) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_mark_seen_int2';
COMMENT ON FUNCTION mark_seen(group_receipts, smallint) IS 'marks a slot as seen, and so delivered; ignored where it is no recipient. Raises 22003';

--| The receipts with a slot, or a set of slots, marked as seen, and so delivered. Slots that are no recipients are ignored, marks never
--| go back: the same call again, or calls in another order, give the same.
--@ errors: 22003
CREATE FUNCTION mark_seen(receipts group_receipts, slot int) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_mark_seen_int4';
COMMENT ON FUNCTION mark_seen(group_receipts, int) IS 'marks a slot as seen, and so delivered; ignored where it is no recipient. Raises 22003';

--@ errors: 22003
CREATE FUNCTION mark_seen(receipts group_receipts, slot bigint) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_mark_seen_int8';
COMMENT ON FUNCTION mark_seen(group_receipts, bigint) IS 'marks a slot as seen, and so delivered; ignored where it is no recipient. Raises 22003';

CREATE FUNCTION mark_seen(receipts group_receipts, slots receipt_bitmap) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_mark_seen';
COMMENT ON FUNCTION mark_seen(group_receipts, receipt_bitmap) IS 'marks a set of slots as seen, and so delivered; slots that are no recipients are ignored';

--@ errors: 22P02
CREATE FUNCTION mark_seen(receipts group_receipts, slots text) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_mark_seen_text';
COMMENT ON FUNCTION mark_seen(group_receipts, text) IS 'marks a slot, or a set of slots, given as text as seen, and so delivered; slots that are no recipients are ignored. Raises 22P02';

-- The sets. A message that slot 17 has not seen: unseen(receipts) @> 17, which a GIN index on unseen(receipts) finds.

CREATE FUNCTION recipients(receipts group_receipts) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_recipients';
COMMENT ON FUNCTION recipients(group_receipts) IS 'the slots the message went to';

CREATE FUNCTION delivered(receipts group_receipts) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_delivered';
COMMENT ON FUNCTION delivered(group_receipts) IS 'the slots that have the message, those that have seen it included';

CREATE FUNCTION seen(receipts group_receipts) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_seen';
COMMENT ON FUNCTION seen(group_receipts) IS 'the slots that have seen the message';

CREATE FUNCTION pending(receipts group_receipts) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_pending';
COMMENT ON FUNCTION pending(group_receipts) IS 'the slots that do not have the message yet: recipients - delivered';

CREATE FUNCTION unseen(receipts group_receipts) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_unseen';
COMMENT ON FUNCTION unseen(group_receipts) IS 'the slots that have not seen the message yet: recipients - seen';

CREATE FUNCTION recipient_count(receipts group_receipts) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_recipient_count';
COMMENT ON FUNCTION recipient_count(group_receipts) IS 'how many slots the message went to';

CREATE FUNCTION delivered_count(receipts group_receipts) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_delivered_count';
COMMENT ON FUNCTION delivered_count(group_receipts) IS 'how many slots have the message, those that have seen it included';

CREATE FUNCTION seen_count(receipts group_receipts) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_seen_count';
COMMENT ON FUNCTION seen_count(group_receipts) IS 'how many slots have seen the message';

CREATE FUNCTION pending_count(receipts group_receipts) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_pending_count';
COMMENT ON FUNCTION pending_count(group_receipts) IS 'how many slots do not have the message yet';

CREATE FUNCTION unseen_count(receipts group_receipts) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_unseen_count';
COMMENT ON FUNCTION unseen_count(group_receipts) IS 'how many slots have not seen the message yet';

--@ errors: 22003
CREATE FUNCTION receipt_status(receipts group_receipts, slot smallint) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_receipt_status_int2';
COMMENT ON FUNCTION receipt_status(group_receipts, smallint) IS 'how far the message has come for a slot: sent, delivered or seen; NULL where it is no recipient. Raises 22003';

--| How far the message has come for a slot: 'sent', 'delivered' or 'seen'; NULL where the slot is no recipient.
--@ errors: 22003
CREATE FUNCTION receipt_status(receipts group_receipts, slot int) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_receipt_status_int4';
COMMENT ON FUNCTION receipt_status(group_receipts, int) IS 'how far the message has come for a slot: sent, delivered or seen; NULL where it is no recipient. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_status(receipts group_receipts, slot bigint) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_receipt_status_int8';
COMMENT ON FUNCTION receipt_status(group_receipts, bigint) IS 'how far the message has come for a slot: sent, delivered or seen; NULL where it is no recipient. Raises 22003';

--@ errors: 22003 22P02
CREATE FUNCTION receipt_status(receipts group_receipts, slot text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_receipt_status_text';
COMMENT ON FUNCTION receipt_status(group_receipts, text) IS 'how far the message has come for a slot: sent, delivered or seen; NULL where it is no recipient. Raises 22003, 22P02';

--| How far the message has come for all recipients, as the ticks in a chat: 'seen' when all have seen it, 'delivered' when all have it,
--| else 'sent', as for a message without recipients.
CREATE FUNCTION receipt_status(receipts group_receipts) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_receipt_status';
COMMENT ON FUNCTION receipt_status(group_receipts) IS 'how far the message has come for all recipients: seen when all have seen it, delivered when all have it, else sent, as for a message without recipients';

-- Operators.

CREATE FUNCTION group_receipts_merge(receipts group_receipts, other group_receipts) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_merge';
COMMENT ON FUNCTION group_receipts_merge(group_receipts, group_receipts) IS 'what both states know together: set by set the union. Behind the operator |';

--| What two states know together, set by set the union. Commutative, associative, idempotent: states may be merged again, in any
--| order and grouping.
CREATE OPERATOR | (LEFTARG = group_receipts, RIGHTARG = group_receipts, FUNCTION = group_receipts_merge, COMMUTATOR = |);
COMMENT ON OPERATOR | (group_receipts, group_receipts) IS 'what both states know together';

CREATE FUNCTION group_receipts_eq(receipts group_receipts, other group_receipts) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_group_receipts_eq';
COMMENT ON FUNCTION group_receipts_eq(group_receipts, group_receipts) IS 'equal. Behind the operator =';

CREATE FUNCTION group_receipts_ne(receipts group_receipts, other group_receipts) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_group_receipts_ne';
COMMENT ON FUNCTION group_receipts_ne(group_receipts, group_receipts) IS 'not equal. Behind the operator <>';

CREATE FUNCTION group_receipts_lt(receipts group_receipts, other group_receipts) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_group_receipts_lt';
COMMENT ON FUNCTION group_receipts_lt(group_receipts, group_receipts) IS 'before in sort order. Behind the operator <';

CREATE FUNCTION group_receipts_le(receipts group_receipts, other group_receipts) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_group_receipts_le';
COMMENT ON FUNCTION group_receipts_le(group_receipts, group_receipts) IS 'before in sort order, or equal. Behind the operator <=';

CREATE FUNCTION group_receipts_gt(receipts group_receipts, other group_receipts) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_group_receipts_gt';
COMMENT ON FUNCTION group_receipts_gt(group_receipts, group_receipts) IS 'after in sort order. Behind the operator >';

CREATE FUNCTION group_receipts_ge(receipts group_receipts, other group_receipts) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_group_receipts_ge';
COMMENT ON FUNCTION group_receipts_ge(group_receipts, group_receipts) IS 'after in sort order, or equal. Behind the operator >=';

-- The order is by recipients, then delivered, then seen, as receipt_bitmap orders sets. It says nothing of who is further.

CREATE OPERATOR = (LEFTARG = group_receipts, RIGHTARG = group_receipts, FUNCTION = group_receipts_eq,
  COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR = (group_receipts, group_receipts) IS 'equal';

CREATE OPERATOR <> (LEFTARG = group_receipts, RIGHTARG = group_receipts, FUNCTION = group_receipts_ne,
  COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR <> (group_receipts, group_receipts) IS 'not equal';

CREATE OPERATOR < (LEFTARG = group_receipts, RIGHTARG = group_receipts, FUNCTION = group_receipts_lt,
  COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR < (group_receipts, group_receipts) IS 'before in sort order: by recipients, then delivered, then seen';

CREATE OPERATOR <= (LEFTARG = group_receipts, RIGHTARG = group_receipts, FUNCTION = group_receipts_le,
  COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR <= (group_receipts, group_receipts) IS 'before in sort order, or equal: by recipients, then delivered, then seen';

CREATE OPERATOR > (LEFTARG = group_receipts, RIGHTARG = group_receipts, FUNCTION = group_receipts_gt,
  COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR > (group_receipts, group_receipts) IS 'after in sort order: by recipients, then delivered, then seen';

CREATE OPERATOR >= (LEFTARG = group_receipts, RIGHTARG = group_receipts, FUNCTION = group_receipts_ge,
  COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR >= (group_receipts, group_receipts) IS 'after in sort order, or equal: by recipients, then delivered, then seen';

CREATE FUNCTION group_receipts_cmp(receipts group_receipts, other group_receipts) RETURNS int
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_group_receipts_cmp';
COMMENT ON FUNCTION group_receipts_cmp(group_receipts, group_receipts) IS 'less than, equal to or greater than zero, as the first value sorts before, with or after the second';

CREATE FUNCTION group_receipts_hash(receipts group_receipts) RETURNS int
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_group_receipts_hash';
COMMENT ON FUNCTION group_receipts_hash(group_receipts) IS 'hash of the three sets members';

CREATE FUNCTION group_receipts_hash_extended(receipts group_receipts, seed bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_group_receipts_hash_extended';
COMMENT ON FUNCTION group_receipts_hash_extended(group_receipts, bigint) IS '64-bit hash of the three sets members';

CREATE OPERATOR CLASS group_receipts_ops DEFAULT FOR TYPE group_receipts USING btree AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
  FUNCTION 1 group_receipts_cmp(group_receipts, group_receipts);
COMMENT ON OPERATOR FAMILY group_receipts_ops USING btree IS 'sort order of group_receipts';
COMMENT ON OPERATOR CLASS group_receipts_ops USING btree IS 'sort order of group_receipts: by recipients, then delivered, then seen';

CREATE OPERATOR CLASS group_receipts_ops DEFAULT FOR TYPE group_receipts USING hash AS
  OPERATOR 1 =,
  FUNCTION 1 group_receipts_hash(group_receipts),
  FUNCTION 2 group_receipts_hash_extended(group_receipts, bigint);
COMMENT ON OPERATOR FAMILY group_receipts_ops USING hash IS 'hashing of group_receipts';
COMMENT ON OPERATOR CLASS group_receipts_ops USING hash IS 'hashing of group_receipts, on the members of its sets';

-- Casts. to_jsonb, row_to_json, json_agg and jsonb_build_object all use the one to json.

CREATE FUNCTION group_receipts_json(receipts group_receipts) RETURNS json
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_json';
COMMENT ON FUNCTION group_receipts_json(group_receipts) IS 'the three counts: {"recipients": 30, "delivered": 12, "seen": 3}. Behind the cast to json';

CREATE FUNCTION group_receipts_jsonb(receipts group_receipts) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_jsonb';
COMMENT ON FUNCTION group_receipts_jsonb(group_receipts) IS 'the three counts: {"recipients": 30, "delivered": 12, "seen": 3}. Behind the cast to jsonb';

CREATE CAST (group_receipts AS json) WITH FUNCTION group_receipts_json(group_receipts) AS ASSIGNMENT;
COMMENT ON CAST (group_receipts AS json) IS 'the three counts: {"recipients": 30, "delivered": 12, "seen": 3}';

CREATE CAST (group_receipts AS jsonb) WITH FUNCTION group_receipts_jsonb(group_receipts) AS ASSIGNMENT;
COMMENT ON CAST (group_receipts AS jsonb) IS 'the three counts: {"recipients": 30, "delivered": 12, "seen": 3}';

-- Aggregates. The state is three sets in the aggregate's memory; it travels between workers as one stored value.

CREATE FUNCTION group_receipts_agg_step(state internal, slot smallint, status text) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_agg_step_int2';
COMMENT ON FUNCTION group_receipts_agg_step(internal, smallint, text) IS 'transition function of group_receipts_agg';

--@ errors: 22003 22023
CREATE FUNCTION group_receipts_agg_step(state internal, slot int, status text) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_agg_step_int4';
COMMENT ON FUNCTION group_receipts_agg_step(internal, int, text) IS 'transition function of group_receipts_agg';

CREATE FUNCTION group_receipts_agg_step(state internal, slot bigint, status text) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_agg_step_int8';
COMMENT ON FUNCTION group_receipts_agg_step(internal, bigint, text) IS 'transition function of group_receipts_agg';

CREATE FUNCTION group_receipts_merge_step(state internal, receipts group_receipts) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_merge_step';
COMMENT ON FUNCTION group_receipts_merge_step(internal, group_receipts) IS 'transition function of group_receipts_merge_agg';

CREATE FUNCTION group_receipts_combine(state internal, other internal) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_combine';
COMMENT ON FUNCTION group_receipts_combine(internal, internal) IS 'combines two states of group_receipts_agg or group_receipts_merge_agg';

CREATE FUNCTION group_receipts_serialize(state internal) RETURNS bytea
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_serialize';
COMMENT ON FUNCTION group_receipts_serialize(internal) IS 'a state of group_receipts_agg or group_receipts_merge_agg as bytes';

--@ errors: 22P03
CREATE FUNCTION group_receipts_deserialize(bytes bytea, state internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_deserialize';
COMMENT ON FUNCTION group_receipts_deserialize(bytea, internal) IS 'a state of group_receipts_agg or group_receipts_merge_agg out of bytes. Raises 22P03';

CREATE FUNCTION group_receipts_final(state internal) RETURNS group_receipts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_group_receipts_final';
COMMENT ON FUNCTION group_receipts_final(internal) IS 'final function of group_receipts_agg and group_receipts_merge_agg; leaves the state as it was';

CREATE AGGREGATE group_receipts_agg(slot smallint, status text) (
  SFUNC = group_receipts_agg_step, STYPE = internal, FINALFUNC = group_receipts_final,
  COMBINEFUNC = group_receipts_combine, SERIALFUNC = group_receipts_serialize, DESERIALFUNC = group_receipts_deserialize,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE group_receipts_agg(smallint, text) IS
  'receipts out of rows of slot and status (sent, delivered or seen). Raises 22003 for a slot out of range, 22023 for another status';

--| One value out of receipt rows, one for each slot and status: 'sent' makes the slot a recipient, 'delivered' and 'seen' mark it too, in
--| upper or lower case. Rows come in any order and number. Rows with a NULL are ignored; without rows the result is NULL.
--@ errors: 22003 22023
CREATE AGGREGATE group_receipts_agg(slot int, status text) (
  SFUNC = group_receipts_agg_step, STYPE = internal, FINALFUNC = group_receipts_final,
  COMBINEFUNC = group_receipts_combine, SERIALFUNC = group_receipts_serialize, DESERIALFUNC = group_receipts_deserialize,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE group_receipts_agg(int, text) IS
  'receipts out of rows of slot and status (sent, delivered or seen). Raises 22003 for a slot out of range, 22023 for another status';

CREATE AGGREGATE group_receipts_agg(slot bigint, status text) (
  SFUNC = group_receipts_agg_step, STYPE = internal, FINALFUNC = group_receipts_final,
  COMBINEFUNC = group_receipts_combine, SERIALFUNC = group_receipts_serialize, DESERIALFUNC = group_receipts_deserialize,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE group_receipts_agg(bigint, text) IS
  'receipts out of rows of slot and status (sent, delivered or seen). Raises 22003 for a slot out of range, 22023 for another status';

--| What several states know together, as the operator | merges two. NULLs are ignored; without rows the result is NULL.
CREATE AGGREGATE group_receipts_merge_agg(receipts group_receipts) (
  SFUNC = group_receipts_merge_step, STYPE = internal, FINALFUNC = group_receipts_final,
  COMBINEFUNC = group_receipts_combine, SERIALFUNC = group_receipts_serialize, DESERIALFUNC = group_receipts_deserialize,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE group_receipts_merge_agg(group_receipts) IS 'what several states know together, as the operator | merges two';
