// The queue of those who want the counter row of one conversation, first come
// first served: a heavyweight lock taken before the row is looked up.
//
// Without it each commit wakes the next writer, which finds a newer version,
// locks that, waits again, and chases the versions that others make meanwhile.
// Only a conversation that was busy has a queue: the first writer takes the row
// alone. A place is kept until the transaction ends, so that the next in the
// queue wakes up once and finds the row committed and free.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"

namespace chatopt::counters {

class Queue {
 public:
  static Queue of(const Chat& chat, core::Bytes key);

  // Whether this session had to wait for the conversation the last time.
  [[nodiscard]] bool was_busy() const;
  // Waits for the place; it goes with the (sub)transaction.
  void join();
  [[nodiscard]] bool joined() const { return joined_; }
  void leave();

 private:
  LOCKTAG tag_;
  bool joined_ = false;
};

}  // namespace chatopt::counters
