#include "partitions/holds.hpp"

#include "pg/config.hpp"

namespace chatopt::partitions {

Holds load_holds(Oid parent) {
  Holds holds = {nullptr, nullptr, 0};
  Datum rows;
  if (!pg::config_value(
          "SELECT array_agg(ARRAY[t.tbl::oid::text, t.reason]) FROM chatopt.partition_hold AS t WHERE t.tbl = $1 OR "
          "t.tbl IN (SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = $1)",
          parent, &rows))
    return holds;
  Datum* texts;
  int count;
  deconstruct_array(DatumGetArrayTypeP(rows), TEXTOID, -1, false, TYPALIGN_INT, &texts, nullptr, &count);
  holds.first = static_cast<Hold*>(palloc(sizeof(Hold) * count));
  for (int i = 0; i + 1 < count; i += 2) {
    const Hold hold = {atooid(TextDatumGetCString(texts[i])), TextDatumGetCString(texts[i + 1])};
    if (hold.table == parent)
      holds.of_all = hold.reason;
    else
      holds.first[holds.count++] = hold;
  }
  return holds;
}

}  // namespace chatopt::partitions
