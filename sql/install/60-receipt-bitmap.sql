-- 60-receipt-bitmap.sql: the type receipt_bitmap, its operators, functions and casts.
--
-- A set of numbers 0 … 2^31-1: the slots of members, or message numbers. Created in the extension's schema.
-- Operators with a number exist for smallint, int and bigint; an untyped parameter beside a set is read as a set, and
-- the text of a number is the set of that number, so that seen | $1 works from every driver.

CREATE TYPE receipt_bitmap;

--@ errors: 22P02
CREATE FUNCTION receipt_bitmap_in(input cstring) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_in';
COMMENT ON FUNCTION receipt_bitmap_in(cstring) IS
  'text input: {0-29,31}, in any order and with overlaps, or a bare number. Raises 22P02';

--@ errors: 54000
CREATE FUNCTION receipt_bitmap_out(members receipt_bitmap) RETURNS cstring
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_out';
COMMENT ON FUNCTION receipt_bitmap_out(receipt_bitmap) IS
  'text output: {0-29,31}, sorted, three and more in a row as a range. Raises 54000 beyond 1 GB';

--@ errors: 22P03
CREATE FUNCTION receipt_bitmap_recv(input internal) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_recv';
COMMENT ON FUNCTION receipt_bitmap_recv(internal) IS 'binary input: the stored bytes, validated. Raises 22P03';

CREATE FUNCTION receipt_bitmap_send(members receipt_bitmap) RETURNS bytea
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_send';
COMMENT ON FUNCTION receipt_bitmap_send(receipt_bitmap) IS 'binary output: the stored bytes';

--| A set of numbers 0 … 2147483647, in 4 bytes for 30 of 30 slots, 132 for a random half of 1,000. The text form is {0-29,31,40-42}:
--| input takes any order, overlaps and a bare number. Equal sets have equal bytes.
CREATE TYPE receipt_bitmap (
  INPUT = receipt_bitmap_in,
  OUTPUT = receipt_bitmap_out,
  RECEIVE = receipt_bitmap_recv,
  SEND = receipt_bitmap_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = int4,
  STORAGE = external
);
COMMENT ON TYPE receipt_bitmap IS 'a set of numbers from 0 to 2147483647, such as member slots or message numbers';

-- Sets out of two sets.

CREATE FUNCTION receipt_bitmap_union(members receipt_bitmap, other receipt_bitmap) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_union';
COMMENT ON FUNCTION receipt_bitmap_union(receipt_bitmap, receipt_bitmap) IS 'the members of either set. Behind the operator |';

--| What is in either set.
CREATE OPERATOR | (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_union, COMMUTATOR = |);
COMMENT ON OPERATOR | (receipt_bitmap, receipt_bitmap) IS 'the members of either set';

CREATE FUNCTION receipt_bitmap_intersection(members receipt_bitmap, other receipt_bitmap) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_intersection';
COMMENT ON FUNCTION receipt_bitmap_intersection(receipt_bitmap, receipt_bitmap) IS
  'the members that are in both sets. Behind the operator &';

--| What is in both sets.
CREATE OPERATOR & (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_intersection, COMMUTATOR = &);
COMMENT ON OPERATOR & (receipt_bitmap, receipt_bitmap) IS 'the members that are in both sets';

CREATE FUNCTION receipt_bitmap_difference(members receipt_bitmap, other receipt_bitmap) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_difference';
COMMENT ON FUNCTION receipt_bitmap_difference(receipt_bitmap, receipt_bitmap) IS
  'the members of the left set that are not in the right one. Behind the operator -';

--| What is in the left set and not in the right one.
CREATE OPERATOR - (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_difference);
COMMENT ON OPERATOR - (receipt_bitmap, receipt_bitmap) IS 'the members of the left set that are not in the right one';

CREATE FUNCTION receipt_bitmap_symmetric_difference(members receipt_bitmap, other receipt_bitmap) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_symmetric_difference';
COMMENT ON FUNCTION receipt_bitmap_symmetric_difference(receipt_bitmap, receipt_bitmap) IS
  'the members that are in exactly one of two sets. Behind the operator #';

