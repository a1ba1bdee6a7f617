// Sets for the tests of core/bitmap: random ones, a naive twin of the encoder, and calls with room for no byte too
// many, so that the sanitizers see every step beyond.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory_resource>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/bitmap/bitmap.hpp"

namespace chatopt::test {

using core::Bytes;
using core::Count;
using core::Member;
using core::SetOperation;

using Encoded = std::vector<std::byte>;
using Members = std::vector<Member>;  // sorted, no member twice

inline constexpr SetOperation kOperations[] = {SetOperation::kUnion, SetOperation::kIntersection,
                                               SetOperation::kDifference, SetOperation::kSymmetricDifference};

// Exactly as large as it says.
inline Encoded exact(const Encoded& bytes) { return Encoded(bytes.begin(), bytes.end()); }

// The naive twin of the encoder: format.hpp once more, from single members and without a thought for speed.
class Twin {
 public:
  static Encoded encode(const Members& members) {
    Encoded best = flat(members, 0);
    if (best.size() <= 513) return best;
    std::vector<Members> chunks;
    for (const Member member : members) {
      if (chunks.empty() || chunks.back().front() / 65536 != member / 65536) chunks.emplace_back();
      chunks.back().push_back(member);
    }
    Encoded result{std::byte{0x15}, std::byte{0}};
    number(result, chunks.size() - 1, 2);
    number(result, members.size() - 1, 4);
    Encoded payloads;
    for (const Members& chunk : chunks) {
      const Encoded block = flat(chunk, chunk.front() / 65536 * 65536);
      payloads.insert(payloads.end(), block.begin() + 1, block.end());
      number(result, chunk.front() / 65536, 2);
      number(result, chunk.size() - 1, 2);
      number(result, (std::to_integer<std::size_t>(block[0]) - 0x11) << 30 | payloads.size(), 4);
    }
    result.insert(result.end(), payloads.begin(), payloads.end());
    return result;
  }

 private:
  static void number(Encoded& out, std::size_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
  static void varint(Encoded& out, Member value) {
    while (value >= 128) {
      out.push_back(static_cast<std::byte>(value % 128 + 128));
      value /= 128;
    }
    out.push_back(static_cast<std::byte>(value));
  }
  // The shortest block, behind its format byte.
  static Encoded flat(const Members& absolute, Member start) {
    if (absolute.empty()) return {std::byte{0x10}};
    Members members = absolute;
    for (Member& member : members) member -= start;
    std::vector<std::pair<Member, Member>> runs;
    for (const Member member : members) {
      if (runs.empty() || runs.back().second + 1 != member) runs.emplace_back(member, member);
      runs.back().second = member;
    }
    std::vector<Encoded> forms;
    if (runs.size() == 1) {
      forms.push_back({std::byte{0x11}});
      varint(forms.back(), runs[0].first);
      varint(forms.back(), runs[0].second - runs[0].first);
    }
    if (members.back() / 8 - members.front() / 8 < 1000000) {
      forms.push_back({std::byte{0x12}});
      varint(forms.back(), members.front() / 8);
      const std::size_t begin = forms.back().size();
      for (const Member member : members) {
        const std::size_t at = begin + member / 8 - members.front() / 8;
        if (forms.back().size() <= at) forms.back().resize(at + 1);
        forms.back()[at] |= static_cast<std::byte>(1U << member % 8);
      }
    }
    forms.push_back({std::byte{0x13}});
    varint(forms.back(), members[0]);
    for (std::size_t i = 1; i < members.size(); ++i) varint(forms.back(), members[i] - members[i - 1] - 1);
    if (runs.size() > 1) {
      forms.push_back({std::byte{0x14}});
      varint(forms.back(), runs[0].first);
      varint(forms.back(), runs[0].second - runs[0].first);
      for (std::size_t i = 1; i < runs.size(); ++i) {
        varint(forms.back(), runs[i].first - runs[i - 1].second - 2);
        varint(forms.back(), runs[i].second - runs[i].first);
      }
    }
    // The first of the shortest.
    return *std::min_element(forms.begin(), forms.end(),
                             [](const Encoded& a, const Encoded& b) { return a.size() < b.size(); });
  }
};

// Calls

inline Encoded written(const core::Builder& builder) {
  Encoded out(builder.bound());
  out.resize(builder.write(out.data()));
  return exact(out);
}

// By single members, in the order given.
template <class Range>
Encoded built(const Range& members) {
  core::Builder builder(*std::pmr::new_delete_resource());
  for (const Member member : members) builder.insert(member);
  return written(builder);
}

inline Encoded apply(SetOperation operation, const Encoded& a, const Encoded& b) {
  Encoded out(core::bitmap_bound(operation, a, b));
  out.resize(core::bitmap_apply(operation, a, b, out.data()));
  return exact(out);
}
inline Encoded with(const Encoded& set, Member member) {
  Encoded out(core::bitmap_insert_bound(set, member));
  out.resize(core::bitmap_insert(set, member, out.data()));
  return exact(out);
}
inline Encoded without(const Encoded& set, Member member) {
  Encoded out(core::bitmap_erase_bound(set, member));
  out.resize(core::bitmap_erase(set, member, out.data()));
  return exact(out);
}
inline Encoded with_range(const Encoded& set, std::int64_t lower, std::int64_t upper) {
  Encoded out(core::bitmap_insert_range_bound(set, lower, upper));
  out.resize(core::bitmap_insert_range(set, lower, upper, out.data()));
  return exact(out);
}
inline Encoded without_range(const Encoded& set, std::int64_t lower, std::int64_t upper) {
  Encoded out(core::bitmap_erase_range_bound(set, lower, upper));
  out.resize(core::bitmap_erase_range(set, lower, upper, out.data()));
  return exact(out);
}

inline std::string text_of(const Encoded& set) {
  std::string out(static_cast<std::size_t>(core::bitmap_text_size(set)), '?');
  EXPECT_EQ(core::bitmap_write_text(set, out.data()), out.data() + out.size());
  return out;
}
inline Encoded parsed(std::string_view text) {
  core::Builder builder(*std::pmr::new_delete_resource());
  const core::BitmapParse result = core::bitmap_parse(text, builder);
  EXPECT_EQ(result.error, core::BitmapTextError::kNone) << text << " at " << result.position;
  return written(builder);
}

inline Members members_of(const Encoded& set) {
  Members result;
  core::BitmapRuns runs(set);
  for (core::Run run; runs.next(run);)
    for (std::uint64_t member = run.first; member <= run.last; ++member) result.push_back(static_cast<Member>(member));
  return result;
}

inline Members combined(SetOperation operation, const Members& a, const Members& b) {
  Members result;
  const auto out = std::back_inserter(result);
  switch (operation) {
    case SetOperation::kUnion:
      std::set_union(a.begin(), a.end(), b.begin(), b.end(), out);
      break;
    case SetOperation::kIntersection:
      std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), out);
      break;
    case SetOperation::kDifference:
      std::set_difference(a.begin(), a.end(), b.begin(), b.end(), out);
      break;
    default:
      std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), out);
  }
  return result;
}

