#include "reads/membership.hpp"

#include "counters/queries.hpp"
#include "pg/identity.hpp"
#include "pg/row_finder.hpp"
#include "pg/row_writer.hpp"
#include "reads/marks.hpp"

namespace chatopt::reads {
namespace {

// What a member has had in the conversation before.
struct Earlier {
  bool any;
  bool open;
  int32 slot;
  int64 left;  // the greatest
  ItemPointerData place;  // of that interval
};

Earlier find_earlier(const Reads& reads, Relation table, const StateKey& key) {
  Earlier earlier = {};
  const Datum keys[] = {key.member, key.conversation};
  // Under the counter's lock nobody else changes intervals, only positions.
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  pg::RowScan scan = pg::begin_scan(reads.states, table, keys, 2, snapshot);
  while (pg::next_row(&scan)) {
    const StateRow row = read_state_row(scan.slot);
    earlier.slot = row.slot;
    earlier.open = earlier.open || row.open;
    if (!earlier.any || row.left >= earlier.left) {
      earlier.left = row.left;
      earlier.place = scan.slot->tts_tid;
    }
    earlier.any = true;
  }
  pg::end_scan(&scan);
  UnregisterSnapshot(snapshot);
  return earlier;
}

void insert_interval(pg::RowWriter* writer, const StateKey& key, int64 number, int32 slot) {
  pg::RowValues row = pg::new_row(writer->relation);
  row.set(state::kConversation, key.conversation);
  row.set(state::kMember, key.member);
  row.set(state::kJoined, Int64GetDatum(number));
  row.set(state::kDelivered, Int64GetDatum(number));
  row.set(state::kRead, Int64GetDatum(number));
  row.set(state::kSlot, Int32GetDatum(slot));
  pg::insert_row(writer, row);
  pfree(row.values);
  pfree(row.nulls);
}

void insert_interval(Relation table, const StateKey& key, int64 number, int32 slot) {
  pg::RowWriter writer = pg::open_writer(table);
  insert_interval(&writer, key, number, slot);
  pg::close_writer(&writer);
  CommandCounterIncrement();
}

// Writes left_seq of the interval at this place or its newest version: a mark
// may have moved its positions since it was found.
void write_left(Relation table, ItemPointerData place, Datum left, bool null) {
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const pg::ColumnValue value = {state::kLeft, left, null};
  for (bool written = false; !written;) {
    if (!pg::fetch_newest(table, place, slot))
      elog(ERROR, "membership in table \"%s\" is gone under its lock", RelationGetRelationName(table));
    pg::RowWriter writer = pg::open_writer(table);
    place = slot->tts_tid;
    written = pg::write_row(&writer, &place, &value, 1, slot);
    pg::close_writer(&writer);
    CHECK_FOR_INTERRUPTS();
  }
  ExecDropSingleTupleTableSlot(slot);
  CommandCounterIncrement();
}

}  // namespace

void join(const Reads& reads, Relation table, const StateKey& key, int64 number, Head* head) {
  const Earlier earlier = find_earlier(reads, table, key);
  if (earlier.open) return;
  head->members += 1;
  if (earlier.any && earlier.left == number)
    write_left(table, earlier.place, Datum{0}, true);
  else
    insert_interval(table, key, number, earlier.any ? earlier.slot : head->next_slot++);
}

void join_first(Relation table, Datum conversation, const Datum* members, uint64 count, int64 number, Head* head) {
  pg::RowWriter writer = pg::open_writer(table);
  for (uint64 i = 0; i < count; ++i) {
    insert_interval(&writer, {members[i], conversation}, number, head->next_slot++);
    head->members += 1;
    CHECK_FOR_INTERRUPTS();
  }
  pg::close_writer(&writer);
  CommandCounterIncrement();
}

void leave(const Reads& reads, Relation table, const StateKey& key, int64 number, Head* head) {
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const Datum keys[] = {key.member, key.conversation};
  const bool found = pg::find_row(reads.open_state, table, keys, slot);
  const ItemPointerData place = slot->tts_tid;
  ExecDropSingleTupleTableSlot(slot);
  if (!found) return;
  head->members -= 1;
  write_left(table, place, Int64GetDatum(number), false);
  clear_unread_mark(reads, key);
}

void join_present_members(const Reads& reads, Relation table, Datum conversation, int64 number, Head* head) {
  const counters::Chat& chat = *reads.chat;
  const counters::Source& source = *counters::source_of(chat.members);
  const pg::Identity before = pg::become_owner(chat.owner);
  SPI_connect();
  const char* member = counters::quoted_column(chat.members, source.key);
  const char* sql = psprintf("SELECT %s FROM %s AS new WHERE %s = $1 AND (%s) AND %s IS NOT NULL ORDER BY 1", member,
                             counters::qualified_name(chat.members),
                             counters::quoted_column(chat.members, source.conversation),
                             counters::counted_condition(chat.members, "new"), member);
  Oid type = source.conversation_type.type;
  if (SPI_execute_with_args(sql, 1, &type, &conversation, nullptr, false, 0) != SPI_OK_SELECT)
    elog(ERROR, "query of members failed");
  SPITupleTable* rows = SPI_tuptable;
  const uint64 count = SPI_processed;
  for (uint64 i = 0; i < count; ++i) {
    bool null;
    const StateKey key = {SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &null), conversation};
    join(reads, table, key, number, head);
  }
  SPI_finish();
  pg::become(before);
}

}  // namespace chatopt::reads
