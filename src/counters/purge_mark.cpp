#include "counters/purge_mark.hpp"

#include <cstring>

#include "counters/queries.hpp"

namespace chatopt::counters {
namespace {

// Columns of chatopt.partition_purge, by position.
enum MarkColumn { kLeaf = 1, kParent, kDirection, kKey, kNumber, kFinished, kMessages };

Oid mark_table() {
  const Oid schema = get_namespace_oid("chatopt", true);
  return OidIsValid(schema) ? get_relname_relid("partition_purge", schema) : InvalidOid;
}

PurgeMark read_mark(TupleTableSlot* slot) {
  bool null;
  PurgeMark mark = {};
  mark.partition = DatumGetObjectId(slot_getattr(slot, kLeaf, &null));
  mark.parent = DatumGetObjectId(slot_getattr(slot, kParent, &null));
  mark.returning = strcmp(TextDatumGetCString(slot_getattr(slot, kDirection, &null)), "returning") == 0;
  mark.whole = DatumGetBool(slot_getattr(slot, kFinished, &null));
  mark.messages = DatumGetInt64(slot_getattr(slot, kMessages, &null));
  const Datum key = slot_getattr(slot, kKey, &null);
  if (null || mark.whole) return mark;
  mark.key = TextDatumGetCString(key);
  mark.number = DatumGetInt64(slot_getattr(slot, kNumber, &null));
  return mark;
}

// Runs visit(mark) on each row while it is true.
template <class Visit>
void for_each_mark(Snapshot snapshot, Visit&& visit) {
  const Oid table = mark_table();
  if (!OidIsValid(table)) return;
  Relation relation = table_open(table, AccessShareLock);
  Snapshot registered = RegisterSnapshot(snapshot);
  TableScanDesc scan = table_beginscan(relation, registered, 0, nullptr);
  TupleTableSlot* slot = table_slot_create(relation, nullptr);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
    if (!visit(read_mark(slot))) break;
  ExecDropSingleTupleTableSlot(slot);
  table_endscan(scan);
  UnregisterSnapshot(registered);
  table_close(relation, AccessShareLock);
}

const char* literal(const Source& source, const char* key) {
  return psprintf("%s::%s", quote_literal_cstr(key), format_type_be_qualified(source.conversation_type.type));
}

}  // namespace

PurgeMark purge_mark_of(Oid partition, Snapshot snapshot) {
  PurgeMark found = {};
  for_each_mark(snapshot, [&](const PurgeMark& mark) {
    if (mark.partition == partition) found = mark;
    return mark.partition != partition;
  });
  return found;
}

PurgeMark purge_mark_now(Oid partition) { return purge_mark_of(partition, GetLatestSnapshot()); }

bool is_up_to(const PurgeMark& mark, const Source& source, Datum conversation, int64 number) {
  if (!OidIsValid(mark.partition)) return false;
  if (mark.key == nullptr) return mark.whole;
  const Oid type = source.conversation_type.type;
  Oid input;
  Oid parameter;
  getTypeInputInfo(type, &input, &parameter);
  const Datum key = OidInputFunctionCall(input, const_cast<char*>(mark.key), parameter, -1);
  Oid collation;
  int32 modifier;
  Oid declared;
  get_atttypetypmodcoll(source.relation, source.conversation, &declared, &modifier, &collation);
  const int32 order = DatumGetInt32(FunctionCall2Coll(
      &lookup_type_cache(type, TYPECACHE_CMP_PROC_FINFO)->cmp_proc_finfo, collation, conversation, key));
  return order < 0 || (order == 0 && number <= mark.number);
}

const char* type_operator(Oid type, OrderOperator which) {
  const TypeCacheEntry* entry = lookup_type_cache(type, TYPECACHE_EQ_OPR | TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
  const Oid found = which == OrderOperator::kEqual     ? entry->eq_opr
                    : which == OrderOperator::kLess ? entry->lt_opr
                                                    : entry->gt_opr;
  HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(found));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "type %u has no order", type);
  auto* form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
  const char* text =
      psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
  ReleaseSysCache(tuple);
  return text;
}

const char* up_to_mark(const PurgeMark& mark, const Source& source, const char* alias) {
  if (mark.key == nullptr) return mark.whole ? "true" : "false";
  const Oid type = source.conversation_type.type;
  const char* conversation = quoted_column(source.relation, source.conversation);
  const char* key = literal(source, mark.key);
  return psprintf("(%s.%s %s %s OR %s.%s %s %s AND %s.%s <= %lld)", alias, conversation,
                  type_operator(type, OrderOperator::kLess), key, alias, conversation,
                  type_operator(type, OrderOperator::kEqual), key, alias, quoted_column(source.relation, source.number),
                  static_cast<long long>(mark.number));
}

const char* purged_condition(const Chat& chat, const char* alias, Snapshot snapshot) {
  StringInfoData sql;
  initStringInfo(&sql);
  for_each_mark(snapshot, [&](const PurgeMark& mark) {
    // Of all its messages none has been purged: nothing to leave out.
    if (mark.parent != chat.messages || (mark.key == nullptr && !mark.whole)) return true;
    appendStringInfo(&sql, " AND (%s.tableoid = %u::pg_catalog.oid AND %s) IS NOT TRUE", alias, mark.partition,
                     up_to_mark(mark, *source_of(chat.messages), alias));
    return true;
  });
  return sql.data;
}

const char* purged_condition_now(const Chat& chat, const char* alias) {
  return purged_condition(chat, alias, GetLatestSnapshot());
}

bool has_purged(Oid messages) {
  bool found = false;
  for_each_mark(GetLatestSnapshot(), [&](const PurgeMark& mark) {
    found = mark.parent == messages && (mark.key != nullptr || mark.whole);
    return !found;
  });
  return found;
}

void refuse_if_purging(const Source& source) {
  const PurgeMark mark = purge_mark_now(source.relation);
  if (!OidIsValid(mark.partition)) return;
  ereport(ERROR,
          (errcode(ERRCODE_CHECK_VIOLATION),
           mark.returning ? errmsg("partition \"%s\" is being put back", get_rel_name(source.relation))
                          : errmsg("partition \"%s\" is being retired", get_rel_name(source.relation)),
           errdetail("Until then no message can be sent or moved into it, nor change its conversation or sequence number."),
           mark.returning ? errhint("The transaction might succeed if retried.")
                          : errhint("CALL chatopt.restore_partition puts its messages back into the counters.")));
}

void refuse_move_if_purging(const Source& source, bool renamed) {
  if (!renamed || !purge_mark_now(source.relation).whole) refuse_if_purging(source);
}

}  // namespace chatopt::counters
