#include "reads/verifying.hpp"

#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "reads/mention_queries.hpp"
#include "reads/settling.hpp"

namespace chatopt::reads {
namespace {

using counters::qualified_name;
using counters::quoted_column;

struct Query {
  const Reads* reads;
  const counters::Drift* drift;
  const char* picked;
};

// Runs one query on the conversations picked, with the tables of the reads by name: R, H, S, M.
void add(const Query& query, const char* select) {
  const Reads& reads = *query.reads;
  counters::add_drift_of(*reads.chat, *query.drift,
                         psprintf("%s, r AS (SELECT s.*, p.last, p.filled FROM %s AS s JOIN picked AS p ON p.key = "
                                  "s.conversation_id) %s ORDER BY 1, 3, 4",
                                  query.picked, qualified_name(reads.read_state), select));
}

// Of a conversation that is tracked but has no head, or one that somebody has yet to fill in.
void verify_heads(const Query& query) {
  const char* expected = query.reads->filling ? "false" : "p.last > 0";
  add(query, psprintf("SELECT p.key::text, 'read head', 'filled up to ' || p.filled_upto, CASE WHEN NOT p.there THEN "
                      "'missing' END FROM picked AS p WHERE (NOT p.there AND (%s OR EXISTS (SELECT FROM r WHERE "
                      "r.conversation_id = p.key))) OR (p.filled_upto IS NOT NULL AND NOT %s)",
                      expected, query.reads->filling ? "true" : "false"));
}

void verify_memberships(const Query& query) {
  const counters::Chat& chat = *query.reads->chat;
  const counters::Source& source = *counters::source_of(chat.members);
  const char* conversation = quoted_column(chat.members, source.conversation);
  const char* member = quoted_column(chat.members, source.key);
  add(query,
      psprintf(
          "SELECT coalesce(o.key, m.key)::text, 'membership', o.member::text || CASE WHEN o.times > 1 THEN ' (' || "
          "o.times || ' times)' ELSE '' END, m.member::text FROM (SELECT r.conversation_id AS key, r.member_id AS "
          "member, count(*) AS times FROM r WHERE r.filled AND r.left_seq IS NULL GROUP BY 1, 2) AS o FULL JOIN "
          "(SELECT DISTINCT new.%s AS key, new.%s AS member FROM %s AS new JOIN picked AS p ON p.key = new.%s WHERE "
          "p.filled AND new.%s IS NOT NULL AND (%s)) AS m ON m.key = o.key AND m.member = o.member WHERE o.key IS NULL "
          "OR m.key IS NULL OR o.times > 1",
          conversation, member, qualified_name(chat.members), conversation, member,
          counters::counted_condition(chat.members, "new")));
  add(query,
      "SELECT p.key::text, 'members', p.members::text, count(r.member_id)::text FROM picked AS p LEFT JOIN r ON "
      "r.conversation_id = p.key AND r.left_seq IS NULL WHERE p.filled GROUP BY p.key, p.members HAVING p.members <> "
      "count(r.member_id)");
}

void verify_slots(const Query& query) {
  add(query,
      "SELECT s.key::text, 'slot', s.slot::text, left(string_agg(s.member::text, ', ' ORDER BY s.member), 200) FROM "
      "(SELECT DISTINCT r.conversation_id AS key, r.slot, r.member_id AS member FROM r) AS s GROUP BY s.key, s.slot "
      "HAVING count(*) > 1");
  add(query,
      "SELECT p.key::text, 'slot', max(r.slot)::text, 'below ' || p.next_slot FROM picked AS p JOIN r ON "
      "r.conversation_id = p.key WHERE p.there GROUP BY p.key, p.next_slot HAVING max(r.slot) >= p.next_slot");
}

void verify_positions(const Query& query) {
  // Before a conversation is filled in, its numbers may have been given afresh.
  add(query,
      psprintf("SELECT s.conversation_id::text, 'position', s.member_id || ': joined ' || s.joined_seq || ', read ' || "
               "s.read_seq || ', delivered ' || s.delivered_seq || coalesce(', left ' || s.left_seq, ''), 'last ' || "
               "s.last FROM r AS s WHERE s.filled AND %s",
               impossible_positions("s.last")));
  add(query,
      psprintf(
          "SELECT m.conversation_id::text, 'unread mark', m.member_id || ': after ' || m.unread_seq, NULL FROM %s AS m "
          "JOIN picked AS p ON p.key = m.conversation_id WHERE p.filled AND %s",
          qualified_name(query.reads->read_marks), useless_mark(*query.reads)));
}

// Sending has marked the conversation read up to the message sent.
void verify_own_messages(const Query& query) {
  const counters::Chat& chat = *query.reads->chat;
  const counters::Source& source = *counters::source_of(chat.messages);
  const char* conversation = quoted_column(chat.messages, source.conversation);
  const char* number = quoted_column(chat.messages, source.number);
  add(query,
      psprintf(
          "SELECT r.conversation_id::text, 'own messages', r.member_id || ': read ' || r.read_seq, 'sent ' || "
          "max(new.%s) FROM r JOIN %s AS new ON new.%s = r.conversation_id AND new.%s = r.member_id AND new.%s > "
          "r.read_seq WHERE r.filled AND r.left_seq IS NULL AND (%s)%s AND NOT %s AND (($1 IS NULL AND $2 >= 1) OR new.%s IN "
          "(SELECT key FROM picked)) GROUP BY r.conversation_id, r.member_id, r.read_seq",
          number, qualified_name(chat.messages), conversation, quoted_column(chat.messages, source.sender), number,
          counters::counted_condition(chat.messages, "new"),
          counters::purged_condition(chat, "new", GetActiveSnapshot()),
          is_acknowledged(*query.reads, psprintf("new.%s", number), "r"), conversation));
}

// Whom messages mention, against what is kept: a row a message.
void verify_mentions(const Query& query) {
  const Reads& reads = *query.reads;
  const counters::Chat& chat = *reads.chat;
  const char* conversation = quoted_column(chat.messages, counters::source_of(chat.messages)->conversation);
  const char* picked = "(SELECT key FROM picked WHERE mentions_filled)";
  add(query,
      psprintf(
          "SELECT coalesce(s.conversation_id, w.conversation_id)::text, 'mention', coalesce(s.seq, w.seq) || ': ' || "
          "left(s.members, 200), coalesce(s.seq, w.seq) || ': ' || left(w.members, 200) FROM (SELECT t.conversation_id, "
          "t.seq, string_agg(t.member_id::text, ', ' ORDER BY t.member_id) AS members FROM %s AS t WHERE "
          "t.conversation_id IN %s GROUP BY 1, 2) AS s FULL JOIN (SELECT u.conversation_id, u.seq, "
          "string_agg(u.member_id::text, ', ' ORDER BY u.member_id) AS members FROM (SELECT DISTINCT d.* FROM (%s) AS d) "
          "AS u GROUP BY 1, 2) AS w ON w.conversation_id = s.conversation_id AND w.seq = s.seq WHERE s.members IS "
          "DISTINCT FROM w.members",
          qualified_name(reads.mentions), picked, mentions_wanted(reads, psprintf("new.%s IN %s", conversation, picked))));
}

// What is kept of conversations that there are not.
void verify_strays(const Query& query) {
  const Reads& reads = *query.reads;
  const char* counters = qualified_name(reads.chat->counters);
  const char* key = quoted_column(reads.chat->counters, reads.chat->key);
  for (const Oid table : {reads.read_state, reads.read_marks, reads.skipped_numbers, reads.read_heads, reads.mentions}) {
    if (!OidIsValid(table)) continue;
    add(query,
        psprintf(
            "SELECT t.conversation_id::text, 'reads of no conversation', %s, count(*)::text FROM %s AS t WHERE ($1 IS "
            "NULL OR t.conversation_id = $1) AND $2 >= 1 AND NOT EXISTS (SELECT FROM %s AS c WHERE c.%s = "
            "t.conversation_id) GROUP BY t.conversation_id",
            quote_literal_cstr(get_rel_name(table)), qualified_name(table), counters, key));
  }
}

}  // namespace

const char* picked_conversations(const Reads& reads) {
  const counters::Chat& chat = *reads.chat;
  const char* key = quoted_column(chat.counters, chat.key);
  return psprintf(
      "WITH picked AS MATERIALIZED (SELECT c.%s AS key, c.%s AS last, h.conversation_id IS NOT NULL AS there, "
      "h.next_slot, h.members, h.filled_upto, h.conversation_id IS NOT NULL AND coalesce(h.filled_upto < 0, true) AS filled, "
      "h.conversation_id IS NOT NULL AND h.filled_upto IS NULL AS mentions_filled FROM "
      "%s AS c LEFT JOIN %s AS h ON h.conversation_id = c.%s WHERE ($1 IS NULL OR c.%s = $1) AND ($2 >= 1 OR random() "
      "< $2) AND c.%s IS NOT NULL)",
      key, quoted_column(chat.counters, chat.last_sequence_number), qualified_name(chat.counters),
      qualified_name(reads.read_heads), key, key, quoted_column(chat.counters, chat.last_sequence_number));
}

void verify(const counters::Chat& chat, const counters::Drift& drift) {
  const Reads& reads = *chat.reads;
  const Query query = {&reads, &drift, picked_conversations(reads)};
  verify_heads(query);
  verify_memberships(query);
  verify_slots(query);
  verify_positions(query);
  if (reads.own_messages_read) verify_own_messages(query);
  if (OidIsValid(reads.mentions)) verify_mentions(query);
  verify_skips(reads, drift);
  verify_strays(query);
}

void append_triggers(StringInfo sql, const counters::Config& config) {
  Reads reads = {};
  if (!tables_of(config.messages, &reads)) return;
  appendStringInfo(sql,
                   " UNION SELECT %u::oid::regclass, name FROM (VALUES ('aaa_chatopt_conversation'), "
                   "('zzz_chatopt_truncate')) AS c(name) UNION SELECT %u::oid::regclass, 'zzz_chatopt_guard_reads'",
                   config.conversations, reads.read_state);
  if (OidIsValid(reads.mention_table))
    appendStringInfo(sql,
                     " UNION SELECT %u::oid::regclass, name FROM (VALUES ('aaa_chatopt_columns'), ('aaa_chatopt_insert'), "
                     "('aaa_chatopt_update'), ('aaa_chatopt_delete'), ('aaa_chatopt_truncate')) AS m(name)",
                     reads.mention_table);
}

}  // namespace chatopt::reads
