#include "counters/settings.hpp"

#include "pg/postgres.hpp"

namespace chatopt::counters {
namespace {

enum CounterWrites { kIgnore, kError };

constinit bool explicit_sequence_value = false;
constinit int counter_writes_value = kIgnore;
const config_enum_entry kCounterWritesOptions[] = {
    {"ignore", kIgnore, false}, {"error", kError, false}, {nullptr, 0, false}};

}  // namespace

bool explicit_sequence() { return explicit_sequence_value; }
bool refuse_counter_writes() { return counter_writes_value == kError; }

void define_counter_settings() {
  DefineCustomEnumVariable("chatopt.counter_writes",
                           "What happens to a statement that writes a counter column.",
                           "\"ignore\" keeps the counter as it is, \"error\" refuses the statement.",
                           &counter_writes_value, kIgnore, kCounterWritesOptions, PGC_USERSET, 0, nullptr, nullptr,
                           nullptr);
  DefineCustomBoolVariable("chatopt.explicit_sequence",
                           "Lets members of the owner of a messages table give sequence numbers themselves.",
                           "For imports. Ignored for everybody else.", &explicit_sequence_value, false, PGC_USERSET, 0,
                           nullptr, nullptr, nullptr);
  MarkGUCPrefixReserved("chatopt");
}

}  // namespace chatopt::counters
