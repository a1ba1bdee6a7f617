// chatopt._copy_privileges(): gives a table the privileges of another, entry by
// entry. GRANT would not do: it grants in nobody's name but the owner's, and what
// default privileges have put on a new table would have to be found and revoked.

#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_partitions_copy_privileges);
PGDLLEXPORT Datum chatopt_partitions_copy_privileges(PG_FUNCTION_ARGS);
}

namespace chatopt::partitions {
namespace {

struct Column {
  int syscache;
  Relation catalogue;
  AttrNumber acl;
};

Acl* acl_of(const Column& column, HeapTuple tuple) {
  bool null;
  const Datum value = SysCacheGetAttr(column.syscache, tuple, column.acl, &null);
  return null ? nullptr : DatumGetAclPCopy(value);
}

int members_of(const Acl* acl, Oid** members) {
  *members = nullptr;
  return acl == nullptr ? 0 : aclmembers(acl, members);
}

// The roles that an entry names can be dropped only after it.
void update_dependencies(Oid table, AttrNumber attribute, Oid owner, const Acl* before, const Acl* after) {
  Oid* had;
  Oid* has;
  const int had_count = members_of(before, &had);
  const int has_count = members_of(after, &has);
  updateAclDependencies(RelationRelationId, table, attribute, owner, had_count, had, has_count, has);
}

void set_acl(const Column& column, HeapTuple tuple, Oid table, AttrNumber attribute, Oid owner, const Acl* acl) {
  const int columns = RelationGetNumberOfAttributes(column.catalogue);
  auto* values = static_cast<Datum*>(palloc0(sizeof(Datum) * static_cast<Size>(columns)));
  auto* nulls = static_cast<bool*>(palloc0(sizeof(bool) * static_cast<Size>(columns)));
  auto* replaced = static_cast<bool*>(palloc0(sizeof(bool) * static_cast<Size>(columns)));
  values[column.acl - 1] = PointerGetDatum(acl);
  nulls[column.acl - 1] = acl == nullptr;
  replaced[column.acl - 1] = true;
  const Acl* before = acl_of(column, tuple);
  HeapTuple changed = heap_modify_tuple(tuple, RelationGetDescr(column.catalogue), values, nulls, replaced);
  CatalogTupleUpdate(column.catalogue, &tuple->t_self, changed);
  update_dependencies(table, attribute, owner, before, acl);
}

void copy_table_acl(Relation source, Relation target) {
  const Column column = {RELOID, table_open(RelationRelationId, RowExclusiveLock), Anum_pg_class_relacl};
  HeapTuple from = SearchSysCache1(RELOID, ObjectIdGetDatum(RelationGetRelid(source)));
  HeapTuple to = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(RelationGetRelid(target)));
  if (!HeapTupleIsValid(from) || !HeapTupleIsValid(to)) elog(ERROR, "cache lookup failed for a table's privileges");
  set_acl(column, to, RelationGetRelid(target), 0, target->rd_rel->relowner, acl_of(column, from));
  ReleaseSysCache(from);
  table_close(column.catalogue, RowExclusiveLock);
}

// Columns go by name: the source may have dropped ones.
void copy_column_acls(Relation source, Relation target) {
  const Column column = {ATTNUM, table_open(AttributeRelationId, RowExclusiveLock), Anum_pg_attribute_attacl};
  const TupleDesc columns = RelationGetDescr(target);
  for (int i = 0; i < columns->natts; ++i) {
    const Form_pg_attribute attribute = TupleDescAttr(columns, i);
    if (attribute->attisdropped) continue;
    HeapTuple from = SearchSysCacheAttName(RelationGetRelid(source), NameStr(attribute->attname));
    HeapTuple to = SearchSysCacheCopyAttNum(RelationGetRelid(target), attribute->attnum);
    if (!HeapTupleIsValid(to)) elog(ERROR, "cache lookup failed for a column's privileges");
    const Acl* acl = HeapTupleIsValid(from) ? acl_of(column, from) : nullptr;
    if (acl != nullptr || acl_of(column, to) != nullptr)
      set_acl(column, to, RelationGetRelid(target), attribute->attnum, target->rd_rel->relowner, acl);
    if (HeapTupleIsValid(from)) ReleaseSysCache(from);
  }
  table_close(column.catalogue, RowExclusiveLock);
}

// Of one owner, or the entries' chain of grantors would not begin with the owner.
void check_owner(Relation source, Relation target) {
  if (!pg::owns_relation(RelationGetRelid(target), GetUserId()))
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(target));
  if (source->rd_rel->relowner != target->rd_rel->relowner)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("tables \"%s\" and \"%s\" have different owners", RelationGetRelationName(source),
                           RelationGetRelationName(target))));
}

}  // namespace
}  // namespace chatopt::partitions

// _copy_privileges(source regclass, target regclass) -> void
Datum chatopt_partitions_copy_privileges(PG_FUNCTION_ARGS) {
  using namespace chatopt::partitions;
  Relation source = table_open(PG_GETARG_OID(0), AccessShareLock);
  // No VACUUM, which updates the catalogue's row in place, goes on beside this.
  Relation target = table_open(PG_GETARG_OID(1), AccessExclusiveLock);
  check_owner(source, target);
  copy_table_acl(source, target);
  copy_column_acls(source, target);
  CommandCounterIncrement();
  table_close(target, NoLock);
  table_close(source, NoLock);
  PG_RETURN_VOID();
}
