// Another table becomes the messages table of a chat: the new parent, in the swap of a conversion.

#include "counters/config.hpp"
#include "pg/config.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_move_chat);
PGDLLEXPORT Datum chatopt_move_chat(PG_FUNCTION_ARGS);
}

// _move_chat(old_messages regclass, new_messages regclass)
Datum chatopt_move_chat(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  Datum values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
  Oid types[] = {OIDOID, OIDOID};
  pg::check_owns(DatumGetObjectId(values[0]));
  pg::check_owns(DatumGetObjectId(values[1]));
  counters::invalidate_chat(DatumGetObjectId(values[0]));
  static constexpr const char* kTables[] = {"chat", "read_tracking", "receipt_queue", "progress_log"};
  for (const char* table : kTables)
    (void)pg::run_as_config_owner(psprintf("UPDATE chatopt.%s SET messages = $2 WHERE messages = $1", table), 2, types,
                                  values, nullptr);
  CommandCounterIncrement();
  counters::invalidate_chat(DatumGetObjectId(values[1]));
  PG_RETURN_VOID();
}
