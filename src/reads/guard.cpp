// chatopt.guard_reads(): BEFORE INSERT OR UPDATE OR DELETE on a read state table.
// Plain SQL may move positions forward, as chatopt.mark_read does, and its owner
// may delete what members have left behind; everything else is chatopt's own.

#include "pg/image.hpp"
#include "reads/conversation_row.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_guard_reads);
PGDLLEXPORT Datum chatopt_guard_reads(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

// The module's own queries run as pg::become_owner does, and nothing a user can
// write does: SECURITY DEFINER does not set this bit.
bool is_maintenance(Relation table) {
  Oid user;
  int context;
  GetUserIdAndSecContext(&user, &context);
  return (context & SECURITY_NOFORCE_RLS) != 0 && user == table->rd_rel->relowner;
}

[[noreturn]] void refuse(Relation table, const char* what) {
  ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
                  errmsg("%s table \"%s\" is chatopt's", what, RelationGetRelationName(table)),
                  errdetail("Memberships follow the members table; positions only move forward."),
                  errhint("Change the members table, or call chatopt.mark_read.")));
  pg_unreachable();
}

struct Positions {
  bool open;
  int64 delivered;
  int64 read;
};

Positions positions_of(HeapTuple tuple, TupleDesc descriptor) {
  Positions positions;
  bool null;
  (void)heap_getattr(tuple, state::kLeft, descriptor, &positions.open);
  positions.delivered = DatumGetInt64(heap_getattr(tuple, state::kDelivered, descriptor, &null));
  positions.read = DatumGetInt64(heap_getattr(tuple, state::kRead, descriptor, &null));
  return positions;
}

bool same_column(HeapTuple before, HeapTuple after, TupleDesc descriptor, AttrNumber column) {
  bool before_null;
  bool after_null;
  const Datum a = heap_getattr(before, column, descriptor, &before_null);
  const Datum b = heap_getattr(after, column, descriptor, &after_null);
  const Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
  return before_null == after_null && (before_null || datum_image_eq(a, b, attribute->attbyval, attribute->attlen));
}

bool any_null(HeapTuple tuple, TupleDesc descriptor) {
  bool delivered;
  bool read;
  (void)heap_getattr(tuple, state::kDelivered, descriptor, &delivered);
  (void)heap_getattr(tuple, state::kRead, descriptor, &read);
  return delivered || read;
}

int64 last_number(TriggerData* data, TupleDesc descriptor) {
  bool null;
  const Datum conversation = heap_getattr(data->tg_newtuple, state::kConversation, descriptor, &null);
  const counters::Chat* chat = chat_of_read_state(RelationGetRelid(data->tg_relation));
  if (chat == nullptr)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" does not hold the reads of a chat", RelationGetRelationName(data->tg_relation)),
                    errdetail("It carries a trigger of chatopt, but chatopt's configuration does not name it, as after "
                              "a restore of some tables only."),
                    errhint("Call chatopt.track_reads for the messages table, or drop the trigger.")));
  int64 last;
  return newest_last_number(*chat, conversation, &last) ? last : 0;
}

HeapTuple guard_update(TriggerData* data) {
  TupleDesc descriptor = RelationGetDescr(data->tg_relation);
  HeapTuple before = data->tg_trigtuple;
  HeapTuple after = data->tg_newtuple;
  for (const AttrNumber column : {state::kConversation, state::kMember, state::kJoined, state::kLeft, state::kSlot})
    if (!same_column(before, after, descriptor, column)) refuse(data->tg_relation, "membership in");
  if (any_null(after, descriptor)) refuse(data->tg_relation, "an unknown position in");
  const Positions old = positions_of(before, descriptor);
  const Positions wanted = positions_of(after, descriptor);
  const int64 last = old.open ? last_number(data, descriptor) : 0;
  const int64 read = Max(old.read, Min(wanted.read, last));
  const int64 delivered = Max(Max(old.delivered, Min(wanted.delivered, last)), read);
  bool null;
  Datum moved_at = heap_getattr(before, state::kUpdatedAt, descriptor, &null);
  if (read > old.read) {
    moved_at = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
    null = false;
  }
  int columns[] = {state::kDelivered, state::kRead, state::kUpdatedAt};
  Datum values[] = {Int64GetDatum(delivered), Int64GetDatum(read), moved_at};
  bool nulls[] = {false, false, null};
  return heap_modify_tuple_by_cols(after, descriptor, lengthof(columns), columns, values, nulls);
}

HeapTuple guard_delete(TriggerData* data) {
  const Positions old = positions_of(data->tg_trigtuple, RelationGetDescr(data->tg_relation));
  if (old.open || !has_privs_of_role(GetUserId(), data->tg_relation->rd_rel->relowner))
    refuse(data->tg_relation, "membership in");
  return data->tg_trigtuple;
}

HeapTuple guard(TriggerData* data) {
  const bool update = TRIGGER_FIRED_BY_UPDATE(data->tg_event);
  if (is_maintenance(data->tg_relation)) return update ? data->tg_newtuple : data->tg_trigtuple;
  if (update) return guard_update(data);
  if (TRIGGER_FIRED_BY_DELETE(data->tg_event)) return guard_delete(data);
  refuse(data->tg_relation, "a new row of");
}

}  // namespace
}  // namespace chatopt::reads

Datum chatopt_guard_reads(PG_FUNCTION_ARGS) {
  auto* data = CALLED_AS_TRIGGER(fcinfo) ? reinterpret_cast<TriggerData*>(fcinfo->context) : nullptr;
  if (data == nullptr || !TRIGGER_FIRED_BEFORE(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
      TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) ||
      RelationGetDescr(data->tg_relation)->natts < chatopt::reads::state::kSlot)
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"guard_reads\" must be fired by a trigger of chatopt.track_reads")));
  return PointerGetDatum(chatopt::reads::guard(data));
}
