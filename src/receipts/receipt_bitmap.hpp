// What the SQL functions of receipt_bitmap share. PG zone; nothing here has a
// destructor.
#pragma once

#include "core/bitmap/bitmap.hpp"
#include "pg/memory.hpp"
#include "pg/varlena.hpp"
#include "pg/postgres.hpp"

extern "C" {
PGDLLEXPORT Datum chatopt_receipt_bitmap_in(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {

// What is wrong with the text of a set, to follow "At byte 7: " in a DETAIL.
const char* set_error_reason(core::BitmapTextError error);

// The member that an integer argument names, or 22003.
core::Member member_argument(int64 member);

// A set that is being built in a memory context, across calls that may raise.
// Never destroyed: all it holds is memory of that context.
struct SetState {
  pg::MemoryContextResource memory;
  core::Builder builder;

  explicit SetState(MemoryContext context) noexcept : memory(context), builder(memory) {}
};

// The set so far. The builder stays as it was: windows go on with it.
inline Datum set_datum(const SetState& state) {
  const pg::VarlenaResult result(state.builder.bound());
  return result.finish(state.builder.write(result.payload()));
}

}  // namespace chatopt::receipts
