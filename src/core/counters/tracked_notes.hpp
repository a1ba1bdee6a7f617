// What the ledger notes more of a conversation whose reads are tracked. Behind a
// pointer, so that all others pay nothing for it.
#pragma once

#include <memory>

#include "core/counters/member_notes.hpp"
#include "core/counters/memory.hpp"
#include "core/counters/number_set.hpp"
#include "core/counters/skips.hpp"

namespace chatopt::core {

struct TrackedNotes {
  explicit TrackedNotes(Memory& from) : memory(from), skips(from), members(from), mentioned(from) {}
  TrackedNotes(const TrackedNotes& other, Memory& from)
      : memory(from),
        skips(other.skips, from),
        members(other.members, from),
        mentioned(other.mentioned, from) {}

  Memory& memory;  // its own too
  Skips skips;
  MemberNotes members;
  // Messages that mention others than before, or may: what is stored of them is to be compared. One that was removed
  // since may be among them.
  NumberSet mentioned;
};

// Goes back to the memory it is of.
struct DeleteTrackedNotes {
  void operator()(TrackedNotes* notes) const noexcept { Allocator<TrackedNotes>{&notes->memory}.delete_object(notes); }
};
using TrackedNotesPointer = std::unique_ptr<TrackedNotes, DeleteTrackedNotes>;

// A copy of its own, where there is something to copy.
inline TrackedNotesPointer copied(const TrackedNotesPointer& notes, Memory& memory) {
  if (notes == nullptr) return nullptr;
  return TrackedNotesPointer(Allocator<TrackedNotes>{&memory}.new_object<TrackedNotes>(*notes, memory));
}

}  // namespace chatopt::core
