#include "reads/people.hpp"

#include <cstring>

#include "core/reads/sweep.hpp"

namespace chatopt::reads {
namespace {

constexpr int32 kFirstCapacity = 32;

int32* free_slots(MemoryContext context, int32 capacity) {
  const auto count = 2 * static_cast<Size>(capacity);
  auto* slots = static_cast<int32*>(MemoryContextAllocHuge(context, count * sizeof(int32)));
  for (Size i = 0; i < count; ++i) slots[i] = core::kNobody;
  return slots;
}

}  // namespace

People::People(const pg::ValueType& type, MemoryContext context) noexcept
    : type_(type),
      context_(context),
      people_(static_cast<Person*>(MemoryContextAlloc(context, kFirstCapacity * sizeof(Person)))),
      slots_(free_slots(context, kFirstCapacity)),
      count_(0),
      capacity_(kFirstCapacity) {}

People::Place People::place_of(Datum* member) const {
  const auto image = pg::image_of(member, type_);
  const uint32 hash = hash_bytes(reinterpret_cast<const unsigned char*>(image.data()), static_cast<int>(image.size()));
  const uint32 slots = 2 * static_cast<uint32>(capacity_);
  uint32 slot = hash % slots;
  for (; slots_[slot] != core::kNobody; slot = (slot + 1) % slots) {
    const Person& person = people_[slots_[slot]];
    if (person.hash != hash) continue;
    Datum found = person.member;
    const auto other = pg::image_of(&found, type_);
    if (image.size() == other.size() && std::memcmp(image.data(), other.data(), image.size()) == 0) break;
  }
  return {hash, slot};
}

int32 People::find(Datum member) const { return count_ == 0 ? core::kNobody : slots_[place_of(&member).slot]; }

int32 People::add(Datum member) {
  const Place place = place_of(&member);
  if (slots_[place.slot] != core::kNobody) return slots_[place.slot];
  MemoryContext caller = MemoryContextSwitchTo(context_);
  const int32 index = count_++;
  people_[index] = {place.hash, datumCopy(member, type_.by_value, type_.length)};
  MemoryContextSwitchTo(caller);
  slots_[place.slot] = index;
  if (count_ == capacity_) grow();
  return index;
}

void People::grow() {
  capacity_ *= 2;
  people_ = static_cast<Person*>(repalloc_huge(people_, static_cast<Size>(capacity_) * sizeof(Person)));
  pfree(slots_);
  slots_ = free_slots(context_, capacity_);
  const uint32 slots = 2 * static_cast<uint32>(capacity_);
  for (int32 i = 0; i < count_; ++i) {
    uint32 slot = people_[i].hash % slots;
    while (slots_[slot] != core::kNobody) slot = (slot + 1) % slots;
    slots_[slot] = i;
  }
}

}  // namespace chatopt::reads
