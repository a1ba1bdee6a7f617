// Receipts against three std::sets: what is stored, marking, merging, counting,
// order and hash.

#include "twin.hpp"

namespace {

using namespace chatopt::test;
using chatopt::core::kMaxMember;

constexpr std::array<Member, 6> kSizes = {0, 1, 8, 30, 300, 5000};

Slots range(Member first, Member last, Member step = 1) {
  Slots result;
  for (Member slot = first; slot <= last; slot += step) result.insert(slot);
  return result;
}

// Calls test(random, size) with twins to be of every size, many of the small ones.
template <class Test>
void over_sizes(unsigned seed, Test test) {
  for (const Member size : kSizes) {
    SCOPED_TRACE(size);
    Random random(seed + size);
    for (int round = 0; round < (size > 1000 ? 4 : 150); ++round) test(random, size);
  }
}

TEST(Receipts, HoldWhatTheyWereBuiltFrom) {
  over_sizes(1, [](Random& random, Member size) {
    const Twin twin = random_twin(random, size);
    const Encoding encoding = encode(twin);
    ASSERT_TRUE(chatopt::core::receipts_is_valid(encoding));
    ASSERT_EQ(decode_receipts(encoding), twin);
  });
}

TEST(Receipts, CountsAndStatusAgreeWithTheSets) {
  over_sizes(2, [](Random& random, Member size) {
    const Twin twin = random_twin(random, size);
    const Encoding encoding = encode(twin);
    const Receipts receipts = chatopt::core::receipts_view(encoding);
    ASSERT_EQ(recipient_count(receipts), std::ssize(twin.recipients));
    ASSERT_EQ(delivered_count(receipts), std::ssize(twin.delivered));
    ASSERT_EQ(seen_count(receipts), std::ssize(twin.seen));
    ASSERT_EQ(pending_count(receipts), std::ssize(without(twin.recipients, twin.delivered)));
    ASSERT_EQ(unseen_count(receipts), std::ssize(without(twin.recipients, twin.seen)));
    for (int probe = 0; probe < 20; ++probe) {
      const Member slot = static_cast<Member>(random() % (size + 2));
      ASSERT_EQ(receipt_status(receipts, slot), twin.status(slot));
    }
    for (const Member slot : {Member{0}, kMaxMember}) ASSERT_EQ(receipt_status(receipts, slot), twin.status(slot));
  });
}

TEST(Receipts, MarkingASlotIsMarkingItInTheSets) {
  over_sizes(3, [](Random& random, Member size) {
    Twin twin = random_twin(random, size);
    Encoding encoding = encode(twin);
    for (int step = 0; step < 25; ++step) {
      const auto status = random() % 2 == 0 ? ReceiptStatus::kDelivered : ReceiptStatus::kSeen;
      const bool recipient = random() % 4 != 0 && !twin.recipients.empty();
      const Member slot = recipient
                              ? *std::next(twin.recipients.begin(), static_cast<int>(random() % twin.recipients.size()))
                              : static_cast<Member>(random() % (size + 3));
      twin.mark(status, {slot});
      encoding = marked(encoding, status, slot);
      ASSERT_TRUE(chatopt::core::receipts_is_valid(encoding)) << "nested and canonical after each step";
      ASSERT_EQ(encoding, encode(twin)) << "equal receipts have equal bytes, whichever way they were built";
      ASSERT_EQ(marked(encoding, status, slot), encoding) << "again";
    }
  });
}

TEST(Receipts, MarkingASetIsMarkingItInTheSets) {
  over_sizes(4, [](Random& random, Member size) {
    Twin twin = random_twin(random, size);
    Encoding encoding = encode(twin);
    for (int step = 0; step < 6; ++step) {
      const auto status = random() % 2 == 0 ? ReceiptStatus::kDelivered : ReceiptStatus::kSeen;
      const Slots slots = united(random_subset(random, twin.recipients), random_subset(random, range(0, size / 2 + 3)));
      twin.mark(status, slots);
      encoding = marked(encoding, status, slots);
      ASSERT_TRUE(chatopt::core::receipts_is_valid(encoding));
      ASSERT_EQ(encoding, encode(twin));
      ASSERT_EQ(marked(encoding, status, slots), encoding);
    }
  });
}

TEST(Receipts, MarksInAnyOrderGiveTheSame) {
  over_sizes(5, [](Random& random, Member size) {
    const Twin twin = random_twin(random, size);
    const Slots first = random_subset(random, twin.recipients);
    const Slots second = random_subset(random, twin.recipients);
    const Encoding start = encode(twin);
    const Encoding one = marked(marked(start, ReceiptStatus::kSeen, first), ReceiptStatus::kDelivered, second);
    const Encoding other = marked(marked(start, ReceiptStatus::kDelivered, second), ReceiptStatus::kSeen, first);
    ASSERT_EQ(one, other);
  });
}

TEST(Receipts, MergingIsTheUnionOfEachSet) {
  over_sizes(6, [](Random& random, Member size) {
    const Twin a = random_twin(random, size);
    const Twin b = random_twin(random, random() % 2 == 0 ? size : size / 3);
    Twin both = a;
    both.merge(b);
    const Encoding result = merged(encode(a), encode(b));
    ASSERT_TRUE(chatopt::core::receipts_is_valid(result));
    ASSERT_EQ(result, encode(both));
  });
}

TEST(Receipts, MergingIsCommutativeAssociativeAndIdempotent) {
  over_sizes(7, [](Random& random, Member size) {
    const Encoding a = encode(random_twin(random, size));
    const Encoding b = encode(random_twin(random, size));
    const Encoding c = encode(random_twin(random, size));
    ASSERT_EQ(merged(a, b), merged(b, a));
    ASSERT_EQ(merged(merged(a, b), c), merged(a, merged(b, c)));
    ASSERT_EQ(merged(a, a), a);
    ASSERT_EQ(merged(merged(a, b), b), merged(a, b));
  });
}

// A mark made before the merge or after it, on either side, is in the result.
TEST(Receipts, MergingIsMonotone) {
  over_sizes(8, [](Random& random, Member size) {
    const Twin a = random_twin(random, size);
    const Twin b = random_twin(random, size);
    const Encoding before = merged(encode(a), encode(b));
    const Slots more = random_subset(random, a.recipients);
    const Encoding further = marked(encode(a), ReceiptStatus::kSeen, more);
    const Encoding after = merged(further, encode(b));
    ASSERT_EQ(merged(before, after), after) << "nothing known before is missing after";
    ASSERT_EQ(marked(before, ReceiptStatus::kSeen, more), after) << "marking and merging commute";
  });
}

TEST(Receipts, OrderIsByRecipientsThenDeliveredThenSeen) {
  over_sizes(9, [](Random& random, Member size) {
    if (size > 300) return;
    const Twin a = random_twin(random, size);
    Twin b = random() % 3 == 0 ? random_twin(random, size) : a;
    if (random() % 2 == 0) b.delivered = united(random_subset(random, b.recipients), b.seen);
    if (random() % 2 == 0) b.seen = random_subset(random, b.delivered);
    const auto key = [](const Twin& twin) {
      const auto list = [](const Slots& slots) { return std::vector<Member>(slots.begin(), slots.end()); };
      return std::array{list(twin.recipients), list(twin.delivered), list(twin.seen)};
    };
    const Encoding one = encode(a);
    const Encoding other = encode(b);
    const Receipts left = chatopt::core::receipts_view(one);
    const Receipts right = chatopt::core::receipts_view(other);
    const int order = receipts_compare(left, right);
    ASSERT_EQ(order < 0, key(a) < key(b));
    ASSERT_EQ(order > 0, key(a) > key(b));
    ASSERT_EQ(receipts_compare(right, left) < 0, order > 0);
    ASSERT_EQ(receipts_equal(left, right), a == b);
    ASSERT_EQ(one == other, a == b);
    if (a == b) {
      ASSERT_EQ(receipts_hash(left, 7), receipts_hash(right, 7));
    } else {
      ASSERT_NE(receipts_hash(left, 7), receipts_hash(right, 7)) << "with 64 bits no collision is to be met here";
    }
  });
}

TEST(Receipts, TheHashTellsTheSetsApart) {
  const Slots slots = range(0, 29);
  const Encoding sent = encode(Twin{slots, {}, {}});
  const Encoding delivered = encode(Twin{slots, slots, {}});
  const Encoding seen = encode(Twin{slots, slots, slots});
  Slots hashes;
  std::set<std::uint64_t> all;
  for (const Encoding* encoding : {&sent, &delivered, &seen})
    for (const std::uint64_t seed : {0U, 1U}) all.insert(receipts_hash(chatopt::core::receipts_view(*encoding), seed));
  EXPECT_EQ(all.size(), 6U);
}

TEST(Receipts, StatusOfAll) {
  const auto status = [](const Twin& twin) {
    const Encoding encoding = encode(twin);
    return receipt_status(chatopt::core::receipts_view(encoding));
  };
  const Slots all = range(0, 29);
  EXPECT_EQ(status({all, {}, {}}), ReceiptStatus::kSent);
  EXPECT_EQ(status({all, range(0, 28), {}}), ReceiptStatus::kSent);
  EXPECT_EQ(status({all, all, {}}), ReceiptStatus::kDelivered);
  EXPECT_EQ(status({all, all, range(1, 29)}), ReceiptStatus::kDelivered);
  EXPECT_EQ(status({all, all, all}), ReceiptStatus::kSeen);
  EXPECT_EQ(status({{}, {}, {}}), ReceiptStatus::kSent) << "a message to nobody was sent";
}

TEST(Receipts, AreSmall) {
  const auto datum = [](const Twin& twin) { return 1 + encode(twin).size(); };  // with a short varlena's header
  const Slots all = range(0, 29);
  EXPECT_LE(datum({all, {}, {}}), 8U);
  EXPECT_LE(datum({all, all, {}}), 8U);
  EXPECT_LE(datum({all, all, all}), 8U);
  EXPECT_LE(datum({all, all, range(0, 28, 2)}), 16U) << "seen by every other one";
  EXPECT_LE(datum({all, all, range(0, 14)}), 16U);
  EXPECT_LE(datum({all, range(0, 28, 2), range(0, 28, 4)}), 24U) << "the worst of 30";
}

TEST(Receipts, SetsAreFoundFromTheHead) {
  using chatopt::core::ReceiptSet;
  over_sizes(10, [](Random& random, Member size) {
    const Encoding encoding = encode(random_twin(random, size));
    const Receipts receipts = chatopt::core::receipts_view(encoding);
    for (std::size_t length = 0; length <= std::min<std::size_t>(encoding.size(), 60); ++length) {
      const Encoding head(encoding.begin(), encoding.begin() + static_cast<std::ptrdiff_t>(length));
      for (const auto& [which, set] : {std::pair{ReceiptSet::kRecipients, receipts.recipients},
                                       {ReceiptSet::kDelivered, receipts.delivered},
                                       {ReceiptSet::kSeen, receipts.seen}}) {
        const auto place = receipts_find(head, encoding.size(), which);
        ASSERT_TRUE(place.found || length < encoding.size());
        if (!place.found) continue;
        if (place.length == 0) {
          ASSERT_TRUE(chatopt::core::bitmap_is_empty(set));
        } else {
          ASSERT_TRUE(std::ranges::equal(Bytes(encoding).subspan(place.offset, place.length), set));
        }
      }
    }
  });
}

TEST(Receipts, TakeTheFirstAndTheLastSlotThereIs) {
  Encoding encoding = encode(Twin{{0, kMaxMember}, {}, {}});
  encoding = marked(encoding, ReceiptStatus::kSeen, kMaxMember);
  EXPECT_EQ(decode_receipts(encoding), (Twin{{0, kMaxMember}, {kMaxMember}, {kMaxMember}}));
  encoding = marked(encoding, ReceiptStatus::kDelivered, Member{0});
  EXPECT_EQ(decode_receipts(encoding), (Twin{{0, kMaxMember}, {0, kMaxMember}, {kMaxMember}}));
}

TEST(Receipts, AGroupOfAllSlotsTakesAFewBytes) {
  std::array<std::byte, chatopt::core::kRunBound> all{};
  const std::size_t size = chatopt::core::bitmap_write_run(0, kMaxMember, all.data());
  const Bytes set{all.data(), size};
  Encoding encoding = build({set, chatopt::core::empty_set(), chatopt::core::empty_set()});
  encoding = marked(encoding, ReceiptStatus::kSeen, Member{17});
  Receipts receipts = chatopt::core::receipts_view(encoding);
  EXPECT_EQ(recipient_count(receipts), chatopt::core::Count{kMaxMember} + 1);
  EXPECT_EQ(unseen_count(receipts), chatopt::core::Count{kMaxMember});
  Encoding workspace(chatopt::core::receipts_mark_bound(receipts, set));
  EXPECT_TRUE(receipts_mark(receipts, ReceiptStatus::kSeen, set, workspace.data()));
  EXPECT_EQ(receipt_status(receipts), ReceiptStatus::kSeen);
  EXPECT_LE(build(receipts).size(), 12U);
}

}  // namespace
