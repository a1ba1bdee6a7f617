-- 61-receipt-bitmap-indexes.sql: btree, hash and GIN for receipt_bitmap.
--
-- No equalimage function: a later generation of stored forms may have two for one set, and a btree that merges
-- duplicates by their bytes must not depend on it.

CREATE FUNCTION receipt_bitmap_cmp(members receipt_bitmap, other receipt_bitmap) RETURNS int
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_cmp';
COMMENT ON FUNCTION receipt_bitmap_cmp(receipt_bitmap, receipt_bitmap) IS
  'order of two sets, as int[]: negative, zero or positive';

CREATE FUNCTION receipt_bitmap_hash(members receipt_bitmap) RETURNS int
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_hash';
COMMENT ON FUNCTION receipt_bitmap_hash(receipt_bitmap) IS 'hash of the members; the same in every version';

CREATE FUNCTION receipt_bitmap_hash_extended(members receipt_bitmap, seed bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_hash_extended';
COMMENT ON FUNCTION receipt_bitmap_hash_extended(receipt_bitmap, bigint) IS
  'hash of the members with a seed; the same in every version';

--| Sorting, DISTINCT, GROUP BY, UNION, merge joins and unique indexes. A btree takes sets of up to about 2,700 bytes.
CREATE OPERATOR CLASS receipt_bitmap_ops DEFAULT FOR TYPE receipt_bitmap USING btree AS
  OPERATOR 1 <,
  OPERATOR 2 <=,
  OPERATOR 3 =,
  OPERATOR 4 >=,
  OPERATOR 5 >,
  FUNCTION 1 receipt_bitmap_cmp(receipt_bitmap, receipt_bitmap);
COMMENT ON OPERATOR FAMILY receipt_bitmap_ops USING btree IS 'order of receipt_bitmap';
COMMENT ON OPERATOR CLASS receipt_bitmap_ops USING btree IS 'order of receipt_bitmap: member by member, as int[]';

--| Hash indexes, hash joins, hash aggregation and hash partitioning.
CREATE OPERATOR CLASS receipt_bitmap_ops DEFAULT FOR TYPE receipt_bitmap USING hash AS
  OPERATOR 1 =,
  FUNCTION 1 receipt_bitmap_hash(receipt_bitmap),
  FUNCTION 2 receipt_bitmap_hash_extended(receipt_bitmap, bigint);
COMMENT ON OPERATOR FAMILY receipt_bitmap_ops USING hash IS 'hashing of receipt_bitmap';
COMMENT ON OPERATOR CLASS receipt_bitmap_ops USING hash IS 'hashing of receipt_bitmap, on the members';

-- GIN: one int key for each member.

--@ errors: 54000
CREATE FUNCTION receipt_bitmap_gin_extract_value(members receipt_bitmap, keys internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_gin_extract_value';
COMMENT ON FUNCTION receipt_bitmap_gin_extract_value(receipt_bitmap, internal) IS
  'GIN: the keys of a set. Raises 54000 beyond 100,000 members';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_gin_extract_query(
    query receipt_bitmap, keys internal, strategy smallint, partial internal, extra internal, nulls internal, mode internal)
  RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_gin_extract_query';
COMMENT ON FUNCTION receipt_bitmap_gin_extract_query(receipt_bitmap, internal, smallint, internal, internal, internal, internal) IS
  'GIN: the keys of a query, which is a number for @> with a number. Raises 22003';

CREATE FUNCTION receipt_bitmap_gin_consistent(
    found internal, strategy smallint, query receipt_bitmap, keys int, extra internal, recheck internal, key_values internal, nulls internal)
  RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_gin_consistent';
COMMENT ON FUNCTION receipt_bitmap_gin_consistent(internal, smallint, receipt_bitmap, int, internal, internal, internal, internal) IS
  'GIN: does a row with these keys meet the query?';

CREATE FUNCTION receipt_bitmap_gin_triconsistent(
    found internal, strategy smallint, query receipt_bitmap, keys int, extra internal, key_values internal, nulls internal)
  RETURNS "char"
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_gin_triconsistent';
COMMENT ON FUNCTION receipt_bitmap_gin_triconsistent(internal, smallint, receipt_bitmap, int, internal, internal, internal) IS
  'GIN: does a row meet the query, as far as its keys are known?';

--| "Which sets hold 17?" by index: @> with a set or a number, && and =. Sets of more than 100,000 members are refused (54000).
CREATE OPERATOR CLASS receipt_bitmap_ops DEFAULT FOR TYPE receipt_bitmap USING gin AS
  OPERATOR 1 &&,
  OPERATOR 2 @>,
  OPERATOR 3 @> (receipt_bitmap, smallint),
  OPERATOR 4 @> (receipt_bitmap, int),
  OPERATOR 5 @> (receipt_bitmap, bigint),
  OPERATOR 6 =,
  FUNCTION 1 pg_catalog.btint4cmp(int, int),
  FUNCTION 2 receipt_bitmap_gin_extract_value(receipt_bitmap, internal),
  FUNCTION 3 receipt_bitmap_gin_extract_query(receipt_bitmap, internal, smallint, internal, internal, internal, internal),
  FUNCTION 4 receipt_bitmap_gin_consistent(internal, smallint, receipt_bitmap, int, internal, internal, internal, internal),
  FUNCTION 6 receipt_bitmap_gin_triconsistent(internal, smallint, receipt_bitmap, int, internal, internal, internal),
  STORAGE int;
COMMENT ON OPERATOR FAMILY receipt_bitmap_ops USING gin IS 'inverted index of the members of receipt_bitmap';
COMMENT ON OPERATOR CLASS receipt_bitmap_ops USING gin IS
  'inverted index of the members of receipt_bitmap, for @>, && and =; up to 100,000 members a set';
