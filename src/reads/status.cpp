#include "reads/status.hpp"

namespace chatopt::reads {

Status status_of(Datum value) {
  const char* word = TextDatumGetCString(value);
  if (pg_strcasecmp(word, "seen") == 0 || pg_strcasecmp(word, "read") == 0) return Status::kSeen;
  if (pg_strcasecmp(word, "delivered") == 0) return Status::kDelivered;
  if (pg_strcasecmp(word, "sent") == 0) return Status::kSent;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown receipt status \"%s\"", word),
                  errhint("The words are sent, delivered, seen and read.")));
  pg_unreachable();
}

}  // namespace chatopt::reads
