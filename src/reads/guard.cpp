// chatopt.guard_reads(): positions are chatopt's. BEFORE INSERT OR UPDATE OR
// DELETE on a read-state table, for each row. What plain SQL may do is what a
// member may: raise their own position. Direct writes by chatopt fire no trigger.

#include <algorithm>

#include "counters/chat.hpp"
#include "counters/config.hpp"
#include "counters/queries.hpp"
#include "pg/identity.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_guard_reads);
PGDLLEXPORT Datum chatopt_guard_reads(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

// The columns of a read-state table, by position.
enum Column { kConversation = 1, kMember, kJoined, kLeft, kDelivered, kRead, kUpdatedAt, kSlot };

// Whose positions these are; good while the generation stays the same.
struct Site {
  uint64 generation;
  const counters::Chat* chat;
};

struct Value {
  Datum datum;
  bool null;
};

Value value_of(HeapTuple tuple, Column column, TupleDesc descriptor) {
  Value value;
  value.datum = heap_getattr(tuple, column, descriptor, &value.null);
  return value;
}

const counters::Chat& chat_of(FunctionCallInfo fcinfo, Relation relation) {
  auto* site = static_cast<Site*>(fcinfo->flinfo->fn_extra);
  if (site != nullptr && site->generation == counters::cache_generation()) return *site->chat;
  Datum messages;
  if (!counters::config_value("SELECT messages::oid FROM chatopt.read_tracking WHERE read_state = $1",
                              RelationGetRelid(relation), &messages))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" does not hold the reads of a chat", RelationGetRelationName(relation)),
                    errdetail("It carries a trigger of chatopt, but chatopt's configuration does not name it, as after "
                              "a restore of some tables only."),
                    errhint("Call chatopt.track_reads for the messages table, or drop the trigger.")));
  const counters::Chat* chat = counters::attached_chat(DatumGetObjectId(messages));
  if (site == nullptr) site = static_cast<Site*>(MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Site)));
  *site = {counters::cache_generation(), chat};
  fcinfo->flinfo->fn_extra = site;
  return *chat;
}

[[noreturn]] void raise_guarded(Relation relation, const char* what) {
  ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
                  errmsg("%s table \"%s\" can only be done by chatopt", what, RelationGetRelationName(relation)),
                  errdetail("It holds how far members have read; their rows come and go with the members table."),
                  errhint("An UPDATE may raise delivered_seq and read_seq of a present member; chatopt.mark_read and "
                          "chatopt.mark_delivered do so.")));
  pg_unreachable();
}

bool is_open(HeapTuple tuple, TupleDesc descriptor) { return value_of(tuple, kLeft, descriptor).null; }

// Is a column other than the positions changed?
bool changes_more(TriggerData* data, TupleDesc descriptor) {
  for (const Column column : {kConversation, kMember, kJoined, kLeft, kSlot}) {
    const Value before = value_of(data->tg_trigtuple, column, descriptor);
    const Value after = value_of(data->tg_newtuple, column, descriptor);
    const Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
    if (before.null != after.null ||
        (!before.null && !datum_image_eq(before.datum, after.datum, attribute->attbyval, attribute->attlen)))
      return true;
  }
  return false;
}

// The last number of a conversation, as this transaction sees it; no lower than
// the position it bounds where it is not known.
int64 last_number(const counters::Chat& chat, Datum conversation, int64 at_least) {
  const char* sql = psprintf("SELECT %s::bigint FROM %s WHERE %s = $1",
                             counters::quoted_column(chat.counters, chat.last_sequence_number),
                             counters::qualified_name(chat.counters), counters::quoted_column(chat.counters, chat.key));
  const pg::Identity before = pg::become_owner(chat.owner);
  SPI_connect();
  Oid type = chat.key_type.type;
  (void)SPI_execute_with_args(sql, 1, &type, &conversation, nullptr, false, 1);
  bool null = true;
  Datum last = 0;
  if (SPI_processed == 1) last = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
  const int64 result = null ? at_least : std::max(DatumGetInt64(last), at_least);
  SPI_finish();
  pg::become(before);
  return result;
}

// Raises positions as a mark would: not beyond the last number, and what is read
// is delivered. When it was read is chatopt's to say.
HeapTuple guard_update(TriggerData* data, const counters::Chat& chat) {
  TupleDesc descriptor = RelationGetDescr(data->tg_relation);
  HeapTuple tuple = data->tg_newtuple;
  const int64 old_delivered = DatumGetInt64(value_of(data->tg_trigtuple, kDelivered, descriptor).datum);
  const int64 old_read = DatumGetInt64(value_of(data->tg_trigtuple, kRead, descriptor).datum);
  const Value delivered = value_of(tuple, kDelivered, descriptor);
  const Value read = value_of(tuple, kRead, descriptor);
  if (delivered.null || read.null) return tuple;  // NOT NULL refuses it
  int64 to_delivered = DatumGetInt64(delivered.datum);
  int64 to_read = DatumGetInt64(read.datum);
  const bool moves = to_delivered != old_delivered || to_read != old_read;
  if (changes_more(data, descriptor) || to_delivered < old_delivered || to_read < old_read ||
      (moves && !is_open(data->tg_trigtuple, descriptor)))
    raise_guarded(data->tg_relation, "this change of");
  if (moves) {
    const Datum conversation = value_of(tuple, kConversation, descriptor).datum;
    const int64 last = last_number(chat, conversation, std::max(old_delivered, old_read));
    to_read = std::min(to_read, last);
    to_delivered = std::max(std::min(to_delivered, last), to_read);
  }
  const Value updated_at = to_read != old_read
                               ? Value{TimestampTzGetDatum(GetCurrentStatementStartTimestamp()), false}
                               : value_of(data->tg_trigtuple, kUpdatedAt, descriptor);
  int columns[] = {kDelivered, kRead, kUpdatedAt};
  Datum values[] = {Int64GetDatum(to_delivered), Int64GetDatum(to_read), updated_at.datum};
  bool nulls[] = {false, false, updated_at.null};
  return heap_modify_tuple_by_cols(tuple, descriptor, 3, columns, values, nulls);
}

// A former member can be erased, by the owner.
HeapTuple guard_delete(TriggerData* data) {
  if (is_open(data->tg_trigtuple, RelationGetDescr(data->tg_relation)) ||
      !pg::owns_relation(RelationGetRelid(data->tg_relation), GetUserId()))
    raise_guarded(data->tg_relation, "this DELETE from");
  return data->tg_trigtuple;
}

}  // namespace
}  // namespace chatopt::reads

Datum chatopt_guard_reads(PG_FUNCTION_ARGS) {
  using namespace chatopt::reads;
  auto* data = CALLED_AS_TRIGGER(fcinfo) ? reinterpret_cast<TriggerData*>(fcinfo->context) : nullptr;
  if (data == nullptr || !TRIGGER_FIRED_BEFORE(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"guard_reads\" must be fired by a trigger of chatopt.track_reads")));
  const chatopt::counters::Chat& chat = chat_of(fcinfo, data->tg_relation);
  if (TRIGGER_FIRED_BY_INSERT(data->tg_event)) raise_guarded(data->tg_relation, "an INSERT into");
  return PointerGetDatum(TRIGGER_FIRED_BY_DELETE(data->tg_event) ? guard_delete(data) : guard_update(data, chat));
}
