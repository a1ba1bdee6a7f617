// Text and binary input and output of receipt_bitmap, and what the other files
// of the type share.

#include <string_view>

#include "core/bitmap/bitmap.hpp"
#include "pg/boundary.hpp"
#include "pg/memory.hpp"
#include "receipts/receipt_bitmap.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_in);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_out);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_recv);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_send);
PGDLLEXPORT Datum chatopt_receipt_bitmap_out(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_recv(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_send(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {

const char* set_error_reason(core::BitmapTextError error) {
  switch (error) {
    case core::BitmapTextError::kNegative:
      return "a member is negative";
    case core::BitmapTextError::kOutOfRange:
      return "a member is greater than 2147483647";
    case core::BitmapTextError::kEmptyRange:
      return "a range ends before it begins";
    case core::BitmapTextError::kSyntax:
    case core::BitmapTextError::kNone:
      break;
  }
  return "unexpected character";
}

core::Member member_argument(int64 member) {
  if (member < 0 || member > int64{core::kMaxMember})
    ereport(ERROR,
            (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("member " INT64_FORMAT " is out of range", member),
             errdetail("Members are numbers from 0 to %u.", core::kMaxMember)));
  return static_cast<core::Member>(member);
}

namespace {

struct ParsedSet {
  core::BitmapParse parse;
  Datum value = 0;
};

ParsedSet parse(const char* input) {
  return pg::cpp_zone([&] {
    pg::MemoryContextResource memory(CurrentMemoryContext);
    core::Builder builder(memory);
    ParsedSet result;
    result.parse = core::bitmap_parse(std::string_view(input), builder);
    if (result.parse) {
      const pg::VarlenaResult value(memory.allocate(pg::VarlenaResult::room(builder.bound()), alignof(int32)));
      result.value = value.finish(builder.write(value.payload()));
    }
    return result;
  });
}

// The text as an error message shows it: a long one only at its beginning.
const char* shown(const char* input) {
  constexpr int kShown = 200;
  const auto length = static_cast<int>(strnlen(input, kShown + 1));
  return length <= kShown ? input : psprintf("%.*s...", pg_mbcliplen(input, length, kShown), input);
}

}  // namespace
}  // namespace chatopt::receipts

// receipt_bitmap_in(input cstring) -> receipt_bitmap
Datum chatopt_receipt_bitmap_in(PG_FUNCTION_ARGS) {
  const char* input = PG_GETARG_CSTRING(0);
  const chatopt::receipts::ParsedSet parsed = chatopt::receipts::parse(input);
  if (parsed.parse) return parsed.value;
  const bool at_end = input[parsed.parse.position] == '\0';
  ereturn(fcinfo->context, Datum{0},
          (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
           errmsg("invalid input syntax for type %s: \"%s\"", "receipt_bitmap", chatopt::receipts::shown(input)),
           errdetail("At byte %zu: %s.", parsed.parse.position + 1,
                     at_end ? "unexpected end" : chatopt::receipts::set_error_reason(parsed.parse.error))));
}

// receipt_bitmap_out(members receipt_bitmap) -> cstring
Datum chatopt_receipt_bitmap_out(PG_FUNCTION_ARGS) {
  const chatopt::core::Bytes set = chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0));
  const int64 size = chatopt::core::bitmap_text_size(set);
  if (size >= int64{MaxAllocSize})
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("set is too large for its text form"),
                    errdetail("The text would take %lld bytes, the limit is %zu.", static_cast<long long>(size),
                              MaxAllocSize - 1),
                    errhint("Use cardinality(), members() or the binary form.")));
  char* output = static_cast<char*>(palloc(static_cast<Size>(size) + 1));
  *chatopt::core::bitmap_write_text(set, output) = '\0';
  PG_RETURN_CSTRING(output);
}

// receipt_bitmap_recv(input internal) -> receipt_bitmap: the stored bytes
Datum chatopt_receipt_bitmap_recv(PG_FUNCTION_ARGS) {
  auto* message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
  const int size = message->len - message->cursor;
  const char* bytes = pq_getmsgbytes(message, size);
  const chatopt::core::Bytes untrusted(reinterpret_cast<const std::byte*>(bytes), static_cast<std::size_t>(size));
  if (!chatopt::core::bitmap_is_valid(untrusted))
    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                    errmsg("invalid binary representation of type %s", "receipt_bitmap")));
  return chatopt::pg::varlena_datum(untrusted);
}

// receipt_bitmap_send(members receipt_bitmap) -> bytea
Datum chatopt_receipt_bitmap_send(PG_FUNCTION_ARGS) {
  return chatopt::pg::varlena_datum(chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0)));
}
