#include "partitions/purging.hpp"

#include "counters/config.hpp"
#include "counters/follower.hpp"
#include "counters/ledgers.hpp"
#include "counters/purge_mark.hpp"
#include "counters/row.hpp"
#include "counters/writing.hpp"
#include "partitions/purge_rows.hpp"
#include "pg/boundary.hpp"
#include "pg/identity.hpp"

namespace chatopt::partitions {
namespace {

using counters::Chat;
using counters::PurgeMark;
using counters::Source;

constexpr int kMostConversations = 1000;

// A partition to go through, and which way.
struct Purged {
  Oid leaf;
  int batch_rows;
  bool returning;
};

// Nothing is left to do, by the mark as it is now?
bool is_through(const Purged& purged, const PurgeMark& mark) {
  return purged.returning ? !OidIsValid(mark.partition) : !mark.returning && mark.whole;
}

PurgeMark mark_of(const Purged& purged) {
  const PurgeMark mark = counters::purge_mark_now(purged.leaf);
  if (!is_through(purged, mark) && (!OidIsValid(mark.partition) || mark.returning != purged.returning))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    purged.returning ? errmsg("partition \"%s\" is not being put back", get_rel_name(purged.leaf))
                                     : errmsg("partition \"%s\" is not being retired", get_rel_name(purged.leaf))));
  return mark;
}

core::Counter& counter_of(const Chat& chat, Datum* conversation) {
  return counters::counter_of(chat, counters::ledger(), pg::image_of(conversation, chat.key_type));
}

// False: somebody has it. A conversation that is gone has no counter to lock.
bool lock_counter(const Chat& chat, Datum conversation, bool wait) {
  core::Counter& counter = counter_of(chat, &conversation);
  return counter.locked() || counters::lock_counter_unless_busy(chat, counters::ledger(), counter, wait) !=
                                 counters::CounterLock::kBusy;
}

// The conversation that the batch begins with. Keeps no lock on the messages.
bool first_conversation(const Purged& purged, Datum* conversation) {
  bool any = false;
  MemoryContext caller = CurrentMemoryContext;
  (void)pg::in_subtransaction([&] {
    SPI_connect();
    const Source& source = *counters::source_of(purged.leaf);
    const PurgeMark mark = mark_of(purged);
    const PurgeRows rows = is_through(purged, mark) ? PurgeRows{nullptr, 0} : next_purge_rows(source, mark, 1);
    any = rows.count > 0;
    MemoryContext spi = MemoryContextSwitchTo(caller);
    if (any)
      *conversation =
          datumCopy(rows.rows[0].conversation, source.conversation_type.by_value, source.conversation_type.length);
    MemoryContextSwitchTo(spi);
    SPI_finish();
    return false;
  });
  return any;
}

// Of all partitions, as the last message may be looked for in any: nobody is waited for while a counter is held.
bool lock_tables(Oid parent) {
  List* tables = find_all_inheritors(parent, NoLock, nullptr);
  ListCell* cell;
  foreach (cell, tables)
    if (!ConditionalLockRelationOid(lfirst_oid(cell), AccessShareLock)) return false;
  return true;
}

// The mark's row, so that nobody else moves it.
bool lock_mark(Oid leaf) {
  Oid type = OIDOID;
  Datum value = ObjectIdGetDatum(leaf);
  return counters::run_as_config_owner("SELECT FROM chatopt.partition_purge WHERE leaf = $1 FOR UPDATE SKIP LOCKED", 1,
                                       &type, &value, nullptr) > 0;
}

// The conversations at the beginning of the rows whose counters are locked.
struct Conversations {
  Datum* keys;
  int count;
  bool all;  // those of all rows
};

bool same(const Chat& chat, Datum a, Datum b) { return datum_image_eq(a, b, chat.key_type.by_value, chat.key_type.length); }

Conversations lock_conversations(const Chat& chat, const PurgeRows& rows) {
  Conversations locked = {static_cast<Datum*>(palloc(kMostConversations * sizeof(Datum))), 0, true};
  for (uint64 i = 0; i < rows.count && locked.all; ++i) {
    const Datum key = rows.rows[i].conversation;
    if (locked.count > 0 && same(chat, key, locked.keys[locked.count - 1])) continue;
    locked.all = locked.count < kMostConversations && lock_counter(chat, key, false);
    if (locked.all) locked.keys[locked.count++] = key;
  }
  return locked;
}

