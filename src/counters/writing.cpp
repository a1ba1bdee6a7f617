// chatopt.write_counters(): the one AFTER event of a statement. Writes each
// counter row the statement changed, once.

#include "counters/counter_row.hpp"
#include "counters/ledgers.hpp"
#include "counters/row.hpp"
#include "counters/writing.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_write_counters);
PGDLLEXPORT Datum chatopt_write_counters(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

// What a transaction remembers of rows it has written, to find them again fast.
constexpr std::size_t kKeptCounters = 65536;

struct Noted {
  core::Counter* counter;
  Chat* chat;  // NULL: detached meanwhile
  Datum key;
  bool there;
};

// Rows that are not locked yet are locked in the order of their key, so that two
// statements that change the same conversations do not deadlock.
int in_key_order(const void* left, const void* right) {
  const auto* a = static_cast<const Noted*>(left);
  const auto* b = static_cast<const Noted*>(right);
  if (a->counter->target() != b->counter->target()) return a->counter->target() < b->counter->target() ? -1 : 1;
  if (a->chat == nullptr) return 0;
  return DatumGetInt32(FunctionCall2Coll(&a->chat->key_order, a->chat->finder.key[0].collation, a->key, b->key));
}

// False: the conversation is gone, with its counters.
bool lock_one(core::Ledger& ledger, core::Counter& counter, Chat* chat) {
  return chat != nullptr && (counter.locked() || lock_counter_row(*chat, ledger, counter));
}

void write_one(core::Ledger& ledger, core::Counter& counter, Chat* chat, bool there) {
  if (there && counter.filled())
    write_counter(*chat, ledger, counter);
  else  // gone, or backfill will count
    pg::cpp_zone([&] { ledger.drop_notes(counter); });
}

void write_in_key_order(core::Ledger& ledger, std::size_t count) {
  MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "chatopt write", ALLOCSET_DEFAULT_SIZES);
  MemoryContext caller = MemoryContextSwitchTo(context);
  auto** counters = static_cast<core::Counter**>(MemoryContextAllocHuge(context, count * sizeof(core::Counter*)));
  ledger.noted({counters, count});
  auto* noted = static_cast<Noted*>(MemoryContextAllocHuge(context, count * sizeof(Noted)));
  for (std::size_t i = 0; i < count; ++i) {
    Chat* chat = chat_of_counters(counters[i]->target());
    noted[i] = {counters[i], chat, chat == nullptr ? Datum{0} : pg::datum_of(counters[i]->key(), chat->key_type), false};
  }
  qsort(noted, count, sizeof(Noted), in_key_order);
  MemoryContext each = AllocSetContextCreate(context, "chatopt write one", ALLOCSET_SMALL_SIZES);
  MemoryContextSwitchTo(each);
  // All are locked before anything is written: what follows a counter, such as a
  // reader's position, must not be held while waiting for the next counter.
  for (std::size_t i = 0; i < count; ++i) {
    noted[i].there = lock_one(ledger, *noted[i].counter, noted[i].chat);
    MemoryContextReset(each);
  }
  for (std::size_t i = 0; i < count; ++i) {
    write_one(ledger, *noted[i].counter, noted[i].chat, noted[i].there);
    MemoryContextReset(each);
  }
  MemoryContextSwitchTo(caller);
  MemoryContextDelete(context);
}

}  // namespace

void write_noted(core::Ledger& ledger) {
  const std::size_t count = ledger.noted_count();
  if (count == 0) return;
  // Versions that the statement itself made of a counter row become ordinary
  // ones, as for any trigger that runs a query.
  CommandCounterIncrement();
  core::Counter* sole = nullptr;
  if (count == 1) {  // a send
    ledger.noted({&sole, 1});
    Chat* const chat = chat_of_counters(sole->target());
    write_one(ledger, *sole, chat, lock_one(ledger, *sole, chat));
  } else {
    write_in_key_order(ledger, count);
  }
  pg::cpp_zone([&] { ledger.shrink(kKeptCounters); });
}

}  // namespace chatopt::counters

Datum chatopt_write_counters(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(reinterpret_cast<TriggerData*>(fcinfo->context)->tg_event))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"write_counters\" must be fired as an AFTER trigger")));
  if (auto* ledger = ledger_if_any()) {
    // The statement's rows are all through: what it gave and did not land is forgotten.
    ledger->rows_done(reinterpret_cast<chatopt::core::Ledger::Tag>(fcinfo->flinfo->fn_mcxt));
    write_noted(*ledger);
  }
  return PointerGetDatum(nullptr);
}
