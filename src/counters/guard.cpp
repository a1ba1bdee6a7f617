// chatopt.guard_counters(): counter columns are chatopt's. BEFORE INSERT OR
// UPDATE OF the key and the counters, on the counter table; and OF the key on
// the conversations table where that is another one.

#include "counters/guard.hpp"

#include <cstring>

#include "counters/ledgers.hpp"
#include "counters/settings.hpp"
#include "pg/image.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_guard_counters);
PGDLLEXPORT Datum chatopt_guard_counters(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

struct Columns {
  int number[8];
  Datum value[8];
  bool null[8];
  int count = 0;
  void add(int column, Datum datum, bool is_null) {
    number[count] = column;
    value[count] = datum;
    null[count++] = is_null;
  }
};

bool is_count(const char* role) {
  return strcmp(role, "last_sequence_number") == 0 || strcmp(role, "message_count") == 0 ||
         strcmp(role, "member_count") == 0;
}

Oid column_type(TriggerData* data, AttrNumber column) {
  return TupleDescAttr(RelationGetDescr(data->tg_relation), column - 1)->atttypid;
}

Datum zero(Oid type) { return type == INT4OID ? Int32GetDatum(0) : Int64GetDatum(0); }

HeapTuple replaced(TriggerData* data, HeapTuple tuple, Columns* columns) {
  if (columns->count == 0) return tuple;
  return heap_modify_tuple_by_cols(tuple, RelationGetDescr(data->tg_relation), columns->count, columns->number,
                                   columns->value, columns->null);
}

// A new conversation starts at zero, whatever the statement says.
HeapTuple guard_insert(TriggerData* data) {
  Columns columns;
  const Trigger* trigger = data->tg_trigger;
  for (int i = 0; i < trigger->tgnargs; ++i) {
    const char* role = trigger->tgargs[i];
    if (strcmp(role, "conversation") == 0) continue;
    const AttrNumber column = trigger->tgattr[i];
    const bool null = !is_count(role);
    columns.add(column, null ? Datum{0} : zero(column_type(data, column)), null);
  }
  return replaced(data, data->tg_trigtuple, &columns);
}

void note_rename(TriggerData* data, AttrNumber column) {
  TupleDesc descriptor = RelationGetDescr(data->tg_relation);
  bool from_null;
  bool to_null;
  Datum from = heap_getattr(data->tg_trigtuple, column, descriptor, &from_null);
  Datum to = heap_getattr(data->tg_newtuple, column, descriptor, &to_null);
  if (from_null || to_null) return;
  const pg::ValueType type = pg::value_type(column_type(data, column));
  const core::Bytes a = pg::image_of(&from, type);
  const core::Bytes b = pg::image_of(&to, type);
  if (a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0) return;
  const Oid relation = RelationGetRelid(data->tg_relation);
  const Chat* chat = chat_of_conversations(relation);
  if (chat == nullptr) return;
  auto& ledger = counters::ledger();
  const uint32 target = chat->counters;
  pg::cpp_zone([&] { ledger.renamed(target, a, b); });
}

// An update of a counter is ignored, or refused where it would change it.
HeapTuple guard_update(TriggerData* data) {
  Columns columns;
  TupleDesc descriptor = RelationGetDescr(data->tg_relation);
  const Trigger* trigger = data->tg_trigger;
  for (int i = 0; i < trigger->tgnargs; ++i) {
    const AttrNumber column = trigger->tgattr[i];
    if (strcmp(trigger->tgargs[i], "conversation") == 0) {
      note_rename(data, column);
      continue;
    }
    bool old_null;
    bool new_null;
    const Datum old_value = heap_getattr(data->tg_trigtuple, column, descriptor, &old_null);
    const Datum new_value = heap_getattr(data->tg_newtuple, column, descriptor, &new_null);
    const Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
    if (old_null == new_null &&
        (old_null || datum_image_eq(old_value, new_value, attribute->attbyval, attribute->attlen)))
      continue;
    if (refuse_counter_writes())
      ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
                      errmsg("column \"%s\" can only be changed by chatopt", NameStr(attribute->attname)),
                      errdetail("It is a counter of table \"%s\".", RelationGetRelationName(data->tg_relation)),
                      errhint("Leave it out of the SET list, or SET chatopt.counter_writes = ignore.")));
    columns.add(column, old_value, old_null);
  }
  return replaced(data, data->tg_newtuple, &columns);
}

}  // namespace

AttrNumber conversation_key_column(const Chat& chat) {
  if (chat.counters == chat.conversations) return chat.key;
  Role roles[kMostRoles];
  const int count = roles_of(chat.conversations, roles);
  for (int i = 0; i < count; ++i)
    if (strcmp(roles[i].name, "conversation") == 0) return roles[i].column;
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("the chatopt triggers of table \"%s\" are not complete", get_rel_name(chat.conversations)),
                  errhint("Call chatopt.attach again: it puts back what is missing.")));
  pg_unreachable();
}

}  // namespace chatopt::counters

Datum chatopt_guard_counters(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  auto* data = CALLED_AS_TRIGGER(fcinfo) ? reinterpret_cast<TriggerData*>(fcinfo->context) : nullptr;
  if (data == nullptr || !TRIGGER_FIRED_BEFORE(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
      data->tg_trigger->tgnattr != data->tg_trigger->tgnargs || data->tg_trigger->tgnargs > 8 ||
      TRIGGER_FIRED_BY_DELETE(data->tg_event))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"guard_counters\" must be fired by a trigger of chatopt.attach")));
  return PointerGetDatum(TRIGGER_FIRED_BY_INSERT(data->tg_event) ? guard_insert(data) : guard_update(data));
}
