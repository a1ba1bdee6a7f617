// Receipts put together row by row: the state of the aggregates and of the text
// input. The only part of the receipts' core that allocates.
#pragma once

#include <cstddef>
#include <memory_resource>

#include "core/receipts/receipts.hpp"

namespace chatopt::core {

class ReceiptsBuilder {
 public:
  explicit ReceiptsBuilder(std::pmr::memory_resource& memory) noexcept
      : recipients_(memory), delivered_(memory), seen_(memory) {}

  [[nodiscard]] Builder& recipients() noexcept { return recipients_; }
  [[nodiscard]] Builder& delivered() noexcept { return delivered_; }
  [[nodiscard]] Builder& seen() noexcept { return seen_; }

  // Makes the slot a recipient and marks it. May throw std::bad_alloc.
  void insert(Member slot, ReceiptStatus status) {
    recipients_.insert(slot);
    if (status >= ReceiptStatus::kDelivered) delivered_.insert(slot);
    if (status == ReceiptStatus::kSeen) seen_.insert(slot);
  }

  // Adds what another state knows. May throw std::bad_alloc.
  void merge(const Receipts& other) {
    recipients_.merge(other.recipients);
    if (!bitmap_is_empty(other.delivered)) delivered_.merge(other.delivered);
    if (!bitmap_is_empty(other.seen)) seen_.merge(other.seen);
  }

  // Writes the three sets to a workspace of at least bound() bytes. The builder
  // stays as it was and may go on.
  [[nodiscard]] std::size_t bound() const noexcept { return recipients_.bound() + delivered_.bound() + seen_.bound(); }
  [[nodiscard]] Receipts write(std::byte* workspace) const noexcept {
    Receipts receipts;
    receipts.recipients = {workspace, recipients_.write(workspace)};
    workspace += receipts.recipients.size();
    receipts.delivered = {workspace, delivered_.write(workspace)};
    workspace += receipts.delivered.size();
    receipts.seen = {workspace, seen_.write(workspace)};
    return receipts;
  }

 private:
  Builder recipients_;
  Builder delivered_;
  Builder seen_;
};

}  // namespace chatopt::core
