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

struct Locks {
  pg::WantedLock* first;
  int count;
};

void add(Locks* locks, Oid relation, LOCKMODE mode) { locks->first[locks->count++] = {relation, mode}; }

// With room for one more.
Locks locks_around(Oid parent, LOCKMODE parent_mode, LOCKMODE referencing_mode) {
  const Tables targets = targets_of(parent);
  const Tables others = referencing(parent);
  Locks locks = {static_cast<pg::WantedLock*>(palloc(sizeof(pg::WantedLock) * (targets.count + others.count + 2))), 0};
  add(&locks, parent, parent_mode);
  for (int i = 0; i < targets.count; ++i) add(&locks, targets.first[i], ShareRowExclusiveLock);
  for (int i = 0; i < others.count; ++i) add(&locks, others.first[i], referencing_mode);
  return locks;
}

std::span<const pg::WantedLock> all(const Locks& locks) { return {locks.first, static_cast<size_t>(locks.count)}; }

}  // namespace

std::span<const pg::WantedLock> attach_locks(Oid parent) {
  Locks locks = locks_around(parent, ShareUpdateExclusiveLock, ShareRowExclusiveLock);
  const Oid default_partition = get_default_partition_oid(parent);
  if (OidIsValid(default_partition)) add(&locks, default_partition, AccessExclusiveLock);
  return all(locks);
}

std::span<const pg::WantedLock> detach_locks(Oid parent, Oid leaf) {
  Locks locks = locks_around(parent, AccessExclusiveLock, AccessExclusiveLock);
  add(&locks, leaf, AccessExclusiveLock);
  return all(locks);
}

}  // namespace chatopt::partitions
