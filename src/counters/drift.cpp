#include "counters/drift.hpp"

#include <cstring>

namespace chatopt::counters {
namespace {

constexpr int kColumns = 4;

int in_text_order(const void* left, const void* right) {
  return strcmp(*static_cast<char* const*>(left), *static_cast<char* const*>(right));
}

// The different conversations that are named, in the current memory context.
uint64 named_conversations(const Drift& drift, char*** names) {
  const auto most = static_cast<Size>(tuplestore_tuple_count(drift.rows) + 1);
  *names = static_cast<char**>(MemoryContextAllocHuge(CurrentMemoryContext, most * sizeof(char*)));
  TupleTableSlot* slot = MakeSingleTupleTableSlot(drift.columns, &TTSOpsMinimalTuple);
  uint64 count = 0;
  while (tuplestore_gettupleslot(drift.rows, true, false, slot)) {
    bool null;
    const Datum name = slot_getattr(slot, 1, &null);
    if (!null) (*names)[count++] = TextDatumGetCString(name);
  }
  ExecDropSingleTupleTableSlot(slot);
  qsort(*names, count, sizeof(char*), in_text_order);
  uint64 different = 0;
  for (uint64 i = 0; i < count; ++i)
    if (i == 0 || strcmp((*names)[i], (*names)[i - 1]) != 0) (*names)[different++] = (*names)[i];
  return different;
}

TupleDesc text_columns() {
  TupleDesc columns = CreateTemplateTupleDesc(kColumns);
  const char* const names[kColumns] = {"conversation", "counter", "stored", "actual"};
  for (int i = 0; i < kColumns; ++i)
    TupleDescInitEntry(columns, static_cast<AttrNumber>(i + 1), names[i], TEXTOID, -1, 0);
  return columns;
}

}  // namespace

void add_drift(const Drift& drift, const char* conversation, const char* counter, const char* stored,
               const char* actual) {
  const char* const texts[kColumns] = {conversation, counter, stored, actual};
  Datum values[kColumns];
  bool nulls[kColumns];
  for (int i = 0; i < kColumns; ++i) {
    nulls[i] = texts[i] == nullptr;
    values[i] = nulls[i] ? Datum{0} : CStringGetTextDatum(texts[i]);
  }
  tuplestore_putvalues(drift.rows, drift.columns, values, nulls);
}

void add_drift_rows(const Drift& drift, const char* sql, int count, Oid* types, Datum* values, const char* nulls) {
  if (SPI_execute_with_args(sql, count, types, values, nulls, true, 0) != SPI_OK_SELECT)
    elog(ERROR, "verify query failed");
  for (uint64 row = 0; row < SPI_processed; ++row) {
    Datum columns[kColumns];
    bool column_nulls[kColumns];
    for (int i = 0; i < kColumns; ++i)
      columns[i] = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, i + 1, &column_nulls[i]);
    tuplestore_putvalues(drift.rows, drift.columns, columns, column_nulls);
  }
  SPI_freetuptable(SPI_tuptable);
}

void add_drift_of(const Chat& chat, const Drift& drift, const char* sql) {
  Oid types[] = {chat.key_type.type, FLOAT8OID};
  Datum values[] = {drift.key, Float8GetDatum(drift.sample)};
  const char nulls[] = {drift.all ? 'n' : ' ', ' ', '\0'};
  add_drift_rows(drift, sql, lengthof(types), types, values, nulls);
}

Keys conversations_with_drift(Run* run) {
  const Chat& chat = *attached_chat(run->messages);
  const Drift drift = {tuplestore_begin_heap(false, false, work_mem), text_columns(), true, Datum{0}, 1};
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  PushActiveSnapshot(GetTransactionSnapshot());
  follower()->verify(chat, drift);
  PopActiveSnapshot();
  pg::become(before);
  char** names;
  const uint64 count = named_conversations(drift, &names);
  Keys keys = {static_cast<Datum*>(MemoryContextAllocHuge(run->memory, (count + 1) * sizeof(Datum))), count};
  Oid input;
  Oid parameter;
  getTypeInputInfo(chat.key_type.type, &input, &parameter);
  for (uint64 i = 0; i < count; ++i)
    keys.values[i] = kept_key(run, chat, OidInputFunctionCall(input, names[i], parameter, -1));
  tuplestore_end(drift.rows);
  return keys;
}

}  // namespace chatopt::counters
