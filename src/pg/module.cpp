// The library's magic block and entry point, and nothing else.

#include "counters/chat.hpp"
#include "counters/ledgers.hpp"
#include "counters/settings.hpp"
#include "counters/when.hpp"
#include "partitions/clock.hpp"
#include "partitions/launcher.hpp"
#include "reads/queue.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

extern "C" {
#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "chatopt", .version = "0.1.0");
#else
PG_MODULE_MAGIC;
#endif
PGDLLEXPORT void _PG_init(void);
}

void _PG_init(void) {
  chatopt::reads::define_queue_settings();  // before the prefix is reserved
  chatopt::partitions::define_clock_setting();
  chatopt::partitions::init_launcher();
  chatopt::counters::define_counter_settings();
  chatopt::counters::init_ledgers();
  chatopt::counters::init_chat_cache();
  chatopt::counters::init_when();
  chatopt::reads::init_reads();
}
