#include "pg/lock_holders.hpp"

namespace chatopt::pg {
namespace {

// A prepared transaction keeps the virtual transaction of the session that prepared it, until the server restarts.
TransactionId prepared_transaction(const VirtualTransactionId& transaction) {
  if (VirtualTransactionIdIsRecoveredPreparedXact(transaction)) return transaction.localTransactionId;
  bool more = false;
  return TwoPhaseGetXidByVirtualXID(transaction, &more);
}

// False: it has ended meanwhile.
bool find_prepared(TransactionId xid, LockHolder* holder) {
  if (!TransactionIdIsValid(xid)) return false;
  MemoryContext caller = CurrentMemoryContext;
  SPI_connect();
  Oid type = XIDOID;
  Datum value = TransactionIdGetDatum(xid);
  if (SPI_execute_with_args("SELECT gid, prepared FROM pg_catalog.pg_prepared_xact() WHERE transaction = $1", 1, &type,
                            &value, nullptr, false, 1) != SPI_OK_SELECT)
    elog(ERROR, "query failed");
  const bool found = SPI_processed == 1;
  if (found) {
    bool null;
    holder->name = MemoryContextStrdup(caller, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
    holder->since = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &null));
  }
  SPI_finish();
  return found;
}

const PgBackendStatus* activity_of(int pid) {
  for (int i = pgstat_fetch_stat_numbackends(); i > 0; --i) {
    const PgBackendStatus* activity = activity_at(i);
    if (activity != nullptr && activity->st_procpid == pid) return activity;
  }
  return nullptr;
}

bool find_holder(const VirtualTransactionId& transaction, LockHolder* holder) {
  const PGPROC* process = process_of(transaction);
  if (process == nullptr) return find_prepared(prepared_transaction(transaction), holder);
  holder->pid = process->pid;
  const uint8 flags = process->statusFlags;
  holder->gives_way = (flags & PROC_IS_AUTOVACUUM) != 0 && (flags & PROC_VACUUM_FOR_WRAPAROUND) == 0;
  const PgBackendStatus* activity = activity_of(holder->pid);
  if (activity != nullptr) {
    holder->since = activity->st_xact_start_timestamp;
    holder->name = OidIsValid(activity->st_userid) ? GetUserNameFromId(activity->st_userid, true) : nullptr;
  }
  return holder->pid != 0;
}

}  // namespace

LockHolders holders_against(std::span<const WantedLock> wanted) {
  LockHolders holders = {nullptr, 0};
  pgstat_clear_backend_activity_snapshot();  // what it says is cached until the end of the transaction
  for (const WantedLock& lock : wanted) {
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, MyDatabaseId, lock.relation);
    int count;
    const VirtualTransactionId* transactions = GetLockConflicts(&tag, lock.mode, &count);
    if (count == 0) continue;
    const Size size = static_cast<Size>(holders.count + count) * sizeof(LockHolder);
    holders.list = static_cast<LockHolder*>(holders.list == nullptr ? palloc(size) : repalloc(holders.list, size));
    for (int i = 0; i < count; ++i) {
      LockHolder holder = {lock.relation, 0, nullptr, 0, false};
      if (find_holder(transactions[i], &holder)) holders.list[holders.count++] = holder;
    }
  }
  return holders;
}

}  // namespace chatopt::pg