void note(const Chat& chat, const Source& source, bool returning, PurgeRow* row) {
  core::Counter& counter = counter_of(chat, &row->conversation);
  // Held since the batch began, which the ledger may have forgotten when the cache changed. Else the conversation is gone.
  if (!lock_counter(chat, row->conversation, false) || !counter.locked()) return;
  core::Message message = {};
  message.number = row->number;
  message.counted = row->counted;
  message.key = pg::image_of(&row->key, source.key_type);
  message.time_null = row->time_null;
  if (!row->time_null) message.time = pg::image_of(&row->time, source.time_type);
  auto& ledger = counters::ledger();
  pg::cpp_zone([&] { returning ? ledger.restored(counter, message) : ledger.removed(counter, message); });
}

// Notes the rows of conversations that are locked; how many.
uint64 note_all(const Chat& chat, const Source& source, bool returning, const Conversations& locked,
                const PurgeRows& rows) {
  int at = 0;
  for (uint64 i = 0; i < rows.count; ++i) {
    while (at < locked.count && !same(chat, rows.rows[i].conversation, locked.keys[at])) ++at;
    if (at == locked.count) return i;
    note(chat, source, returning, &rows.rows[i]);
  }
  return rows.count;
}

void move_mark(const Purged& purged, const Source& source, const PurgeRow& last, uint64 count) {
  Oid output;
  bool varlena;
  getTypeOutputInfo(source.conversation_type.type, &output, &varlena);
  Oid types[] = {OIDOID, TEXTOID, INT8OID, INT8OID};
  // Going down, the last one is above the mark again.
  Datum values[] = {ObjectIdGetDatum(purged.leaf),
                    CStringGetTextDatum(OidOutputFunctionCall(output, last.conversation)),
                    Int64GetDatum(purged.returning ? last.number - 1 : last.number),
                    Int64GetDatum(static_cast<int64>(count))};
  (void)counters::run_as_config_owner(
      "UPDATE chatopt.partition_purge SET key = $2, number = $3, finished = false, messages = messages + $4 WHERE leaf = "
      "$1",
      lengthof(types), types, values, nullptr);
}

void finish(const Purged& purged) {
  if (purged.returning) {
    forget_purge(purged.leaf);
    return;
  }
  Oid type = OIDOID;
  Datum value = ObjectIdGetDatum(purged.leaf);
  (void)counters::run_as_config_owner("UPDATE chatopt.partition_purge SET finished = true WHERE leaf = $1", 1, &type,
                                      &value, nullptr);
}

// Inside SPI, as the owner of messages, with all tables locked.
Purge take_batch(const Chat& chat, const Purged& purged) {
  const Source& source = *counters::source_of(purged.leaf);
  const PurgeMark mark = mark_of(purged);
  if (is_through(purged, mark)) return Purge::kFinished;  // somebody else was faster
  const Conversations locked = lock_conversations(chat, next_purge_rows(source, mark, purged.batch_rows));
  if (locked.count == 0 && !locked.all) return Purge::kBusy;
  // Again, now that nobody changes what these conversations count.
  const PurgeRows rows = next_purge_rows(source, mark, purged.batch_rows);
  const uint64 noted = note_all(chat, source, purged.returning, locked, rows);
  const bool through = locked.all && noted == rows.count && noted < static_cast<uint64>(purged.batch_rows);
  if (noted > 0) move_mark(purged, source, rows.rows[noted - 1], noted);
  if (through) finish(purged);
  // The last message of a conversation is looked for with the mark where it is now.
  CommandCounterIncrement();
  PushActiveSnapshot(GetTransactionSnapshot());
  counters::write_noted(counters::ledger());
  PopActiveSnapshot();
  return through ? Purge::kFinished : Purge::kMore;
}

Purge run_batch(const Purged& purged) {
  const PurgeMark mark = mark_of(purged);
  if (is_through(purged, mark)) return Purge::kFinished;
  const Chat& chat = chat_to_purge(mark.parent);
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  Datum first;
  if (first_conversation(purged, &first)) (void)lock_counter(chat, first, true);
  Purge result = Purge::kBusy;
  if (lock_tables(mark.parent) && lock_mark(purged.leaf)) {
    SPI_connect();
    result = take_batch(chat, purged);
    SPI_finish();
  }
  pg::become(before);
  return result;
}

}  // namespace

Purge purge_batch(Oid leaf, int batch_rows) { return run_batch({leaf, batch_rows, false}); }

Purge return_batch(Oid leaf, int batch_rows) { return run_batch({leaf, batch_rows, true}); }

}  // namespace chatopt::partitions
