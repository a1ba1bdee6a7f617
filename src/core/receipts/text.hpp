// The text form of receipts: {recipients={0-29},delivered={0-12},seen={0-3}}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string_view>

#include "core/receipts/builder.hpp"
#include "core/receipts/receipts.hpp"

namespace chatopt::core {

[[nodiscard]] std::int64_t receipts_text_size(const Receipts& receipts) noexcept;
char* receipts_write_text(const Receipts& receipts, char* out) noexcept;  // returns the end

enum class ReceiptsParseError {
  kNone,
  kBareNumber,            // a number where the sets should be
  kExpectedOpen,          // no {
  kExpectedKey,           // no recipients, delivered or seen
  kExpectedEquals,        // no = after it
  kExpectedSet,           // no { of a set after that
  kExpectedCommaOrClose,  // neither , nor }
  kRepeatedKey,           // a key for the second time
  kBadSet,                // see set
  kTrailing,              // text after the end
};

struct ReceiptsParse {
  ReceiptsParseError error = ReceiptsParseError::kNone;
  std::size_t position = 0;                      // in bytes from the start of the text
  BitmapTextError set = BitmapTextError::kNone;  // of kBadSet
};

// Reads the text form in any order of keys, a missing one being the empty set,
// or a plain set: the recipients. Whether the sets are nested is left to the
// caller. May throw std::bad_alloc.
[[nodiscard]] ReceiptsParse receipts_parse(std::string_view text, ReceiptsBuilder& builder);

}  // namespace chatopt::core
