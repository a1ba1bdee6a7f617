#include "counters/queue.hpp"

#include <cstring>

namespace chatopt::counters {
namespace {

// Conversations this session found busy, by a hash of their lock tag. Only a
// hint: who queues for nothing loses a microsecond, who does not queue tries the row first.
constexpr uint32 kBusy = 256;
constinit LOCKTAG busy[kBusy] = {};

LOCKTAG& busy_place(const LOCKTAG& tag) { return busy[(tag.locktag_field3 ^ tag.locktag_field2) % kBusy]; }

}  // namespace

// Its own lock tag type, which nothing in PostgreSQL uses any more: not among
// the application's advisory locks. The tag has room for 48 bits of the key's
// hash: two busy conversations share a queue once in 280,000,000,000,000 pairs.
Queue Queue::of(const Chat& chat, core::Bytes key) {
  Queue queue;
  const uint64 hash = hash_bytes_extended(reinterpret_cast<const unsigned char*>(key.data()),
                                          static_cast<int>(key.size()), 0);
  queue.tag_.locktag_field1 = MyDatabaseId;
  queue.tag_.locktag_field2 = chat.counters;
  queue.tag_.locktag_field3 = static_cast<uint32>(hash);
  queue.tag_.locktag_field4 = static_cast<uint16>(hash >> 32);
  queue.tag_.locktag_type = LOCKTAG_USERLOCK;
  queue.tag_.locktag_lockmethodid = DEFAULT_LOCKMETHOD;
  return queue;
}

bool Queue::was_busy() const { return std::memcmp(&busy_place(tag_), &tag_, sizeof tag_) == 0; }

void Queue::join() {
  const bool known_busy = was_busy();
  if (LockAcquire(&tag_, ExclusiveLock, false, known_busy) == LOCKACQUIRE_NOT_AVAIL) {
    (void)LockAcquire(&tag_, ExclusiveLock, false, false);
  } else if (known_busy) {
    busy_place(tag_) = {};  // nobody was before us
  } else {
    busy_place(tag_) = tag_;
  }
  joined_ = true;
}

void Queue::leave() {
  LockRelease(&tag_, ExclusiveLock, false);
  joined_ = false;
}

}  // namespace chatopt::counters
