-- 62-receipt-bitmap-aggregates.sql: sets out of many members or many sets.
--
-- No moving-aggregate forms: a union has no inverse without a count for each member, which would cost every
-- aggregation what only some windows gain. A window whose frame begins at the partition's first row is linear anyway.

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_agg_step(state internal, member smallint) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_agg_step_int2';
COMMENT ON FUNCTION receipt_bitmap_agg_step(internal, smallint) IS 'transition function of receipt_bitmap_agg. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_agg_step(state internal, member int) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_agg_step_int4';
COMMENT ON FUNCTION receipt_bitmap_agg_step(internal, int) IS 'transition function of receipt_bitmap_agg. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_agg_step(state internal, member bigint) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_agg_step_int8';
COMMENT ON FUNCTION receipt_bitmap_agg_step(internal, bigint) IS 'transition function of receipt_bitmap_agg. Raises 22003';

CREATE FUNCTION receipt_bitmap_or_step(state internal, members receipt_bitmap) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_or_step';
COMMENT ON FUNCTION receipt_bitmap_or_step(internal, receipt_bitmap) IS 'transition function of receipt_bitmap_or_agg';

CREATE FUNCTION receipt_bitmap_and_step(state internal, members receipt_bitmap) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_and_step';
COMMENT ON FUNCTION receipt_bitmap_and_step(internal, receipt_bitmap) IS 'transition function of receipt_bitmap_and_agg';

CREATE FUNCTION receipt_bitmap_or_combine(state internal, other internal) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_or_combine';
COMMENT ON FUNCTION receipt_bitmap_or_combine(internal, internal) IS
  'combines two states of receipt_bitmap_agg or receipt_bitmap_or_agg';

CREATE FUNCTION receipt_bitmap_and_combine(state internal, other internal) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_and_combine';
COMMENT ON FUNCTION receipt_bitmap_and_combine(internal, internal) IS 'combines two states of receipt_bitmap_and_agg';

CREATE FUNCTION receipt_bitmap_serialize(state internal) RETURNS bytea
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_serialize';
COMMENT ON FUNCTION receipt_bitmap_serialize(internal) IS 'a state of the aggregates of receipt_bitmap as bytes';

--@ errors: 22P03
CREATE FUNCTION receipt_bitmap_deserialize(bytes bytea, state internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_deserialize';
COMMENT ON FUNCTION receipt_bitmap_deserialize(bytea, internal) IS
  'a state of the aggregates of receipt_bitmap out of bytes. Raises 22P03';

CREATE FUNCTION receipt_bitmap_final(state internal) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_final';
COMMENT ON FUNCTION receipt_bitmap_final(internal) IS
  'final function of the aggregates of receipt_bitmap; leaves the state as it was';

--@ errors: 22003
CREATE AGGREGATE receipt_bitmap_agg(member smallint) (
  SFUNC = receipt_bitmap_agg_step, STYPE = internal, SSPACE = 512, FINALFUNC = receipt_bitmap_final,
  COMBINEFUNC = receipt_bitmap_or_combine, SERIALFUNC = receipt_bitmap_serialize, DESERIALFUNC = receipt_bitmap_deserialize,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE receipt_bitmap_agg(smallint) IS 'the set of the numbers. NULLs are ignored; without rows NULL. Raises 22003';

--| The set of the numbers of all rows. NULLs are ignored; without rows, or with NULLs only, the result is NULL.
--@ errors: 22003
CREATE AGGREGATE receipt_bitmap_agg(member int) (
  SFUNC = receipt_bitmap_agg_step, STYPE = internal, SSPACE = 512, FINALFUNC = receipt_bitmap_final,
  COMBINEFUNC = receipt_bitmap_or_combine, SERIALFUNC = receipt_bitmap_serialize, DESERIALFUNC = receipt_bitmap_deserialize,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE receipt_bitmap_agg(int) IS 'the set of the numbers. NULLs are ignored; without rows NULL. Raises 22003';

--@ errors: 22003
CREATE AGGREGATE receipt_bitmap_agg(member bigint) (
  SFUNC = receipt_bitmap_agg_step, STYPE = internal, SSPACE = 512, FINALFUNC = receipt_bitmap_final,
  COMBINEFUNC = receipt_bitmap_or_combine, SERIALFUNC = receipt_bitmap_serialize, DESERIALFUNC = receipt_bitmap_deserialize,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE receipt_bitmap_agg(bigint) IS 'the set of the numbers. NULLs are ignored; without rows NULL. Raises 22003';

--| What is in any of the sets. NULLs are ignored; without rows the result is NULL.
CREATE AGGREGATE receipt_bitmap_or_agg(members receipt_bitmap) (
  SFUNC = receipt_bitmap_or_step, STYPE = internal, SSPACE = 512, FINALFUNC = receipt_bitmap_final,
  COMBINEFUNC = receipt_bitmap_or_combine, SERIALFUNC = receipt_bitmap_serialize, DESERIALFUNC = receipt_bitmap_deserialize,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE receipt_bitmap_or_agg(receipt_bitmap) IS 'what is in any of the sets. NULLs are ignored; without rows NULL';

--| What is in all of the sets. NULLs are ignored; without rows the result is NULL.
CREATE AGGREGATE receipt_bitmap_and_agg(members receipt_bitmap) (
  SFUNC = receipt_bitmap_and_step, STYPE = internal, SSPACE = 512, FINALFUNC = receipt_bitmap_final,
  COMBINEFUNC = receipt_bitmap_and_combine, SERIALFUNC = receipt_bitmap_serialize, DESERIALFUNC = receipt_bitmap_deserialize,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE receipt_bitmap_and_agg(receipt_bitmap) IS 'what is in all of the sets. NULLs are ignored; without rows NULL';
