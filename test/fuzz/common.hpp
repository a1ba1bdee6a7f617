// What the fuzz targets share: a target aborts where a promise is broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory_resource>
#include <set>
#include <vector>

#include "core/bitmap/bitmap.hpp"

namespace chatopt::fuzz {

using core::Bytes;
using core::Member;
using Encoded = std::vector<std::byte>;

inline void expect(bool promise) {
  if (!promise) std::abort();
}

// Bytes in memory of their own, which ends where they do.
inline Encoded copied(const std::uint8_t* data, std::size_t size) {
  Encoded result;
  for (std::size_t i = 0; i < size; ++i) result.push_back(static_cast<std::byte>(data[i]));
  result.shrink_to_fit();
  return result;
}

inline Encoded written(const core::Builder& builder) {
  Encoded out(builder.bound());
  out.resize(builder.write(out.data()));
  out.shrink_to_fit();
  return out;
}

inline Encoded applied(core::SetOperation operation, Bytes a, Bytes b) {
  Encoded out(core::bitmap_bound(operation, a, b));
  out.resize(core::bitmap_apply(operation, a, b, out.data()));
  out.shrink_to_fit();
  expect(core::bitmap_is_valid(out));
  return out;
}

// The same members once more, taken from the runs.
inline Encoded rebuilt(Bytes set) {
  core::Builder builder(*std::pmr::new_delete_resource());
  core::BitmapRuns runs(set);
  for (core::Run run; runs.next(run);) builder.insert_range(run.first, run.last);
  return written(builder);
}

}  // namespace chatopt::fuzz
