#include "partitions/locks.hpp"

#include "pg/config.hpp"

namespace chatopt::partitions {
namespace {

struct Tables {
  Oid* first;
  int count;
};

Tables tables_of(const char* sql, Oid relation) {
  Datum value;
  if (!pg::config_value(sql, relation, &value)) return {nullptr, 0};
  Datum* elements;
  int count;
  deconstruct_array(DatumGetArrayTypeP(value), OIDOID, sizeof(Oid), true, TYPALIGN_INT, &elements, nullptr, &count);
  auto* tables = static_cast<Oid*>(palloc(sizeof(Oid) * (count + 1)));
  for (int i = 0; i < count; ++i) tables[i] = DatumGetObjectId(elements[i]);
  return {tables, count};
}

Tables targets_of(Oid parent) {
  return tables_of(
      "SELECT array_agg(DISTINCT confrelid ORDER BY confrelid) FROM pg_constraint WHERE conrelid = $1 AND contype = 'f' "
      "AND confrelid <> $1",
      parent);
}

Tables referencing(Oid parent) {
  return tables_of(
      "SELECT array_agg(DISTINCT conrelid ORDER BY conrelid) FROM pg_constraint WHERE confrelid = $1 AND contype = 'f' "
      "AND conrelid <> $1 AND conparentid = 0",
      parent);
}

class Locks {
 public:
  Locks(Oid parent, LOCKMODE parent_mode, LOCKMODE referencing_mode) {
    const Tables targets = targets_of(parent);
    const Tables others = referencing(parent);
    locks_ = static_cast<pg::WantedLock*>(palloc(sizeof(pg::WantedLock) * (targets.count + others.count + 2)));
    add(parent, parent_mode);
    for (int i = 0; i < targets.count; ++i) add(targets.first[i], ShareRowExclusiveLock);
    for (int i = 0; i < others.count; ++i) add(others.first[i], referencing_mode);
  }
  void add(Oid relation, LOCKMODE mode) { locks_[count_++] = {relation, mode}; }
  std::span<const pg::WantedLock> all() const { return {locks_, static_cast<size_t>(count_)}; }

 private:
  pg::WantedLock* locks_;
  int count_ = 0;
};

}  // namespace

std::span<const pg::WantedLock> attach_locks(Oid parent) {
  Locks locks(parent, ShareUpdateExclusiveLock, ShareRowExclusiveLock);
  const Oid default_partition = get_default_partition_oid(parent);
  if (OidIsValid(default_partition)) locks.add(default_partition, AccessExclusiveLock);
  return locks.all();
}

std::span<const pg::WantedLock> detach_locks(Oid parent, Oid leaf) {
  Locks locks(parent, AccessExclusiveLock, AccessExclusiveLock);
  locks.add(leaf, AccessExclusiveLock);
  return locks.all();
}

}  // namespace chatopt::partitions