--| What is in exactly one of two sets.
CREATE OPERATOR # (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_symmetric_difference,
  COMMUTATOR = #);
COMMENT ON OPERATOR # (receipt_bitmap, receipt_bitmap) IS 'the members that are in exactly one of two sets';

-- A set and a number. There is no number - set; set - number has no commutator.

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_add(members receipt_bitmap, member smallint) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_add_int2';
COMMENT ON FUNCTION receipt_bitmap_add(receipt_bitmap, smallint) IS
  'the set with one member more. Behind the operator |. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_add(members receipt_bitmap, member int) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_add_int4';
COMMENT ON FUNCTION receipt_bitmap_add(receipt_bitmap, int) IS
  'the set with one member more. Behind the operator |. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_add(members receipt_bitmap, member bigint) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_add_int8';
COMMENT ON FUNCTION receipt_bitmap_add(receipt_bitmap, bigint) IS
  'the set with one member more. Behind the operator |. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_add(member smallint, members receipt_bitmap) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_add_to_int2';
COMMENT ON FUNCTION receipt_bitmap_add(smallint, receipt_bitmap) IS
  'the set with one member more. Behind the operator |. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_add(member int, members receipt_bitmap) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_add_to_int4';
COMMENT ON FUNCTION receipt_bitmap_add(int, receipt_bitmap) IS
  'the set with one member more. Behind the operator |. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_add(member bigint, members receipt_bitmap) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_add_to_int8';
COMMENT ON FUNCTION receipt_bitmap_add(bigint, receipt_bitmap) IS
  'the set with one member more. Behind the operator |. Raises 22003';

CREATE OPERATOR | (LEFTARG = receipt_bitmap, RIGHTARG = smallint, FUNCTION = receipt_bitmap_add, COMMUTATOR = |);
COMMENT ON OPERATOR | (receipt_bitmap, smallint) IS 'adds a member';

CREATE OPERATOR | (LEFTARG = smallint, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_add, COMMUTATOR = |);
COMMENT ON OPERATOR | (smallint, receipt_bitmap) IS 'adds a member';

--| Adds a member.
CREATE OPERATOR | (LEFTARG = receipt_bitmap, RIGHTARG = int, FUNCTION = receipt_bitmap_add, COMMUTATOR = |);
COMMENT ON OPERATOR | (receipt_bitmap, int) IS 'adds a member';

CREATE OPERATOR | (LEFTARG = int, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_add, COMMUTATOR = |);
COMMENT ON OPERATOR | (int, receipt_bitmap) IS 'adds a member';

CREATE OPERATOR | (LEFTARG = receipt_bitmap, RIGHTARG = bigint, FUNCTION = receipt_bitmap_add, COMMUTATOR = |);
COMMENT ON OPERATOR | (receipt_bitmap, bigint) IS 'adds a member';

CREATE OPERATOR | (LEFTARG = bigint, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_add, COMMUTATOR = |);
COMMENT ON OPERATOR | (bigint, receipt_bitmap) IS 'adds a member';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_remove(members receipt_bitmap, member smallint) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_remove_int2';
COMMENT ON FUNCTION receipt_bitmap_remove(receipt_bitmap, smallint) IS
  'the set without one member. Behind the operator -. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_remove(members receipt_bitmap, member int) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_remove_int4';
COMMENT ON FUNCTION receipt_bitmap_remove(receipt_bitmap, int) IS
  'the set without one member. Behind the operator -. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_remove(members receipt_bitmap, member bigint) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_remove_int8';
COMMENT ON FUNCTION receipt_bitmap_remove(receipt_bitmap, bigint) IS
  'the set without one member. Behind the operator -. Raises 22003';

CREATE OPERATOR - (LEFTARG = receipt_bitmap, RIGHTARG = smallint, FUNCTION = receipt_bitmap_remove);
COMMENT ON OPERATOR - (receipt_bitmap, smallint) IS 'removes a member';

--| Removes a member.
CREATE OPERATOR - (LEFTARG = receipt_bitmap, RIGHTARG = int, FUNCTION = receipt_bitmap_remove);
COMMENT ON OPERATOR - (receipt_bitmap, int) IS 'removes a member';

