// chatopt.number_message(): the BEFORE ROW trigger that gives a message its number.

#include "counters/counter_row.hpp"
#include "counters/purge_mark.hpp"
#include "counters/row.hpp"
#include "counters/settings.hpp"
#include "counters/site.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_number_message);
PGDLLEXPORT Datum chatopt_number_message(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

constexpr int64 kFarthestImport = 1000000000;

struct Row {
  Datum conversation;
  bool no_conversation;
  int64 number;
  bool no_number;
};

Row read_row(const Source& source, HeapTuple tuple, TupleDesc descriptor) {
  Row row;
  row.conversation = heap_getattr(tuple, source.conversation, descriptor, &row.no_conversation);
  const Datum number = heap_getattr(tuple, source.number, descriptor, &row.no_number);
  row.number = row.no_number ? 0 : source.number_is_int4 ? DatumGetInt32(number) : DatumGetInt64(number);
  return row;
}

HeapTuple with_number(const Source& source, HeapTuple tuple, TupleDesc descriptor, int64 number, bool null) {
  if (!null && source.number_is_int4 && number > PG_INT32_MAX)
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("integer out of range"),
                    errdetail("Sequence number column \"%s\" cannot hold %lld.",
                              get_attname(source.relation, source.number, false), static_cast<long long>(number)),
                    errhint("Change the column's type to bigint.")));
  int column = source.number;
  Datum value = source.number_is_int4 ? Int32GetDatum(static_cast<int32>(number)) : Int64GetDatum(number);
  return heap_modify_tuple_by_cols(tuple, descriptor, 1, &column, &value, &null);
}

bool may_import(const Source& source) {
  return explicit_sequence() && has_privs_of_role(GetUserId(), source.chat->owner);
}

[[noreturn]] void raise_explicit(const Source& source, int64 number, bool update) {
  ereport(ERROR,
          (errcode(ERRCODE_GENERATED_ALWAYS),
           update ? errmsg("cannot change sequence number of a message to %lld", static_cast<long long>(number))
                  : errmsg("cannot insert explicit sequence number %lld", static_cast<long long>(number)),
           errdetail("Column \"%s\" of table \"%s\" is numbered by chatopt.",
                     get_attname(source.relation, source.number, false), get_rel_name(source.relation)),
           errhint("Leave the column out, or give NULL. For an import, SET chatopt.explicit_sequence = on as a member "
                   "of the role that owns the table.")));
  pg_unreachable();
}

// Locks the counter and makes sure that it holds what the row holds.
void make_ready(const Source& source, core::Ledger& ledger, core::Counter& counter, Datum conversation) {
  if (counter.notes().any && counter.locked()) return;  // this statement has been here
  const bool found = counter.locked() ? refresh_counter(*source.chat, ledger, counter)
                                      : lock_counter_row(*source.chat, ledger, counter);
  if (!found) raise_unknown_conversation(source, conversation);
}

// The last number there is has been given.
void check_not_exhausted(const Source& source, const core::Counter& counter) {
  if (counter.exhausted())
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("bigint out of range"),
                    errdetail("A conversation of table \"%s\" has reached the greatest sequence number.",
                              get_rel_name(source.chat->conversations))));
}

void check_import(const Source& source, core::Counter& counter, int64 number) {
  const int64 farthest = counter.last() > PG_INT64_MAX - kFarthestImport ? PG_INT64_MAX
                                                                          : counter.last() + kFarthestImport;
  if (number < 1 || number > farthest)
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("sequence number %lld is out of range", static_cast<long long>(number)),
                    errdetail("It must be between 1 and %lld, the conversation's last number plus %lld.",
                              static_cast<long long>(farthest), static_cast<long long>(kFarthestImport))));
  if (number <= counter.last() && number_is_taken(*source.chat, counter.key(), number))
    ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("sequence number %lld is already taken in its conversation",
                           static_cast<long long>(number))));
}

HeapTuple number_insert(Site* site, core::Ledger& ledger, HeapTuple tuple, TupleDesc descriptor) {
  const Source& source = *site->source;
  const auto statement = site->statement;
  if (source.purging) refuse_if_purging(source);
  pg::cpp_zone([&] { ledger.reclaim(statement); });
  Row row = read_row(source, tuple, descriptor);
  if (row.no_conversation) {
    pg::cpp_zone([&] { ledger.pass(statement); });
    return row.no_number ? tuple : with_number(source, tuple, descriptor, 0, true);
  }
  core::Counter& counter = counter_for(site, ledger, &row.conversation);
  if (!row.no_number) {
    if (pg::cpp_zone([&] { return ledger.hand_out_again(counter, statement, row.number); })) return tuple;
    if (!core::Ledger::was_removed(counter, row.number)) {
      if (!may_import(source)) raise_explicit(source, row.number, false);
      make_ready(source, ledger, counter, row.conversation);
      check_import(source, counter, row.number);
    }
    // Moved to another partition, or imported.
    pg::cpp_zone([&] { ledger.hand_out_given(counter, statement, row.number); });
    return tuple;
  }
  make_ready(source, ledger, counter, row.conversation);
  if (!counter.filled()) {  // backfill will number it
    pg::cpp_zone([&] { ledger.pass(statement); });
    return tuple;
  }
  check_not_exhausted(source, counter);
  const int64 number = pg::cpp_zone([&] { return ledger.hand_out(counter, statement); });
  return with_number(source, tuple, descriptor, number, false);
}

