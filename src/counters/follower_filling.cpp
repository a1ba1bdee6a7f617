#include "counters/follower_filling.hpp"

#include "counters/drift.hpp"
#include "counters/queries.hpp"

namespace chatopt::counters {
namespace {

bool is_followed(const Run* run) { return attached_chat(run->messages)->reads != nullptr; }

Step fill_batch(Run* run, Datum key, bool wait, bool again) {
  return under_lock(run, key, wait, [&](const Chat& chat, core::Counter& counter) {
    // The counters are filled first.
    if (chat.reads == nullptr || !counter.filled()) return Step::kDone;
    FillBatch batch = {run->batch_size, again, 0};
    const Step step = follower()->fill(chat, key, counter.last(), &batch);
    run->progress.done += batch.done;
    return step;
  });
}

const char* unfilled(const Chat& chat) { return chat.reads == nullptr ? nullptr : follower()->unfilled(chat); }
const char* strays(const Chat& chat) { return chat.reads == nullptr ? nullptr : follower()->strays(chat); }

// What was kept of a conversation while nobody was told that it is gone.
void forget_stray(Run* run, Datum key) {
  bool there = false;
  (void)under_lock(run, key, true, [&](const Chat&, core::Counter&) {
    there = true;
    return Step::kDone;
  });
  const Chat& chat = *attached_chat(run->messages);
  if (!there && chat.reads != nullptr) follower()->conversation_gone(chat, key, nullptr);
  commit(run);
}

// With writers of the configuration kept away: is there nothing left?
bool end_if_filled(Run* run) {
  LockRelationOid(run->messages, RowExclusiveLock);
  const char* sql = unfilled(*attached_chat(run->messages));
  if (sql != nullptr && keys_after(run, sql, false, Datum{0}).count > 0) {
    commit(run);
    return false;
  }
  if (sql != nullptr) follower()->filled(run->messages);
  end_progress(run->messages, &run->progress);
  SPI_commit();
  return true;
}

}  // namespace

void fill_follower_conversation(Run* run, Datum key) {
  until_done(run, [&](bool wait) { return fill_batch(run, key, wait, false); });
  commit(run);
}

Step fill_follower_again(const Chat& chat, Datum key, int64 last, Run* run) {
  if (chat.reads == nullptr) return Step::kDone;
  FillBatch batch = {run->batch_size, true, 0};
  return follower()->fill(chat, key, last, &batch);
}

void fill_follower(const Run& before) {
  if (!is_followed(&before)) return;
  Run run = next_task(before, follower()->task);
  start_progress(&run.progress, query_integer(&run, follower()->unfilled_numbers(*attached_chat(run.messages))));
  commit(&run);
  for_each_key(&run, strays, [&](Datum key) { forget_stray(&run, key); });
  // Again, for a conversation whose key was changed meanwhile.
  do
    in_batches(
        &run, unfilled, [&](Datum key) { return fill_batch(&run, key, false, false); },
        [&](Datum key) { until_done(&run, [&](bool wait) { return fill_batch(&run, key, wait, false); }); });
  while (!end_if_filled(&run));
}

void repair_follower(Run* run) {
  if (!is_followed(run)) return;
  const Keys keys = conversations_with_drift(run);
  for_each_key(run, strays, [&](Datum key) { forget_stray(run, key); });
  for (uint64 i = 0; i < keys.count; ++i) {
    bool again = true;
    until_done(run, [&](bool wait) {
      const Step step = fill_batch(run, keys.values[i], wait, again);
      if (step == Step::kMore) again = false;
      return step;
    });
    commit(run);
  }
}

}  // namespace chatopt::counters
