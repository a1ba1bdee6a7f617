#pragma once

namespace chatopt::counters {

void init_when();

}  // namespace chatopt::counters
