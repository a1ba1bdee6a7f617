#include "reads/audience.hpp"

#include "core/receipts/receipts.hpp"
#include "pg/row_finder.hpp"
#include "pg/varlena.hpp"
#include "reads/head_row.hpp"

namespace chatopt::reads {
namespace {

Detail detail_of(const Reads& reads, Datum conversation) {
  Head head;
  if (!find_head_seen(reads, conversation, GetActiveSnapshot(), &head) || !head.filled) return Detail::kNothing;
  if (head.members > reads.large_size) return Detail::kNothing;
  return head.members > reads.small_size ? Detail::kCounts : Detail::kWho;
}

core::Bytes set_at(TupleTableSlot* slot, AttrNumber column) {
  bool null;
  const Datum value = slot_getattr(slot, column, &null);
  return null ? core::empty_set() : pg::varlena_bytes(value);
}

AckRow* read_ack_row(Relation table, TupleTableSlot* slot, int64 index, People* people) {
  auto* row = static_cast<AckRow*>(palloc(sizeof(AckRow)));
  row->index = index;
  if (!core::ack_from_bitmaps(set_at(slot, mark::kDelivered), set_at(slot, mark::kRead), row->chunk))
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("a row of table \"%s\" is damaged", RelationGetRelationName(table)),
                    errhint("Delete it: what it holds is marked anew by the next read.")));
  bool null;
  row->person = people->add(slot_getattr(slot, mark::kMember, &null));
  return row;
}

}  // namespace

bool find_audience(const Reads& reads, Datum conversation, Audience* audience) {
  Relation table = table_open(reads.chat->counters, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const bool found =
      find_conversation(*reads.chat, table, conversation, GetActiveSnapshot(), slot, &audience->conversation);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  if (found) audience->detail = detail_of(reads, conversation);
  return found;
}

List* find_acks(const Reads& reads, Datum conversation, int64 from, int64 upto, People* people) {
  List* acks = NIL;
  Relation table = table_open(reads.read_marks, AccessShareLock);
  pg::RowScan scan = pg::begin_scan(reads.marks, table, &conversation, 1, GetActiveSnapshot());
  while (pg::next_row(&scan)) {
    CHECK_FOR_INTERRUPTS();
    bool null;
    const int64 index = DatumGetInt64(slot_getattr(scan.slot, mark::kChunk, &null));
    if (index >= core::skip_chunk(0, from) && index <= core::skip_chunk(0, upto))
      acks = lappend(acks, read_ack_row(table, scan.slot, index, people));
  }
  pg::end_scan(&scan);
  table_close(table, NoLock);
  return acks;
}

void check_may_read_state(const Reads& reads) {
  if (pg_class_aclcheck(reads.read_state, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
      pg_attribute_aclcheck_all(reads.read_state, GetUserId(), ACL_SELECT, ACLMASK_ALL) != ACLCHECK_OK)
    aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(reads.read_state));
}

}  // namespace chatopt::reads
