// The settings of the counters module.
#pragma once

namespace chatopt::counters {

bool explicit_sequence();          // chatopt.explicit_sequence
bool refuse_counter_writes();      // chatopt.counter_writes = error
void define_counter_settings();

}  // namespace chatopt::counters
