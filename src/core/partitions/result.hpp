// A value, or why there is none: how the partitions' core reports what it could not do. The messages are the caller's.
#pragma once

#include <type_traits>

namespace chatopt::core {

enum class PartitionError {
  kNone,
  kOutOfRange,   // a time or key beyond what PostgreSQL, or the type of the key, can hold
  kOutsideZone,  // a time beyond the window for which the zone was told its transitions
  kNotInOrder,   // partitions not by their lower bound, or one whose lower bound is above its upper
  kBadPremake,   // below 0 or above kMostPremake
  kBadAxis,      // no such shift of a snowflake
  kSyntax,       // text that is not what was to be read
  kNameTooLong,  // what follows the table's name leaves no room for it
  kBadPattern,   // a pattern of names that gives two periods one name, or has an open quote
};

template <class T>
class [[nodiscard]] Result {
 public:
  static_assert(std::is_trivially_destructible_v<T>, "an error of PostgreSQL may jump over it");

  constexpr Result(T value) noexcept : value_(value) {}
  constexpr Result(PartitionError error) noexcept : error_(error) {}  // never kNone

  constexpr explicit operator bool() const noexcept { return error_ == PartitionError::kNone; }
  [[nodiscard]] constexpr PartitionError error() const noexcept { return error_; }
  // Only where there is a value.
  constexpr const T& operator*() const noexcept { return value_; }
  constexpr const T* operator->() const noexcept { return &value_; }

 private:
  T value_{};
  PartitionError error_ = PartitionError::kNone;
};

}  // namespace chatopt::core
