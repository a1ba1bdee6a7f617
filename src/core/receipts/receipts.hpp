// The receipts of one message to a group: who should get it, who has it, who
// has seen it. Three sets of member slots, seen within delivered within
// recipients, always.
//
// Pure. Everything here is noexcept, allocates nothing, and takes valid
// encodings unless it says otherwise; Receipts are views and own nothing.
//
// Encoding (generation 1; the sets are encodings of core/bitmap/bitmap.hpp):
//   byte 0: (generation << 4) | delivered | seen << 2, where
//     delivered  0 nobody, 1 all recipients, 2 a set of its own
//     seen       0 nobody, 1 all of the delivered, 2 a set of its own
//   recipients, behind its length as a varint if another set follows
//   delivered, if a set of its own, behind its length if seen follows
//   seen, if a set of its own
// A set is written only where it is neither empty nor equal to the larger one,
// so equal receipts have equal bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/bitmap/bitmap.hpp"

namespace chatopt::core {

struct Receipts {
  Bytes recipients;
  Bytes delivered;
  Bytes seen;
};

// How far the message has come; kNone for those who are no recipients.
enum class ReceiptStatus { kNone, kSent, kDelivered, kSeen };

// The bytes of the set without members, for as long as the program runs.
[[nodiscard]] Bytes empty_set() noexcept;

// The one door: accepts exactly the canonical encodings. Any bytes may come.
[[nodiscard]] bool receipts_is_valid(Bytes untrusted) noexcept;
[[nodiscard]] Receipts receipts_view(Bytes encoding) noexcept;

// Where one set is, for reading a part of a large value: head is the beginning of
// a valid encoding of size bytes. Not found if head is too short to tell. The
// first kMaxFlatSize bytes of a set, or all there are, say how many members it has.
enum class ReceiptSet { kRecipients, kDelivered, kSeen };
struct SetPlace {
  bool found = false;
  std::size_t offset = 0;
  std::size_t length = 0;  // 0: the set is empty
};
[[nodiscard]] SetPlace receipts_find(Bytes head, std::size_t size, ReceiptSet set) noexcept;

// Encodes sets that are nested; returns the size written, at most the bound.
[[nodiscard]] std::size_t receipts_bound(const Receipts& receipts) noexcept;
std::size_t receipts_build(const Receipts& receipts, std::byte* out) noexcept;

// Is every set within the larger one?
[[nodiscard]] bool receipts_are_nested(const Receipts& receipts) noexcept;

// Marks as delivered (kDelivered) or as delivered and seen (kSeen). Marks of
// those who are no recipients are ignored, marks never go back. Changes the
// views, which may then point into the workspace; returns whether anything
// changed. The workspace takes as many bytes as the bound of the same arguments.
[[nodiscard]] std::size_t receipts_mark_bound(const Receipts& receipts, Member slot) noexcept;
[[nodiscard]] bool receipts_mark(Receipts& receipts, ReceiptStatus status, Member slot, std::byte* workspace) noexcept;

// The same for a set of slots, all of them recipients.
[[nodiscard]] std::size_t receipts_mark_bound(const Receipts& receipts, Bytes slots) noexcept;
[[nodiscard]] bool receipts_mark(Receipts& receipts, ReceiptStatus status, Bytes slots, std::byte* workspace) noexcept;

// Adds what the other state knows: set by set the union, which stays nested.
// Commutative, associative, idempotent.
[[nodiscard]] std::size_t receipts_merge_bound(const Receipts& receipts, const Receipts& other) noexcept;
[[nodiscard]] bool receipts_merge(Receipts& receipts, const Receipts& other, std::byte* workspace) noexcept;

[[nodiscard]] Count recipient_count(const Receipts& receipts) noexcept;
[[nodiscard]] Count delivered_count(const Receipts& receipts) noexcept;
[[nodiscard]] Count seen_count(const Receipts& receipts) noexcept;
[[nodiscard]] Count pending_count(const Receipts& receipts) noexcept;  // recipients without delivered
[[nodiscard]] Count unseen_count(const Receipts& receipts) noexcept;   // recipients without seen

// Of one recipient, and of all: kSeen when all have seen the message, kDelivered
// when all have it, else kSent, as for a message without recipients.
[[nodiscard]] ReceiptStatus receipt_status(const Receipts& receipts, Member slot) noexcept;
[[nodiscard]] ReceiptStatus receipt_status(const Receipts& receipts) noexcept;

// On the members, so that they never change with the form of a set. The order:
// by recipients, then delivered, then seen.
[[nodiscard]] bool receipts_equal(const Receipts& a, const Receipts& b) noexcept;
[[nodiscard]] int receipts_compare(const Receipts& a, const Receipts& b) noexcept;
[[nodiscard]] std::uint64_t receipts_hash(const Receipts& receipts, std::uint64_t seed) noexcept;

}  // namespace chatopt::core
