// What one call site of a trigger or WHEN function remembers from row to row of
// a statement: kept in fn_extra, void when the cache or the ledger changes.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "counters/follower.hpp"
#include "counters/ledgers.hpp"
#include "pg/image.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

struct Site {
  core::Ledger::Tag statement;
  uint64 generation;
  Oid relation;
  Source* source;
  core::Ledger* ledger;
  uint64 epoch;
  core::Counter* counter;  // the last row's
};

inline Site* site_of(FunctionCallInfo fcinfo) {
  auto* site = static_cast<Site*>(fcinfo->flinfo->fn_extra);
  if (site == nullptr) {
    MemoryContext context = fcinfo->flinfo->fn_mcxt;
    site = static_cast<Site*>(MemoryContextAllocZero(context, sizeof(Site)));
    site->statement = statement_tag(context);
    fcinfo->flinfo->fn_extra = site;
  }
  return site;
}

inline void forget_counter(Site* site, core::Ledger& ledger) {
  site->counter = nullptr;
  site->ledger = &ledger;
  site->epoch = ledger.epoch();
}

// The counter of a conversation, whose key was read from the source's column.
// *key may be detoasted in the current memory context.
inline core::Counter& counter_for(Site* site, core::Ledger& ledger, Datum* key) {
  const core::Bytes image = pg::image_of(key, site->source->conversation_type);
  if (site->ledger != &ledger || site->epoch != ledger.epoch()) forget_counter(site, ledger);
  core::Counter* last = site->counter;
  if (last != nullptr && last->target() == site->source->chat->counters && last->key().size() == image.size() &&
      std::memcmp(last->key().data(), image.data(), image.size()) == 0)
    return *last;
  site->counter = &counter_of(*site->source->chat, ledger, image);
  return *site->counter;
}

}  // namespace chatopt::counters