CREATE OPERATOR - (LEFTARG = receipt_bitmap, RIGHTARG = bigint, FUNCTION = receipt_bitmap_remove);
COMMENT ON OPERATOR - (receipt_bitmap, bigint) IS 'removes a member';

-- What is in a set. NOT (seen @> 17) can use no index: see docs/receipts.md.

CREATE FUNCTION receipt_bitmap_contains(members receipt_bitmap, subset receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_contains';
COMMENT ON FUNCTION receipt_bitmap_contains(receipt_bitmap, receipt_bitmap) IS
  'is every member of the right set in the left one? Behind the operator @>';

CREATE FUNCTION receipt_bitmap_contained(subset receipt_bitmap, members receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_contained';
COMMENT ON FUNCTION receipt_bitmap_contained(receipt_bitmap, receipt_bitmap) IS
  'is every member of the left set in the right one? Behind the operator <@';

CREATE FUNCTION receipt_bitmap_overlaps(members receipt_bitmap, other receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_overlaps';
COMMENT ON FUNCTION receipt_bitmap_overlaps(receipt_bitmap, receipt_bitmap) IS
  'have two sets a member in common? Behind the operator &&';

--| Is every member of the right set in the left one?
CREATE OPERATOR @> (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_contains,
  COMMUTATOR = <@, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR @> (receipt_bitmap, receipt_bitmap) IS 'contains every member of';

--| Is every member of the left set in the right one?
CREATE OPERATOR <@ (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_contained,
  COMMUTATOR = @>, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR <@ (receipt_bitmap, receipt_bitmap) IS 'is contained in';

--| Have two sets a member in common?
CREATE OPERATOR && (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_overlaps,
  COMMUTATOR = &&, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR && (receipt_bitmap, receipt_bitmap) IS 'has a member in common with';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_contains(members receipt_bitmap, member smallint) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_contains_int2';
COMMENT ON FUNCTION receipt_bitmap_contains(receipt_bitmap, smallint) IS
  'is the number a member? Behind the operator @>. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_contained(member smallint, members receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_contained_int2';
COMMENT ON FUNCTION receipt_bitmap_contained(smallint, receipt_bitmap) IS
  'is the number a member? Behind the operator <@. Raises 22003';

CREATE OPERATOR @> (LEFTARG = receipt_bitmap, RIGHTARG = smallint, FUNCTION = receipt_bitmap_contains,
  COMMUTATOR = <@, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR @> (receipt_bitmap, smallint) IS 'contains the member';

CREATE OPERATOR <@ (LEFTARG = smallint, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_contained,
  COMMUTATOR = @>, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR <@ (smallint, receipt_bitmap) IS 'is a member of';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_contains(members receipt_bitmap, member int) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_contains_int4';
COMMENT ON FUNCTION receipt_bitmap_contains(receipt_bitmap, int) IS
  'is the number a member? Behind the operator @>. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_contained(member int, members receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_contained_int4';
COMMENT ON FUNCTION receipt_bitmap_contained(int, receipt_bitmap) IS
  'is the number a member? Behind the operator <@. Raises 22003';

--| Is the number a member?
CREATE OPERATOR @> (LEFTARG = receipt_bitmap, RIGHTARG = int, FUNCTION = receipt_bitmap_contains,
  COMMUTATOR = <@, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR @> (receipt_bitmap, int) IS 'contains the member';

--| Is the number a member?
CREATE OPERATOR <@ (LEFTARG = int, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_contained,
  COMMUTATOR = @>, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR <@ (int, receipt_bitmap) IS 'is a member of';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_contains(members receipt_bitmap, member bigint) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_contains_int8';
COMMENT ON FUNCTION receipt_bitmap_contains(receipt_bitmap, bigint) IS
  'is the number a member? Behind the operator @>. Raises 22003';

--@ errors: 22003
CREATE FUNCTION receipt_bitmap_contained(member bigint, members receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_contained_int8';
COMMENT ON FUNCTION receipt_bitmap_contained(bigint, receipt_bitmap) IS
  'is the number a member? Behind the operator <@. Raises 22003';

CREATE OPERATOR @> (LEFTARG = receipt_bitmap, RIGHTARG = bigint, FUNCTION = receipt_bitmap_contains,
  COMMUTATOR = <@, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR @> (receipt_bitmap, bigint) IS 'contains the member';

CREATE OPERATOR <@ (LEFTARG = bigint, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_contained,
  COMMUTATOR = @>, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR <@ (bigint, receipt_bitmap) IS 'is a member of';

-- Equality and order, on the members. The order is that of int[]: the first member that differs decides, a prefix comes
-- first. It says nothing of subsets: those are <@ and @>.

CREATE FUNCTION receipt_bitmap_eq(members receipt_bitmap, other receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_eq';
COMMENT ON FUNCTION receipt_bitmap_eq(receipt_bitmap, receipt_bitmap) IS 'are the members the same? Behind the operator =';

CREATE FUNCTION receipt_bitmap_ne(members receipt_bitmap, other receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_ne';
COMMENT ON FUNCTION receipt_bitmap_ne(receipt_bitmap, receipt_bitmap) IS 'are the members not the same? Behind the operator <>';

CREATE FUNCTION receipt_bitmap_lt(members receipt_bitmap, other receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_lt';
COMMENT ON FUNCTION receipt_bitmap_lt(receipt_bitmap, receipt_bitmap) IS
  'does the set sort before? In the order of int[], not of subsets. Behind the operator <';

CREATE FUNCTION receipt_bitmap_le(members receipt_bitmap, other receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_le';
COMMENT ON FUNCTION receipt_bitmap_le(receipt_bitmap, receipt_bitmap) IS
  'does the set sort before, or equal? In the order of int[], not of subsets. Behind the operator <=';

CREATE FUNCTION receipt_bitmap_gt(members receipt_bitmap, other receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_gt';
COMMENT ON FUNCTION receipt_bitmap_gt(receipt_bitmap, receipt_bitmap) IS
  'does the set sort after? In the order of int[], not of subsets. Behind the operator >';

CREATE FUNCTION receipt_bitmap_ge(members receipt_bitmap, other receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_ge';
COMMENT ON FUNCTION receipt_bitmap_ge(receipt_bitmap, receipt_bitmap) IS
  'does the set sort after, or equal? In the order of int[], not of subsets. Behind the operator >=';

CREATE OPERATOR = (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_eq,
  COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR = (receipt_bitmap, receipt_bitmap) IS 'has the same members as';

CREATE OPERATOR <> (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_ne,
  COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR <> (receipt_bitmap, receipt_bitmap) IS 'has other members than';

CREATE OPERATOR < (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_lt,
  COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR < (receipt_bitmap, receipt_bitmap) IS 'sorts before, in the order of int[]; not a test for subsets';

CREATE OPERATOR <= (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_le,
  COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR <= (receipt_bitmap, receipt_bitmap) IS 'sorts before or equal, in the order of int[]; not a test for subsets';

CREATE OPERATOR > (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_gt,
  COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR > (receipt_bitmap, receipt_bitmap) IS 'sorts after, in the order of int[]; not a test for supersets';

CREATE OPERATOR >= (LEFTARG = receipt_bitmap, RIGHTARG = receipt_bitmap, FUNCTION = receipt_bitmap_ge,
  COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR >= (receipt_bitmap, receipt_bitmap) IS
  'sorts after or equal, in the order of int[]; not a test for supersets';

-- Counts. # binds more loosely than + and -, and # a | 4 is (#a) | 4: write #(a | b) or cardinality(a | b).

--| The number of members. Of a large stored value only the beginning is read.
CREATE FUNCTION cardinality(members receipt_bitmap) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_cardinality';
COMMENT ON FUNCTION cardinality(receipt_bitmap) IS 'the number of members; behind the prefix operator #';

--| The number of members. Write #(a | b): # a | b is (#a) | b.
CREATE OPERATOR # (RIGHTARG = receipt_bitmap, FUNCTION = cardinality);
COMMENT ON OPERATOR # (NONE, receipt_bitmap) IS 'the number of members; write #(a | b), as # a | b is (#a) | b';

--| Has the set no members?
CREATE FUNCTION is_empty(members receipt_bitmap) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_is_empty';
COMMENT ON FUNCTION is_empty(receipt_bitmap) IS 'has the set no members?';

--| The smallest member; NULL of the empty set.
CREATE FUNCTION min_member(members receipt_bitmap) RETURNS int
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_min_member';
COMMENT ON FUNCTION min_member(receipt_bitmap) IS 'the smallest member, NULL of the empty set';

--| The greatest member; NULL of the empty set.
CREATE FUNCTION max_member(members receipt_bitmap) RETURNS int
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_max_member';
COMMENT ON FUNCTION max_member(receipt_bitmap) IS 'the greatest member, NULL of the empty set';

--| How many members are less than or equal to the number, which may be any.
CREATE FUNCTION rank_of(members receipt_bitmap, member bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_rank_of';
COMMENT ON FUNCTION rank_of(receipt_bitmap, bigint) IS 'how many members are less than or equal to a number';

--| How many members are from lower to upper, upper not included. The bounds may be any.
CREATE FUNCTION range_cardinality(members receipt_bitmap, lower bigint, upper bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_range_cardinality';
COMMENT ON FUNCTION range_cardinality(receipt_bitmap, bigint, bigint) IS
  'how many members are from lower to upper, upper not included';

-- Ranges, half-open: the upper bound is not included.

--| The set and all numbers from lower to upper, upper not included: add_range('{}', 0, 30) is {0-29}. A range with lower >= upper is empty.
--@ errors: 22003
CREATE FUNCTION add_range(members receipt_bitmap, lower bigint, upper bigint) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_add_range';
COMMENT ON FUNCTION add_range(receipt_bitmap, bigint, bigint) IS
  'the set with all numbers from lower to upper, upper not included. Raises 22003';

--| The set without the numbers from lower to upper, upper not included. The bounds may be any.
CREATE FUNCTION remove_range(members receipt_bitmap, lower bigint, upper bigint) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_remove_range';
COMMENT ON FUNCTION remove_range(receipt_bitmap, bigint, bigint) IS
  'the set without the numbers from lower to upper, upper not included';

-- Members as rows and as an array.

CREATE FUNCTION members_support(request internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_members_support';
COMMENT ON FUNCTION members_support(internal) IS 'planner support function of members: how many rows a constant has';

--| The members as rows, ascending. In the select list they stream; in FROM, PostgreSQL keeps them until the scan ends.
CREATE FUNCTION members(members receipt_bitmap) RETURNS SETOF int
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 30 SUPPORT members_support AS 'MODULE_PATHNAME', 'chatopt_members';
COMMENT ON FUNCTION members(receipt_bitmap) IS 'the members as rows, ascending';

--@ errors: 22003 22004
CREATE FUNCTION receipt_bitmap_from_array(elements int[]) RETURNS receipt_bitmap
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_from_array';
COMMENT ON FUNCTION receipt_bitmap_from_array(int[]) IS
  'the set of the elements. Behind the cast from int[]. Raises 22003, and 22004 for a NULL';

--@ errors: 54000
CREATE FUNCTION receipt_bitmap_to_array(members receipt_bitmap) RETURNS int[]
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'chatopt_receipt_bitmap_to_array';
COMMENT ON FUNCTION receipt_bitmap_to_array(receipt_bitmap) IS 'the members, ascending. Behind the cast to int[]. Raises 54000';

CREATE CAST (int[] AS receipt_bitmap) WITH FUNCTION receipt_bitmap_from_array(int[]) AS ASSIGNMENT;
COMMENT ON CAST (int[] AS receipt_bitmap) IS 'the set of the elements, in any order, with duplicates, of any dimensions';

CREATE CAST (receipt_bitmap AS int[]) WITH FUNCTION receipt_bitmap_to_array(receipt_bitmap) AS ASSIGNMENT;
COMMENT ON CAST (receipt_bitmap AS int[]) IS 'the members, ascending';
