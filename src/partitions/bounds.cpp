// chatopt._bounds(): no text is parsed, the bounds are read as PostgreSQL itself
// routes rows by them.

#include "partitions/bounds.hpp"

#include "partitions/axis.hpp"
#include "partitions/zone.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_partitions_bounds);
PGDLLEXPORT Datum chatopt_partitions_bounds(PG_FUNCTION_ARGS);
}

namespace chatopt::partitions {
namespace {

constexpr int kColumns = 7;

bool is_detach_pending(const PartitionDesc& partitions, Oid leaf) {
  return partitions->detached_exist && PartitionHasPendingDetach(leaf);
}

bool is_value(PartitionBoundInfo bounds, int i) { return bounds->kind[i][0] == PARTITION_RANGE_DATUM_VALUE; }

// The range that ends with bound i begins with the bound before it.
Leaf leaf_at(PartitionDesc partitions, int i, const core::Axis& axis) {
  PartitionBoundInfo bounds = partitions->boundinfo;
  Leaf leaf = {};
  leaf.oid = partitions->oids[bounds->indexes[i]];
  leaf.below = !is_value(bounds, i - 1);
  leaf.above = !is_value(bounds, i);
  if (!leaf.below) leaf.lower = position_of(axis, bounds->datums[i - 1][0]);
  if (!leaf.above) leaf.upper = position_of(axis, bounds->datums[i][0]);
  leaf.pending = is_detach_pending(partitions, leaf.oid);
  return leaf;
}

Datum time_or_null(const core::Axis& axis, const core::Zone& zone, core::Position position, bool* null) {
  const auto instant = core::instant_of(axis, zone, position);
  *null = !instant;
  return TimestampTzGetDatum(instant ? instant->micros : 0);
}

core::Zone zone_around(const core::Axis& axis, const Leaves& leaves, const char* name) {
  core::Position least = PG_INT64_MAX;
  core::Position greatest = PG_INT64_MIN;
  for (int i = 0; i < leaves.count; ++i) {
    const Leaf& leaf = leaves.first[i];
    if (leaf.is_default) continue;
    if (!leaf.below) least = Min(least, leaf.lower), greatest = Max(greatest, leaf.lower);
    if (!leaf.above) least = Min(least, leaf.upper), greatest = Max(greatest, leaf.upper);
  }
  if (least > greatest) return core::Zone();
  return load_zone(name, core::window_around(axis, least, greatest));
}

// zone NULL: without times.
void put_leaf(ReturnSetInfo* result, const Leaf& leaf, const core::Axis& axis, const core::Zone* zone) {
  Datum values[kColumns] = {ObjectIdGetDatum(leaf.oid)};
  bool nulls[kColumns] = {false, true, true, true, true};
  const bool bounded[] = {!leaf.is_default && !leaf.below, !leaf.is_default && !leaf.above};
  const core::Position ends[] = {leaf.lower, leaf.upper};
  for (int i = 0; i < 2; ++i) {
    if (!bounded[i]) continue;
    nulls[1 + i] = false;
    values[1 + i] = CStringGetTextDatum(literal_of(axis, ends[i]));
    if (zone != nullptr) values[3 + i] = time_or_null(axis, *zone, ends[i], &nulls[3 + i]);
  }
  values[5] = BoolGetDatum(leaf.is_default);
  values[6] = BoolGetDatum(leaf.pending);
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

}  // namespace

Oid control_type(Relation parent) {
  if (parent->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("table \"%s\" is not partitioned", RelationGetRelationName(parent))));
  PartitionKey key = RelationGetPartitionKey(parent);
  if (key->strategy != PARTITION_STRATEGY_RANGE)
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("table \"%s\" is not partitioned by range", RelationGetRelationName(parent))));
  if (key->partnatts != 1 || key->partattrs[0] == 0)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("table \"%s\" is not partitioned by one column", RelationGetRelationName(parent))));
  return key->parttypid[0];
}

Leaves read_bounds(Relation parent, const core::Axis& axis) {
  PartitionDesc partitions = RelationGetPartitionDesc(parent, false);
  PartitionBoundInfo bounds = partitions->boundinfo;
  Leaves leaves = {static_cast<Leaf*>(palloc0(sizeof(Leaf) * (partitions->nparts + 1))), 0};
  if (bounds == nullptr) return leaves;
  for (int i = 1; i < bounds->ndatums; ++i)
    if (bounds->indexes[i] >= 0) leaves.first[leaves.count++] = leaf_at(partitions, i, axis);
  if (partition_bound_has_default(bounds)) {
    Leaf& leaf = leaves.first[leaves.count++];
    leaf.oid = partitions->oids[bounds->default_index];
    leaf.is_default = true;
    leaf.pending = is_detach_pending(partitions, leaf.oid);
  }
  return leaves;
}

}  // namespace chatopt::partitions

// _bounds(parent, kind, time_zone, snowflake_epoch, snowflake_shift)
Datum chatopt_partitions_bounds(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  using namespace chatopt::partitions;
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  // A set whose table has just gone has no partitions.
  Relation parent = PG_ARGISNULL(0) ? nullptr : try_relation_open(PG_GETARG_OID(0), AccessShareLock);
  if (parent == nullptr) return Datum{0};
  const bool times = !PG_ARGISNULL(1) && !PG_ARGISNULL(2);
  const core::Axis axis = axis_of(PG_ARGISNULL(1) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(1)),
                                  control_type(parent), PG_ARGISNULL(3) ? 0 : PG_GETARG_TIMESTAMPTZ(3),
                                  PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4));
  const Leaves leaves = read_bounds(parent, axis);
  const core::Zone zone =
      times ? zone_around(axis, leaves, text_to_cstring(PG_GETARG_TEXT_PP(2))) : core::Zone();
  for (int i = 0; i < leaves.count; ++i) put_leaf(result, leaves.first[i], axis, times ? &zone : nullptr);
  relation_close(parent, AccessShareLock);
  return Datum{0};
}
