// Rows of other tables that refer to a partition's rows, before it goes.
#pragma once

#include "partitions/planning.hpp"

namespace chatopt::partitions {

// Does to the next ten thousand of them what their foreign key says of a DELETE.
// False: there are none left. Raises 23503 where a key forbids it.
bool settle_children(const Set& set, const Task& task);

}  // namespace chatopt::partitions
