// chatopt._every(), _partition_name() and _check_name_format(): the core's words
// for SQL.

#include "core/partitions/naming.hpp"
#include "core/partitions/text.hpp"
#include "partitions/naming.hpp"
#include "pg/varlena.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_partitions_every);
PG_FUNCTION_INFO_V1(chatopt_partitions_name);
PG_FUNCTION_INFO_V1(chatopt_partitions_check_name_format);
PGDLLEXPORT Datum chatopt_partitions_every(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_partitions_name(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_partitions_check_name_format(PG_FUNCTION_ARGS);
}

namespace chatopt::partitions {
namespace {

std::string_view view_of(text* value) {
  const pg::PayloadBytes bytes = pg::varlena_bytes(PointerGetDatum(value));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

core::Every every_of(std::string_view text) {
  const auto every = core::parse_every(text);
  if (every) return *every;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("\"%.*s\" is not a period of the calendar", static_cast<int>(text.size()), text.data()),
                  errhint("Use 'day', 'week', 'month', 'quarter' or 'year'.")));
  pg_unreachable();
}

const char* word_for(core::Every every) {
  switch (every) {
    case core::Every::kDay: return "day";
    case core::Every::kWeek: return "week";
    case core::Every::kMonth: return "month";
    case core::Every::kQuarter: return "quarter";
    case core::Every::kYear: return "year";
  }
  return "month";
}

char* named(const core::Result<core::PartitionName>& name, const char* base) {
  if (name) return pstrdup(name->text);
  ereport(ERROR, (errcode(name.error() == core::PartitionError::kNameTooLong ? ERRCODE_NAME_TOO_LONG
                                                                             : ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("no name can be made for a partition of table \"%s\"", base),
                  errhint("Give a shorter name_format, such as _YYYY_MM.")));
  pg_unreachable();
}

}  // namespace chatopt::partitions

// _every(every)
Datum chatopt_partitions_every(PG_FUNCTION_ARGS) {
  using namespace chatopt::partitions;
  PG_RETURN_TEXT_P(cstring_to_text(word_for(every_of(view_of(PG_GETARG_TEXT_PP(0))))));
}

// _partition_name(base, name_format, period)
Datum chatopt_partitions_name(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  using namespace chatopt::partitions;
  const char* base = NameStr(*PG_GETARG_NAME(0));
  const core::Civil day = core::civil_from_days(PG_GETARG_DATEADT(2) + core::kDaysTo2000);
  auto* name = static_cast<Name>(palloc0(NAMEDATALEN));
  namestrcpy(name, named(core::period_name(base, view_of(PG_GETARG_TEXT_PP(1)), day), base));
  PG_RETURN_NAME(name);
}

// _check_name_format(name_format, every)
Datum chatopt_partitions_check_name_format(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  using namespace chatopt::partitions;
  text* format = PG_GETARG_TEXT_PP(0);
  const core::Every every = every_of(view_of(PG_GETARG_TEXT_PP(1)));
  if (core::check_pattern(view_of(format), every) != core::PartitionError::kNone)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("name_format \"%s\" does not tell one %s from another", text_to_cstring(format),
                           word_for(every)),
                    errhint("YYYY, MM, DD, Q, IYYY and IW stand for year, month, day, quarter, ISO year and ISO week.")));
  PG_RETURN_TEXT_P(format);
}