// The conversation stays the same: so does the number.
HeapTuple keep_number(Site* site, core::Ledger& ledger, int64 reclaimed, const Row& before, Row& after,
                      HeapTuple tuple, TupleDesc descriptor) {
  const Source& source = *site->source;
  if (before.no_number == after.no_number && before.number == after.number) return tuple;
  core::Counter& counter = counter_for(site, ledger, &after.conversation);
  // An upsert that sets every column brings the number it would have inserted
  // with; a stale object brings none.
  const bool ours = after.no_number || (reclaimed != 0 && after.number == reclaimed) || core::Ledger::is_free(counter, after.number);
  if (!ours) {
    if (!may_import(source)) raise_explicit(source, after.number, true);
    if (source.purging) refuse_if_purging(source);
    make_ready(source, ledger, counter, after.conversation);
    check_import(source, counter, after.number);
    pg::cpp_zone([&] { ledger.hand_out_given(counter, site->statement, after.number); });
    return tuple;
  }
  return with_number(source, tuple, descriptor, before.number, before.no_number);
}

HeapTuple number_update(Site* site, core::Ledger& ledger, HeapTuple old_tuple, HeapTuple tuple,
                        TupleDesc descriptor) {
  const Source& source = *site->source;
  const int64 reclaimed = pg::cpp_zone([&] { return ledger.reclaim(site->statement); });
  Row before = read_row(source, old_tuple, descriptor);
  Row after = read_row(source, tuple, descriptor);
  if (after.no_conversation) return after.no_number ? tuple : with_number(source, tuple, descriptor, 0, true);
  if (!before.no_conversation) {
    const core::Bytes from = pg::image_of(&before.conversation, source.conversation_type);
    const core::Bytes to = pg::image_of(&after.conversation, source.conversation_type);
    const bool same = from.size() == to.size() && std::memcmp(from.data(), to.data(), to.size()) == 0;
    const bool renamed = !same && ledger.was_renamed(source.chat->counters, from, to);
    if (source.purging && !same) refuse_move_if_purging(source, renamed);
    if (same || renamed)
      return keep_number(site, ledger, reclaimed, before, after, tuple, descriptor);
  }
  if (source.purging) refuse_if_purging(source);
  core::Counter& counter = counter_for(site, ledger, &after.conversation);
  make_ready(source, ledger, counter, after.conversation);
  if (!counter.filled()) return after.no_number ? tuple : with_number(source, tuple, descriptor, 0, true);
  if (!after.no_number &&
      pg::cpp_zone([&] { return ledger.hand_out_again(counter, site->statement, after.number); }))
    return tuple;
  check_not_exhausted(source, counter);
  const int64 number = pg::cpp_zone([&] { return ledger.hand_out(counter, site->statement); });
  return with_number(source, tuple, descriptor, number, false);
}

}  // namespace
}  // namespace chatopt::counters

Datum chatopt_number_message(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  if (!CALLED_AS_TRIGGER(fcinfo))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"number_message\" was not called by trigger manager")));
  auto* data = reinterpret_cast<TriggerData*>(fcinfo->context);
  const bool insert = TRIGGER_FIRED_BY_INSERT(data->tg_event);
  if (!TRIGGER_FIRED_FOR_ROW(data->tg_event) || !TRIGGER_FIRED_BEFORE(data->tg_event) ||
      !(insert || TRIGGER_FIRED_BY_UPDATE(data->tg_event)))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"number_message\" must be fired BEFORE INSERT OR UPDATE FOR EACH ROW")));

  Site* site = site_of(fcinfo);
  if (site->generation != cache_generation() || site->source == nullptr) {
    site->source = source_of(data->tg_relation);
    site->generation = cache_generation();
    site->counter = nullptr;
  }
  auto& ledger = chatopt::counters::ledger();
  TupleDesc descriptor = RelationGetDescr(data->tg_relation);
  HeapTuple result = insert ? number_insert(site, ledger, data->tg_trigtuple, descriptor)
                            : number_update(site, ledger, data->tg_trigtuple, data->tg_newtuple, descriptor);
  return PointerGetDatum(result);
}
