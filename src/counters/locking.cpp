// chatopt.lock_conversations(): several counter locks at once, in key order.

#include "counters/counter_row.hpp"
#include "counters/follower.hpp"
#include "counters/ledgers.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_lock_conversations);
PGDLLEXPORT Datum chatopt_lock_conversations(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

// Whoever may change messages locks these rows by doing so.
void check_may_write(Oid messages) {
  if (pg_class_aclmask(messages, GetUserId(), ACL_INSERT | ACL_UPDATE | ACL_DELETE, ACLMASK_ANY) == 0)
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for table %s", get_rel_name(messages)),
                    errdetail("Locking conversations needs the INSERT, UPDATE or DELETE privilege on their messages.")));
}

struct Keys {
  Datum* values;
  int count;
};

// Non-NULL keys, each in the conversation key's own type: another type is
// converted through its text form.
Keys read_keys(const Chat& chat, ArrayType* array) {
  const Oid type = ARR_ELEMTYPE(array);
  const pg::ValueType element = pg::value_type(type);
  char align;
  int16 length;
  bool by_value;
  get_typlenbyvalalign(type, &length, &by_value, &align);
  Datum* elements;
  bool* nulls;
  int count;
  deconstruct_array(array, type, element.length, element.by_value, align, &elements, &nulls, &count);
  Oid output;
  Oid input;
  Oid io_parameter;
  bool varlena;
  getTypeOutputInfo(type, &output, &varlena);
  getTypeInputInfo(chat.key_type.type, &input, &io_parameter);
  Keys keys = {elements, 0};
  for (int i = 0; i < count; ++i) {
    if (nulls[i]) continue;
    keys.values[keys.count++] = type == chat.key_type.type
                                    ? elements[i]
                                    : OidInputFunctionCall(input, OidOutputFunctionCall(output, elements[i]),
                                                           io_parameter, -1);
  }
  return keys;
}

int in_key_order(const void* left, const void* right, void* argument) {
  auto* chat = static_cast<Chat*>(argument);
  return DatumGetInt32(FunctionCall2Coll(&chat->key_order, chat->finder.key[0].collation, *static_cast<const Datum*>(left),
                                         *static_cast<const Datum*>(right)));
}

void lock_all(Chat& chat, Keys keys) {
  qsort_arg(keys.values, static_cast<size_t>(keys.count), sizeof(Datum), in_key_order, &chat);
  auto& ledger = counters::ledger();
  for (int i = 0; i < keys.count; ++i) {
    const core::Bytes image = pg::image_of(&keys.values[i], chat.key_type);
    core::Counter& counter = counter_of(chat, ledger, image);
    // A conversation that is not there is nobody's to lock; a send to it says so.
    if (!counter.locked()) (void)lock_counter_row(chat, ledger, counter);
  }
}

}  // namespace
}  // namespace chatopt::counters

Datum chatopt_lock_conversations(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  PreventCommandIfReadOnly("chatopt.lock_conversations()");
  const Oid messages = PG_GETARG_OID(0);
  Chat* chat = attached_chat(messages);
  check_may_write(messages);
  if (!PG_ARGISNULL(1)) lock_all(*chat, read_keys(*chat, PG_GETARG_ARRAYTYPE_P(1)));
  PG_RETURN_VOID();
}
