#include "partitions/axis.hpp"

namespace chatopt::partitions {
namespace {

using core::AxisKind;

AxisKind kind_of_type(Oid type) {
  switch (type) {
    case TIMESTAMPTZOID: return AxisKind::kTimestamptz;
    case TIMESTAMPOID: return AxisKind::kTimestamp;
    case DATEOID: return AxisKind::kDate;
    case INT8OID: return AxisKind::kEpochSeconds;
    case UUIDOID: return AxisKind::kUuidv7;
  }
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("type %s does not stand for time", format_type_be(type))));
  pg_unreachable();
}

AxisKind kind_named(const char* kind) {
  struct Name {
    const char* name;
    AxisKind kind;
  };
  static constexpr Name kNames[] = {{"timestamptz", AxisKind::kTimestamptz},
                                    {"timestamp", AxisKind::kTimestamp},
                                    {"date", AxisKind::kDate},
                                    {"epoch_seconds", AxisKind::kEpochSeconds},
                                    {"epoch_milliseconds", AxisKind::kEpochMilliseconds},
                                    {"uuidv7", AxisKind::kUuidv7},
                                    {"snowflake", AxisKind::kSnowflake}};
  for (const Name& name : kNames)
    if (strcmp(name.name, kind) == 0) return name.kind;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized control kind \"%s\"", kind)));
  pg_unreachable();
}

bool fits(AxisKind kind, Oid type) {
  if (type == INT8OID)
    return kind == AxisKind::kEpochSeconds || kind == AxisKind::kEpochMilliseconds || kind == AxisKind::kSnowflake;
  return kind == kind_of_type(type);
}

constexpr int64 kMillisecondsTo2000 = core::kDaysTo2000 * core::kSecondsPerDay * 1000;

core::Position uuid_position(Datum bound) {
  core::Uuid bytes;
  memcpy(bytes.data(), DatumGetUUIDP(bound)->data, bytes.size());
  const auto position = core::position_of(bytes);
  if (position) return *position;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("bound %s is not the beginning of a millisecond",
                         DatumGetCString(DirectFunctionCall1(uuid_out, bound))),
                  errdetail("Partitions by version 7 uuids are bounded by times."),
                  errhint("Detach that partition, or attach it with another bound.")));
  pg_unreachable();
}

char* time_literal(core::Position position, bool with_zone) {
  if (TIMESTAMP_NOT_FINITE(position)) return pstrdup(TIMESTAMP_IS_NOBEGIN(position) ? "-infinity" : "infinity");
  pg_tm time;
  fsec_t fraction;
  char text[MAXDATELEN + 1];
  if (timestamp2tm(position, nullptr, &time, &fraction, nullptr, nullptr) != 0)
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
  time.tm_isdst = 0;  // below 0 the zone would be left out
  EncodeDateTime(&time, fraction, with_zone, 0, nullptr, USE_ISO_DATES, text);
  return pstrdup(text);
}

char* date_literal(core::Position position) {
  const auto date = static_cast<DateADT>(position);
  if (DATE_NOT_FINITE(date)) return pstrdup(DATE_IS_NOBEGIN(date) ? "-infinity" : "infinity");
  pg_tm day = {};
  char text[MAXDATELEN + 1];
  j2date(date + POSTGRES_EPOCH_JDATE, &day.tm_year, &day.tm_mon, &day.tm_mday);
  EncodeDateOnly(&day, USE_ISO_DATES, text);
  return pstrdup(text);
}

char* uuid_literal(core::Position position) {
  const core::Uuid bytes = core::uuid_at(position);
  pg_uuid_t uuid;
  memcpy(uuid.data, bytes.data(), bytes.size());
  return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&uuid)));
}

}  // namespace

core::Axis axis_of(const char* kind, Oid type, TimestampTz snowflake_epoch, int snowflake_shift) {
  core::Axis axis;
  axis.kind = kind == nullptr ? kind_of_type(type) : kind_named(kind);
  if (!fits(axis.kind, type))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("control kind \"%s\" does not go with type %s", kind, format_type_be(type))));
  if (axis.kind == AxisKind::kSnowflake) {
    axis.epoch_ms = snowflake_epoch / 1000 + kMillisecondsTo2000;
    axis.shift = snowflake_shift;
  }
  return axis;
}

core::Position position_of(const core::Axis& axis, Datum bound) {
  switch (axis.kind) {
    case AxisKind::kDate: return DatumGetDateADT(bound);
    case AxisKind::kUuidv7: return uuid_position(bound);
    default: return DatumGetInt64(bound);
  }
}

char* literal_of(const core::Axis& axis, core::Position position) {
  switch (axis.kind) {
    case AxisKind::kTimestamptz: return time_literal(position, true);
    case AxisKind::kTimestamp: return time_literal(position, false);
    case AxisKind::kDate: return date_literal(position);
    case AxisKind::kUuidv7: return uuid_literal(position);
    default: return psprintf(INT64_FORMAT, position);
  }
}

}  // namespace chatopt::partitions
