// Text and binary input and output of group_receipts, and what the other files
// of the type share.

#include <new>
#include <span>

#include "core/receipts/text.hpp"
#include "receipts/group_receipts.hpp"
#include "pg/boundary.hpp"
#include "pg/memory.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_group_receipts_in);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_out);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_recv);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_send);
PGDLLEXPORT Datum chatopt_group_receipts_in(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_out(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_recv(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_send(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {

Datum receipts_datum(const core::Receipts& receipts) {
  const pg::VarlenaResult result(core::receipts_bound(receipts));
  return result.finish(core::receipts_build(receipts, result.payload()));
}

namespace {

struct BuilderInContext {
  pg::MemoryContextResource memory;
  core::ReceiptsBuilder builder;
  explicit BuilderInContext(MemoryContext context) noexcept : memory(context), builder(memory) {}
};
static_assert(alignof(BuilderInContext) <= MAXIMUM_ALIGNOF);

}  // namespace

core::ReceiptsBuilder* make_builder(MemoryContext context) {
  void* place = MemoryContextAlloc(context, sizeof(BuilderInContext));
  return &(::new (place) BuilderInContext(context))->builder;
}

core::Member slot_argument(int64 slot) {
  if (slot < 0 || slot > int64{core::kMaxMember})
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("slot %lld is out of range", static_cast<long long>(slot)),
                    errdetail("Slots are numbers from 0 to %u.", core::kMaxMember)));
  return static_cast<core::Member>(slot);
}

namespace {

using core::ReceiptsParseError;

// What stands at the position of the error, or should.
const char* reason_of(const core::ReceiptsParse& parsed) {
  switch (parsed.error) {
    case ReceiptsParseError::kExpectedOpen:
      return "expected \"{\"";
    case ReceiptsParseError::kExpectedKey:
      return "expected \"recipients\", \"delivered\" or \"seen\"";
    case ReceiptsParseError::kExpectedEquals:
      return "expected \"=\"";
    case ReceiptsParseError::kExpectedSet:
      return "expected a set such as \"{0-29}\"";
    case ReceiptsParseError::kExpectedCommaOrClose:
      return "expected \",\" or \"}\"";
    case ReceiptsParseError::kRepeatedKey:
      return "the set is given twice";
    case ReceiptsParseError::kTrailing:
      return "expected the end";
    case ReceiptsParseError::kBadSet:
      return set_error_reason(parsed.set);
    case ReceiptsParseError::kNone:
    case ReceiptsParseError::kBareNumber:
      break;
  }
  return "";
}

[[noreturn]] void refuse(const char* text, const core::ReceiptsParse& parsed) {
  if (parsed.error == ReceiptsParseError::kBareNumber)
    ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                    errmsg("invalid input syntax for type %s: \"%s\"", "group_receipts", text),
                    errdetail("A number is not a set of recipients."),
                    errhint("Write {0-29} for slots 0 to 29, or group_receipts(30) for the same; a parameter needs a "
                            "type: group_receipts($1::int).")));
  ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                  errmsg("invalid input syntax for type %s: \"%s\"", "group_receipts", text),
                  errdetail("At byte %zu: %s.", parsed.position + 1, reason_of(parsed))));
  pg_unreachable();
}

// Names the first member of set that larger lacks, if there is one.
bool first_beyond(core::Bytes set, core::Bytes larger, core::Member& slot) {
  constexpr auto kDifference = core::SetOperation::kDifference;
  Workspace workspace;
  std::byte* space = workspace.take(core::bitmap_bound(kDifference, set, larger));
  return core::bitmap_min({space, core::bitmap_apply(kDifference, set, larger, space)}, slot);
}

void check_nested(const core::Receipts& receipts) {
  core::Member slot = 0;
  if (first_beyond(receipts.delivered, receipts.recipients, slot))
    ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                    errmsg("set \"delivered\" of group_receipts is not within \"recipients\""),
                    errdetail("Slot %u is in \"delivered\", but not in \"recipients\".", slot)));
  if (first_beyond(receipts.seen, receipts.delivered, slot))
    ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                    errmsg("set \"seen\" of group_receipts is not within \"delivered\""),
                    errdetail("Slot %u is in \"seen\", but not in \"delivered\".", slot)));
}

Datum read_text(const char* text) {
  auto* builder = make_builder(CurrentMemoryContext);
  const core::ReceiptsParse parsed = pg::cpp_zone([=] { return core::receipts_parse(text, *builder); });
  if (parsed.error != ReceiptsParseError::kNone) refuse(text, parsed);
  Workspace workspace;
  const core::Receipts receipts = builder->write(workspace.take(builder->bound()));
  check_nested(receipts);
  return receipts_datum(receipts);
}

char* write_text(const core::Receipts& receipts) {
  const int64 size = core::receipts_text_size(receipts);
  if (size >= static_cast<int64>(MaxAllocSize))
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("text form of group_receipts is too long"),
                    errdetail("It would take %lld bytes, the limit is %zu.", static_cast<long long>(size),
                              static_cast<std::size_t>(MaxAllocSize))));
  auto* text = static_cast<char*>(palloc(static_cast<std::size_t>(size) + 1));
  *core::receipts_write_text(receipts, text) = '\0';
  return text;
}

Datum read_binary(StringInfo message) {
  const int size = message->len - message->cursor;
  const char* data = pq_getmsgbytes(message, size);
  const core::Bytes bytes = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
  check_bytes(bytes);
  return pg::varlena_datum(bytes);
}

}  // namespace

void check_bytes(core::Bytes bytes) {
  if (!core::receipts_is_valid(bytes))
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("invalid binary form of type group_receipts"),
             errdetail("The %zu bytes are not the canonical form of three nested sets.", bytes.size())));
}

}  // namespace chatopt::receipts

// group_receipts_in(input cstring) -> group_receipts
Datum chatopt_group_receipts_in(PG_FUNCTION_ARGS) { return chatopt::receipts::read_text(PG_GETARG_CSTRING(0)); }

// group_receipts_out(receipts group_receipts) -> cstring
Datum chatopt_group_receipts_out(PG_FUNCTION_ARGS) {
  PG_RETURN_CSTRING(chatopt::receipts::write_text(chatopt::receipts::receipts_argument(PG_GETARG_DATUM(0))));
}

// group_receipts_recv(input internal) -> group_receipts
Datum chatopt_group_receipts_recv(PG_FUNCTION_ARGS) {
  return chatopt::receipts::read_binary(reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)));
}

// group_receipts_send(receipts group_receipts) -> bytea
Datum chatopt_group_receipts_send(PG_FUNCTION_ARGS) {
  return chatopt::pg::varlena_datum(chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0)));
}
