#include "counters/follower.hpp"

#include "pg/boundary.hpp"

namespace chatopt::counters {
namespace {

constinit const Follower* the_follower = nullptr;

}  // namespace

void set_follower(const Follower* follower) { the_follower = follower; }
const Follower* follower() { return the_follower; }

core::Counter& counter_of(const Chat& chat, core::Ledger& ledger, core::Bytes key) {
  const uint32 target = chat.counters;
  const bool tracked = chat.reads != nullptr;
  return *pg::cpp_zone([&ledger, target, tracked, key] {
    if (tracked) ledger.track(target);
    return &ledger.counter(target, key);
  });
}

}  // namespace chatopt::counters
