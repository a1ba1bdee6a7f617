#include "reads/status.hpp"

namespace chatopt::reads {

bool is_status(Datum value, Status* status) {
  const char* word = TextDatumGetCString(value);
  if (pg_strcasecmp(word, "seen") == 0 || pg_strcasecmp(word, "read") == 0)
    *status = Status::kSeen;
  else if (pg_strcasecmp(word, "delivered") == 0)
    *status = Status::kDelivered;
  else if (pg_strcasecmp(word, "sent") == 0)
    *status = Status::kSent;
  else
    return false;
  return true;
}

Status status_of(Datum value) {
  Status status;
  if (!is_status(value, &status))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("unknown receipt status \"%s\"", TextDatumGetCString(value)),
                    errhint("The words are sent, delivered, seen and read.")));
  return status;
}

}  // namespace chatopt::reads
