// What the SQL functions of group_receipts share: reading an argument, making
// a result. PG zone; nothing here has a destructor.
#pragma once

#include <cstddef>

#include "core/receipts/builder.hpp"
#include "core/receipts/receipts.hpp"
#include "receipts/receipt_bitmap.hpp"
#include "pg/varlena.hpp"
#include "pg/postgres.hpp"

namespace chatopt::receipts {

// Bytes for the length of a call: its own for small sets, palloc'd for others.
class Workspace {
 public:
  std::byte* take(std::size_t size) { return size <= sizeof own_ ? own_ : static_cast<std::byte*>(palloc(size)); }

 private:
  std::byte own_[512];
};

inline core::Receipts receipts_argument(Datum value) { return core::receipts_view(pg::varlena_bytes(value)); }

// A new value out of nested sets.
Datum receipts_datum(const core::Receipts& receipts);

// An empty builder that takes all its memory from the context and goes with it.
core::ReceiptsBuilder* make_builder(MemoryContext context);

// Refuses with 22P03 what is not the canonical form.
void check_bytes(core::Bytes bytes);

// The slot that an integer argument names, or 22003.
core::Member slot_argument(int64 slot);

}  // namespace chatopt::receipts
