// chatopt.receipt_policy(): up to which size of a conversation receipts tell who,
// and up to which how many.

#include "counters/config.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_receipt_policy);
PGDLLEXPORT Datum chatopt_reads_receipt_policy(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

constexpr int kSizes = 3;

void check_may_look(Oid messages) {
  if (!pg::owns_relation(messages, GetUserId()) &&
      pg_attribute_aclcheck_all(messages, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK &&
      pg_class_aclcheck(messages, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
    aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(messages));
}

void check_sizes(const int32 (&sizes)[kSizes]) {
  if (sizes[0] > 0 && sizes[0] <= sizes[1] && sizes[1] <= sizes[2]) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("sizes %d, %d and %d are not in order", sizes[0], sizes[1], sizes[2]),
                  errdetail("They are the greatest sizes of private conversations, small groups and large groups."),
                  errhint("Give sizes above 0, none below the one before.")));
}

void save(Oid messages, const int32 (&sizes)[kSizes]) {
  Oid types[] = {OIDOID, INT4OID, INT4OID, INT4OID};
  Datum values[] = {ObjectIdGetDatum(messages), Int32GetDatum(sizes[0]), Int32GetDatum(sizes[1]),
                    Int32GetDatum(sizes[2])};
  (void)counters::run_as_config_owner(
      "UPDATE chatopt.read_tracking SET private_size = $2, small_size = $3, large_size = $4 WHERE messages = $1",
      lengthof(types), types, values, nullptr);
  counters::invalidate_chat(messages);
}

void put_rows(ReturnSetInfo* result, const int32 (&sizes)[kSizes]) {
  constexpr const char* kKinds[] = {"private", "small", "large", "channel"};
  constexpr const char* kReceipts[] = {"individual", "individual", "counts", "views"};
  for (int i = 0; i <= kSizes; ++i) {
    Datum values[] = {CStringGetTextDatum(kKinds[i]), i < kSizes ? Int32GetDatum(sizes[i]) : Datum{0},
                      CStringGetTextDatum(kReceipts[i])};
    bool nulls[] = {false, i == kSizes, false};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
}

}  // namespace
}  // namespace chatopt::reads

// receipt_policy(messages, private_size, small_size, large_size) -> TABLE (kind, upto, receipts)
Datum chatopt_reads_receipt_policy(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  using namespace chatopt::reads;
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("messages must not be null")));
  const Oid messages = PG_GETARG_OID(0);
  const Reads& reads = tracked_reads(messages);
  int32 sizes[kSizes] = {reads.private_size, reads.small_size, reads.large_size};
  bool given = false;
  for (int i = 0; i < kSizes; ++i)
    if (!PG_ARGISNULL(i + 1)) {
      given = true;
      sizes[i] = PG_GETARG_INT32(i + 1);
    }
  if (given) {
    counters::check_owns(messages);
    check_sizes(sizes);
    save(messages, sizes);
  } else {
    check_may_look(messages);
  }
  InitMaterializedSRF(fcinfo, 0);
  put_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), sizes);
  return Datum{0};
}
