#include "reads/mention_queries.hpp"

#include "counters/queries.hpp"
#include "reads/mention_table.hpp"

namespace chatopt::reads {
namespace {

using counters::quoted_column;

[[noreturn]] void raise_no_column(Oid messages) {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("the chatopt triggers of table \"%s\" do not name the column of mentions",
                         get_rel_name(messages)),
                  errhint("Call chatopt.track_reads with mentions => '...' again.")));
  pg_unreachable();
}

// The rows that mention somebody, as m(member), beside a message.
const char* mentioned(const Reads& reads, const counters::Source& source) {
  const Oid messages = reads.chat->messages;
  if (OidIsValid(reads.mention_table)) {
    const MentionColumns columns = mention_columns(reads.mention_table);
    return psprintf("JOIN (SELECT t.%s AS message, t.%s AS member FROM %s AS t) AS m ON m.message = new.%s",
                    quoted_column(reads.mention_table, columns.message),
                    quoted_column(reads.mention_table, columns.member), counters::qualified_name(reads.mention_table),
                    quoted_column(messages, source.key));
  }
  if (source.mentions == 0) raise_no_column(messages);
  return psprintf("CROSS JOIN LATERAL unnest(new.%s) AS m(member)", quoted_column(messages, source.mentions));
}

}  // namespace

const char* mentions_wanted(const Reads& reads, const char* condition) {
  const Oid messages = reads.chat->messages;
  const counters::Source& source = *counters::source_of(messages);
  const char* conversation = quoted_column(messages, source.conversation);
  const char* number = quoted_column(messages, source.number);
  return psprintf(
      "SELECT new.%s AS conversation_id, m.member AS member_id, new.%s::bigint AS seq FROM %s AS new %s WHERE "
      "new.%s IS NOT NULL AND new.%s IS NOT NULL AND m.member IS NOT NULL AND m.member IS DISTINCT FROM new.%s AND %s",
      conversation, number, counters::qualified_name(messages), mentioned(reads, source), conversation, number,
      quoted_column(messages, source.sender), condition);
}

}  // namespace chatopt::reads
