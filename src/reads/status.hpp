// The words in which clients report what became of a message.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::reads {

enum class Status { kSent, kDelivered, kSeen };

// 'sent', 'delivered', 'seen' or 'read', in any case. Raises 22023 for another word.
Status status_of(Datum word);
// False: another word.
bool is_status(Datum word, Status* status);

}  // namespace chatopt::reads