// Random sets

using Random = std::mt19937_64;

inline std::uint64_t below(Random& random, std::uint64_t bound) { return random() % bound; }

// Some set of about so many members: dense, sparse, in runs or a mixture, somewhere in the universe.
inline Members random_members(Random& random, std::size_t size) {
  if (size == 0) return {};
  constexpr std::uint64_t kUniverse = std::uint64_t{1} << 31;
  const std::uint64_t stretch[] = {1, 2, 3, 10, 100, 10000, kUniverse};
  const std::uint64_t span = std::clamp<std::uint64_t>(size * stretch[below(random, 7)], 1, kUniverse);
  const std::uint64_t starts[] = {0, below(random, 100), 65536 - std::min<std::uint64_t>(span / 2, 65536),
                                  below(random, kUniverse - span + 1), kUniverse - span};
  const std::uint64_t start = std::min(starts[below(random, 5)], kUniverse - span);
  const std::uint64_t longest = below(random, 2) == 0 ? 1 : 1 + below(random, std::max<std::uint64_t>(size, 2));
  Members result;
  while (result.size() < size) {
    const std::uint64_t first = start + below(random, span);
    const std::uint64_t end = std::min(first + 1 + below(random, longest), start + span);
    for (std::uint64_t member = first; member < end; ++member) result.push_back(static_cast<Member>(member));
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

// Sizes with a liking for the small and for where forms change.
inline std::size_t random_size(Random& random) {
  const std::size_t most[] = {4, 40, 300, 600, 3000, 20000};
  return below(random, most[below(random, 6)]);
}

// A set that has much to do with the other one.
inline Members relative_of(Random& random, const Members& other) {
  switch (below(random, 4)) {
    case 0:
      return other;
    case 1: {
      Members result;
      for (const Member member : other)
        if (below(random, 3) != 0) result.push_back(member);
      return result;
    }
    case 2:
      return combined(SetOperation::kUnion, other, random_members(random, below(random, 20)));
    default:
      return random_members(random, random_size(random));
  }
}

}  // namespace chatopt::test
