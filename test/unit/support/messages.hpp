// Short ways to write what the ledger is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/counters/ledger.hpp"

namespace chatopt::test {

inline core::Bytes bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

inline std::string text(core::Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A message whose key is given; it must outlive the message.
inline core::Message message(std::int64_t number, bool counted, std::string_view key = {}) {
  core::Message result;
  result.number = number;
  result.counted = counted;
  result.key = bytes(key);
  return result;
}

// A message whose key is to be read from where the row is.
inline core::Message message_at(std::int64_t number, bool counted, core::RowLocation row) {
  core::Message result = message(number, counted);
  result.row = row;
  return result;
}

inline bool same(core::RowLocation a, core::RowLocation b) { return a.place == b.place && a.relation == b.relation; }

}  // namespace chatopt::test
