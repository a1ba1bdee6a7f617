#include "reads/read_log.hpp"

#include "pg/row_finder.hpp"
#include "pg/row_writer.hpp"

namespace chatopt::reads {

void log_read(const Reads& reads, const StateKey& key, int64 from, int64 upto, TimestampTz at) {
  Relation table = table_open(reads.read_log, RowExclusiveLock);
  pg::RowWriter writer = pg::open_writer(table);
  pg::RowValues row = pg::new_row(table);
  row.set(log::kConversation, key.conversation);
  row.set(log::kMember, key.member);
  row.set(log::kFrom, Int64GetDatum(from));
  row.set(log::kUpto, Int64GetDatum(upto));
  row.set(log::kAt, TimestampTzGetDatum(at));
  pg::insert_row(&writer, row);
  pg::close_writer(&writer);
  table_close(table, NoLock);
}

bool find_logged(const Reads& reads, const StateKey& key, int64 number, TimestampTz* at) {
  Relation table = table_open(reads.read_log, AccessShareLock);
  const Datum keys[] = {key.conversation, key.member};
  pg::RowScan scan = pg::begin_scan_from(reads.log, table, keys, 2, number, GetActiveSnapshot());
  bool found = false;
  if (pg::next_row(&scan)) {
    bool null;
    // A move that began above was made without the number, or while there was no log.
    found = DatumGetInt64(slot_getattr(scan.slot, log::kFrom, &null)) < number;
    *at = DatumGetTimestampTz(slot_getattr(scan.slot, log::kAt, &null));
  }
  pg::end_scan(&scan);
  table_close(table, NoLock);
  return found;
}

}  // namespace chatopt::reads
