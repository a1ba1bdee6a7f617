// chatopt._newest_partition(): the partition with the greatest bounds, from which
// new ones take what a partitioned table cannot carry.

#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_partitions_newest_partition);
PGDLLEXPORT Datum chatopt_partitions_newest_partition(PG_FUNCTION_ARGS);
}

namespace chatopt::partitions {
namespace {

Oid newest_partition(Relation parent) {
  const PartitionDescData* partitions = RelationGetPartitionDesc(parent, true);
  // By lower bound, a default partition last.
  for (int i = partitions->nparts - 1; i >= 0; --i)
    if (i != partitions->boundinfo->default_index && get_rel_relkind(partitions->oids[i]) == RELKIND_RELATION)
      return partitions->oids[i];
  return InvalidOid;
}

}  // namespace
}  // namespace chatopt::partitions

// _newest_partition(parent regclass) -> regclass
Datum chatopt_partitions_newest_partition(PG_FUNCTION_ARGS) {
  Relation parent = relation_open(PG_GETARG_OID(0), AccessShareLock);
  if (parent->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not a partitioned table", RelationGetRelationName(parent))));
  const Oid newest = chatopt::partitions::newest_partition(parent);
  relation_close(parent, AccessShareLock);
  if (!OidIsValid(newest)) PG_RETURN_NULL();
  PG_RETURN_OID(newest);
}
