#include "counters/counter_row.hpp"

#include "counters/queries.hpp"
#include "counters/row.hpp"

namespace chatopt::counters {

bool lock_counter_row(const Chat& chat, core::Ledger& ledger, core::Counter& counter) {
  if (lock_counter(chat, ledger, counter)) return true;
  if (chat.counters == chat.conversations) return false;
  bool made;
  if (!create_counter_row(chat, counter.key(), &made) || !lock_counter(chat, ledger, counter)) return false;
  // A conversation older than attach: its messages are still to be numbered.
  if (made && chat.filling) set_counter_unfilled(chat, ledger, counter);
  return true;
}

void raise_unknown_conversation(const Source& source, Datum conversation) {
  Oid output;
  bool varlena;
  getTypeOutputInfo(source.conversation_type.type, &output, &varlena);
  ereport(ERROR, (errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                  errmsg("insert or update on table \"%s\" names a conversation that does not exist",
                         get_rel_name(source.relation)),
                  errdetail("Key (%s)=(%s) is not present in table \"%s\".",
                            get_attname(source.relation, source.conversation, false),
                            OidOutputFunctionCall(output, conversation), get_rel_name(source.chat->conversations))));
  pg_unreachable();
}

}  // namespace chatopt::counters
