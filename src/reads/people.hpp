// The members an answer about receipts has to tell apart: who sent a message of
// the range, who acknowledged one out of order. Each has an index, 0, 1, ….
#pragma once

#include "pg/image.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// Lives in a memory context and goes with it.
class People {
 public:
  People(const pg::ValueType& type, MemoryContext context) noexcept;
  // The index of this member, who is copied where new.
  int32 add(Datum member);
  // core::kNobody: none of these.
  [[nodiscard]] int32 find(Datum member) const;
  [[nodiscard]] int32 count() const { return count_; }

 private:
  struct Person {
    uint32 hash;
    Datum member;
  };
  struct Place {
    uint32 hash;
    uint32 slot;  // in slots_: of the member, or free
  };
  [[nodiscard]] Place place_of(Datum* member) const;
  void grow();

  pg::ValueType type_;
  MemoryContext context_;
  Person* people_;
  int32* slots_;  // indexes by hash, twice as many as there may be people
  int32 count_;
  int32 capacity_;
};

}  // namespace chatopt::reads
