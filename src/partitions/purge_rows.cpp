#include "partitions/purge_rows.hpp"

#include "counters/queries.hpp"

namespace chatopt::partitions {
namespace {

using counters::OrderOperator;
using counters::quoted_column;

// One range of the index; where is a condition on conversation and number.
const char* range_query(const counters::Source& source, bool down, const char* where, int most) {
  const char* conversation = quoted_column(source.relation, source.conversation);
  const char* number = quoted_column(source.relation, source.number);
  const char* descending = down ? " DESC" : "";
  return psprintf(
      "(SELECT new.%s, new.%s::bigint, (%s) IS TRUE, new.%s, %s FROM ONLY %s AS new WHERE %s AND new.%s IS NOT NULL AND "
      "new.%s IS NOT NULL ORDER BY new.%s%s, new.%s%s LIMIT %d)",
      conversation, number, counters::counted_condition(source.relation, "new"),
      quoted_column(source.relation, source.key),
      source.time == 0 ? "NULL" : psprintf("new.%s", quoted_column(source.relation, source.time)),
      counters::qualified_name(source.relation), where, conversation, number, conversation, descending, number,
      descending, most);
}

// What is left of the mark's conversation, then the conversations behind it: two
// ranges, so that none of it is read that has been gone through.
const char* query(const counters::Source& source, const counters::PurgeMark& mark, int most) {
  const bool down = mark.returning;
  if (mark.key == nullptr) return range_query(source, down, "true", most);
  const Oid type = source.conversation_type.type;
  const char* conversation = quoted_column(source.relation, source.conversation);
  const char* key = psprintf("%s::%s", quote_literal_cstr(mark.key), format_type_be_qualified(type));
  const char* same = psprintf("new.%s %s %s AND new.%s %s %lld", conversation,
                              counters::type_operator(type, OrderOperator::kEqual), key,
                              quoted_column(source.relation, source.number), down ? "<=" : ">",
                              static_cast<long long>(mark.number));
  const char* behind =
      psprintf("new.%s %s %s", conversation,
               counters::type_operator(type, down ? OrderOperator::kLess : OrderOperator::kGreater), key);
  return psprintf("%s UNION ALL %s ORDER BY 1%s, 2%s LIMIT %d", range_query(source, down, same, most),
                  range_query(source, down, behind, most), down ? " DESC" : "", down ? " DESC" : "", most);
}

}  // namespace

PurgeRows next_purge_rows(const counters::Source& source, const counters::PurgeMark& mark, int most) {
  if (SPI_execute(query(source, mark, most), false, 0) != SPI_OK_SELECT) elog(ERROR, "query of messages failed");
  SPITupleTable* found = SPI_tuptable;
  PurgeRows rows = {static_cast<PurgeRow*>(MemoryContextAllocHuge(CurrentMemoryContext,
                                                                  (SPI_processed + 1) * sizeof(PurgeRow))),
                    SPI_processed};
  for (uint64 i = 0; i < rows.count; ++i) {
    const auto value = [&](int column, bool* null) {
      return SPI_getbinval(found->vals[i], found->tupdesc, column, null);
    };
    bool null;
    PurgeRow& row = rows.rows[i];
    row.conversation = value(1, &null);
    row.number = DatumGetInt64(value(2, &null));
    row.counted = DatumGetBool(value(3, &null));
    row.key = value(4, &null);
    row.time = value(5, &row.time_null);
  }
  return rows;
}

}  // namespace chatopt::partitions
