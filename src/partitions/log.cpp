#include "partitions/log.hpp"

#include "pg/config.hpp"

namespace chatopt::partitions {
namespace {

const char* word_for(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone: return "done";
    case Outcome::kBusy: return "busy";
    case Outcome::kBlocked: return "blocked";
    case Outcome::kFailed: return "failed";
    case Outcome::kSkipped: return "skipped";
  }
  return "failed";
}

class Arguments {
 public:
  void add(Oid type, Datum value, bool null) {
    types_[count_] = type;
    values_[count_] = value;
    nulls_[count_++] = null ? 'n' : ' ';
  }
  void add(const char* text) { add(TEXTOID, text == nullptr ? Datum{0} : CStringGetTextDatum(text), text == nullptr); }
  void run(const char* sql) { (void)pg::run_as_config_owner(sql, count_, types_, values_, nulls_); }

 private:
  static constexpr int kMost = 12;
  int count_ = 0;
  Oid types_[kMost];
  Datum values_[kMost];
  char nulls_[kMost + 1] = {};
};

Interval* elapsed(pg::Deadline started) {
  auto* interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
  interval->time = std::chrono::duration_cast<std::chrono::microseconds>(pg::deadline_in(0) - started).count();
  return interval;
}

// where: a condition on the arguments.
void write(int64 run, TimestampTz clock, const LogRow& row, const char* where) {
  const char* message = row.error == nullptr          ? row.message
                        : row.error->detail == nullptr ? row.error->message
                                                       : psprintf("%s (%s)", row.error->message, row.error->detail);
  Arguments arguments;
  arguments.add(INT8OID, Int64GetDatum(run), false);
  arguments.add(TIMESTAMPTZOID, TimestampTzGetDatum(clock), false);
  arguments.add(OIDOID, ObjectIdGetDatum(row.parent), !OidIsValid(row.parent));
  arguments.add(row.parent_name);
  arguments.add(row.action);
  arguments.add(row.partition);
  arguments.add(row.lower);
  arguments.add(row.upper);
  arguments.add(word_for(row.outcome));
  arguments.add(row.error == nullptr ? nullptr : unpack_sql_state(row.error->sqlerrcode));
  arguments.add(message);
  arguments.add(INTERVALOID, IntervalPGetDatum(elapsed(row.started)), false);
  arguments.run(psprintf(
      "INSERT INTO chatopt.maintenance_history (run, clock, parent, parent_name, action, partition_name, lower_bound, "
      "upper_bound, outcome, sqlstate, message, took) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 WHERE %s",
      where));
}

}  // namespace

int64 new_run() {
  Datum value = 0;
  if (!pg::config_value("SELECT nextval(pg_get_serial_sequence('chatopt.maintenance_history', 'id')) WHERE $1 = 0",
                              InvalidOid, &value))
    elog(ERROR, "no number for a run");
  return DatumGetInt64(value);
}

void write_log(int64 run, TimestampTz clock, const LogRow& row) { write(run, clock, row, "true"); }

void write_log_once(int64 run, TimestampTz clock, const LogRow& row) {
  write(run, clock, row,
        "NOT EXISTS (SELECT FROM (SELECT h.outcome, h.message FROM chatopt.maintenance_history AS h WHERE h.parent = $3 "
        "AND h.partition_name = $6 ORDER BY h.id DESC LIMIT 1) AS last WHERE last.outcome = $9 AND last.message IS NOT "
        "DISTINCT FROM $11)");
}

void prune_log(TimestampTz clock) {
  Arguments arguments;
  arguments.add(TIMESTAMPTZOID, TimestampTzGetDatum(clock), false);
  arguments.run(
      "DELETE FROM chatopt.maintenance_history AS h WHERE h.clock < $1 - interval '400 days' OR h.id <= (SELECT max(id) - "
      "100000 FROM chatopt.maintenance_history)");
}

}  // namespace chatopt::partitions
