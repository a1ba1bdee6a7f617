// The skipped numbers that are stored against those that the messages say.
//
// Messages come from one query in order of conversation and number; what is
// stored of a conversation is read when its last message has been seen.

#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "pg/row_finder.hpp"
#include "reads/skip_ranges.hpp"
#include "reads/verifying.hpp"

namespace chatopt::reads {
namespace {

constexpr long kRowsAtATime = 10000;

// The conversation that is being gone through; in a memory context of its own.
struct Current {
  const char* text;
  Datum key;
  int64 last;
  MessageRanges messages;
};

struct Verifier {
  const Reads* reads;
  const counters::Drift* drift;
  Relation table;
  TupleTableSlot* slot;
  MemoryContext context;
  Current now;
};

void report(const Verifier& verifier, const char* counter, const char* stored, const char* actual) {
  counters::add_drift(*verifier.drift, verifier.now.text, counter, stored, actual);
}

SkipLookup lookup_of(const Verifier& verifier, TupleTableSlot* slot) {
  return {*verifier.reads, verifier.table, slot, verifier.now.key, GetActiveSnapshot()};
}

// A row as the scan finds it, with how many numbers it skips.
struct StoredRow {
  int level;
  int64 chunk;
  int64 skipped;
  core::SkipNode node;  // from level 1 on
};

// False: it is damaged.
bool read_row(TupleTableSlot* slot, StoredRow* row) {
  bool null;
  row->level = DatumGetInt16(slot_getattr(slot, skipped::kLevel, &null));
  row->chunk = DatumGetInt64(slot_getattr(slot, skipped::kChunk, &null));
  if (row->level < 0 || row->level > core::kSkipLevels || row->chunk < 0) return false;
  if (row->level > 0) {
    if (!unpack_skips(slot, row->level, row->node)) return false;
    row->skipped = core::skip_sum(row->node, core::kSkipFanOut);
    return true;
  }
  core::SkipLeaf leaf;
  if (!unpack_skips(slot, leaf)) return false;
  row->skipped = core::skip_leaf_count(leaf, 0, core::kSkipLeafNumbers - 1);
  return true;
}

const char* place_text(int level, int64 chunk, int64 skipped) {
  return psprintf("level %d, chunk %lld: %lld", level, static_cast<long long>(chunk), static_cast<long long>(skipped));
}

// Its parent counts what it skips. Row 0 of a level need not have one yet.
bool check_parent(const Verifier& verifier, const SkipLookup& lookup, const StoredRow& row) {
  if (row.level == core::kSkipLevels) return true;
  core::SkipNode parent;
  const int64 chunk = row.chunk / core::kSkipFanOut;
  const bool there = lookup.load(row.level + 1, chunk, parent);
  const int64 counted = there ? parent.counts[row.chunk % core::kSkipFanOut] : 0;
  if (there ? counted == row.skipped : row.chunk == 0) return true;
  report(verifier, "skipped counts", there ? place_text(row.level, row.chunk, counted) : nullptr,
         place_text(row.level, row.chunk, row.skipped));
  return false;
}

// A child without a row is empty, or removed as a whole.
bool check_children(const Verifier& verifier, const SkipLookup& lookup, const StoredRow& row) {
  const int level = row.level - 1;
  for (int child = 0; child < core::kSkipFanOut; ++child) {
    const int64 counted = row.node.counts[child];
    if (counted == 0 || counted == core::skip_capacity(level)) continue;
    const int64 chunk = row.chunk * core::kSkipFanOut + child;
    core::SkipLeaf leaf;
    core::SkipNode node;
    if (level == 0 ? lookup.load(level, chunk, leaf) : lookup.load(level, chunk, node)) continue;
    report(verifier, "skipped counts", place_text(level, chunk, counted), nullptr);
    return false;
  }
  return true;
}

// Runs check(row) on every row of the conversation while it is true.
template <class Check>
bool for_each_stored(const Verifier& verifier, Check&& check) {
  pg::RowScan scan = pg::begin_scan(verifier.reads->skipped, verifier.table, &verifier.now.key, 1, GetActiveSnapshot());
  bool fine = true;
  while (fine && pg::next_row(&scan)) {
    StoredRow row;
    fine = read_row(scan.slot, &row);
    if (!fine)
      report(verifier, "skipped counts", psprintf("level %d, chunk %lld", row.level, static_cast<long long>(row.chunk)),
             "damaged");
    else
      fine = check(row);
    CHECK_FOR_INTERRUPTS();
  }
  pg::end_scan(&scan);
  return fine;
}

// Is each row what its neighbours say? Where one is damaged, the sets cannot be read.
bool rows_are_sound(const Verifier& verifier) {
  if (!for_each_stored(verifier, [](const StoredRow&) { return true; })) return false;
  const SkipLookup lookup = lookup_of(verifier, verifier.slot);
  for_each_stored(verifier, [&](const StoredRow& row) {
    return check_parent(verifier, lookup, row) && (row.level == 0 || check_children(verifier, lookup, row));
  });
  return true;
}

void compare(const Verifier& verifier, const SkipRanges& stored, const SkipRanges& actual, core::SkipKind kind,
             const char* counter) {
  const char* too_many = difference_text(stored, actual, kind);
  const char* too_few = difference_text(actual, stored, kind);
  if (too_many != nullptr || too_few != nullptr) report(verifier, counter, too_many, too_few);
}

void end_conversation(Verifier* verifier) {
  if (verifier->now.text == nullptr) return;
  end_messages(&verifier->now.messages, verifier->now.last);
  if (rows_are_sound(*verifier)) {
    SkipLookup lookup = lookup_of(*verifier, verifier->slot);
    const SkipRanges stored = stored_ranges(&lookup, verifier->now.last);
    compare(*verifier, stored, verifier->now.messages.skipped, core::SkipKind::kRemoved, "removed numbers");
    compare(*verifier, stored, verifier->now.messages.skipped, core::SkipKind::kUncounted, "uncounted numbers");
  }
  verifier->now = {};
  MemoryContextReset(verifier->context);
}

// key, its text, last number, number of a message or NULL, whether it counts.
enum Column { kKey = 1, kText, kLast, kNumber, kCounted };

const char* messages_query(const Reads& reads) {
  const counters::Chat& chat = *reads.chat;
  const counters::Source& source = *counters::source_of(chat.messages);
  const char* number = counters::quoted_column(chat.messages, source.number);
  return psprintf(
      "%s SELECT p.key, p.key::text, p.last::bigint, new.%s::bigint, (%s) FROM picked AS p LEFT JOIN %s AS new ON "
      "new.%s = p.key AND new.%s BETWEEN 1 AND p.last%s WHERE p.filled ORDER BY p.key, new.%s",
      picked_conversations(reads), number, counters::counted_condition(chat.messages, "new"),
      counters::qualified_name(chat.messages), counters::quoted_column(chat.messages, source.conversation), number,
      counters::purged_condition(chat, "new", GetActiveSnapshot()), number);
}

void see_row(Verifier* verifier, HeapTuple row, TupleDesc columns) {
  bool null;
  const Datum key = SPI_getbinval(row, columns, kKey, &null);
  const pg::ValueType& type = verifier->reads->conversation_type;
  if (verifier->now.text == nullptr || !datum_image_eq(key, verifier->now.key, type.by_value, type.length)) {
    end_conversation(verifier);
    verifier->now.key = datumCopy(key, type.by_value, type.length);
    verifier->now.text = TextDatumGetCString(SPI_getbinval(row, columns, kText, &null));
    verifier->now.last = DatumGetInt64(SPI_getbinval(row, columns, kLast, &null));
    verifier->now.messages.next = 1;
  }
  const Datum number = SPI_getbinval(row, columns, kNumber, &null);
  if (null) return;
  bool unknown;
  const bool counted = DatumGetBool(SPI_getbinval(row, columns, kCounted, &unknown)) && !unknown;
  add_message(&verifier->now.messages, DatumGetInt64(number), counted);
}

}  // namespace

void verify_skips(const Reads& reads, const counters::Drift& drift) {
  Oid types[] = {reads.conversation_type.type, FLOAT8OID};
  Datum values[] = {drift.key, Float8GetDatum(drift.sample)};
  const char nulls[] = {drift.all ? 'n' : ' ', ' ', '\0'};
  Verifier verifier = {&reads,
                       &drift,
                       table_open(reads.skipped_numbers, AccessShareLock),
                       nullptr,
                       AllocSetContextCreate(CurrentMemoryContext, "chatopt verify", ALLOCSET_DEFAULT_SIZES),
                       {}};
  verifier.slot = table_slot_create(verifier.table, nullptr);
  Portal cursor =
      SPI_cursor_open_with_args(nullptr, messages_query(reads), lengthof(types), types, values, nulls, true, 0);
  MemoryContext caller = MemoryContextSwitchTo(verifier.context);
  for (;;) {
    SPI_cursor_fetch(cursor, true, kRowsAtATime);
    SPITupleTable* rows = SPI_tuptable;
    const uint64 count = SPI_processed;
    for (uint64 i = 0; i < count; ++i) see_row(&verifier, rows->vals[i], rows->tupdesc);
    SPI_freetuptable(rows);
    if (count == 0) break;
  }
  end_conversation(&verifier);
  MemoryContextSwitchTo(caller);
  SPI_cursor_close(cursor);
  ExecDropSingleTupleTableSlot(verifier.slot);
  table_close(verifier.table, NoLock);
  MemoryContextDelete(verifier.context);
}

}  // namespace chatopt::reads
