#include "reads/call.hpp"

#include "counters/queries.hpp"

namespace chatopt::reads {
namespace {

void prepare_key(KeyArgument* key, const char* name, Oid given, const pg::ValueType& wanted, MemoryContext context) {
  key->name = name;
  key->converts = given != wanted.type && !IsBinaryCoercible(given, wanted.type);
  if (!key->converts) return;
  Oid function;
  getTypeOutputInfo(given, &function, &key->from_varlena);
  fmgr_info_cxt(function, &key->output, context);
  getTypeInputInfo(wanted.type, &function, &key->input_parameter);
  fmgr_info_cxt(function, &key->input, context);
}

KeyList elements_of(ArrayType* array) {
  int16 length;
  bool by_value;
  char align;
  get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
  KeyList list;
  deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &list.values, &list.nulls, &list.count);
  return list;
}

// Drivers that do not know the type send an array as '{…}'.
ArrayType* parse_array(Datum value, const pg::ValueType& type) {
  Oid function;
  Oid parameter;
  getTypeInputInfo(get_array_type(type.type), &function, &parameter);
  return DatumGetArrayTypeP(OidInputFunctionCall(function, TextDatumGetCString(value), parameter, -1));
}

KeyList convert(KeyList list, Oid given, const pg::ValueType& type) {
  KeyArgument key;
  prepare_key(&key, nullptr, given, type, CurrentMemoryContext);
  for (int i = 0; key.converts && i < list.count; ++i)
    if (!list.nulls[i])
      list.values[i] =
          InputFunctionCall(&key.input, OutputFunctionCall(&key.output, list.values[i]), key.input_parameter, -1);
  return list;
}

void name_argument(void* name) { errcontext("argument \"%s\"", static_cast<const char*>(name)); }

}  // namespace

Call* ready_call(FunctionCallInfo fcinfo, bool conversation, bool member) {
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("messages must not be null")));
  const Oid messages = PG_GETARG_OID(0);
  auto* call = static_cast<Call*>(fcinfo->flinfo->fn_extra);
  if (call != nullptr && call->messages == messages && call->generation == counters::cache_generation() &&
      call->role == GetUserId())
    return call;
  MemoryContext context = fcinfo->flinfo->fn_mcxt;
  if (call == nullptr) {
    call = static_cast<Call*>(MemoryContextAllocZero(context, sizeof(Call)));
    fcinfo->flinfo->fn_extra = call;
  }
  call->messages = InvalidOid;
  call->reads = &tracked_reads(messages);
  int position = 1;
  if (conversation) {
    prepare_key(&call->key[position - 1], "conversation", get_fn_expr_argtype(fcinfo->flinfo, position),
                call->reads->conversation_type, context);
    ++position;
  }
  if (member)
    prepare_key(&call->key[position - 1], "member", get_fn_expr_argtype(fcinfo->flinfo, position),
                call->reads->member_type, context);
  call->generation = counters::cache_generation();
  call->role = GetUserId();
  call->messages = messages;
  return call;
}

bool key_argument(FunctionCallInfo fcinfo, Call* call, int position, Datum* key) {
  if (PG_ARGISNULL(position)) return false;
  KeyArgument& argument = call->key[position - 1];
  *key = PG_GETARG_DATUM(position);
  if (!argument.converts) return true;
  ErrorContextCallback context = {error_context_stack, name_argument, const_cast<char*>(argument.name)};
  error_context_stack = &context;
  *key = InputFunctionCall(&argument.input, OutputFunctionCall(&argument.output, *key), argument.input_parameter, -1);
  error_context_stack = context.previous;
  return true;
}

KeyList list_argument(FunctionCallInfo fcinfo, int position, const char* name) {
  if (PG_ARGISNULL(position))
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
  return elements_of(PG_GETARG_ARRAYTYPE_P(position));
}

KeyList keys_argument(FunctionCallInfo fcinfo, int position, const char* name, const pg::ValueType& type) {
  const Oid given = get_fn_expr_argtype(fcinfo->flinfo, position);
  ErrorContextCallback context = {error_context_stack, name_argument, const_cast<char*>(name)};
  error_context_stack = &context;
  KeyList keys;
  if (OidIsValid(get_element_type(given)) || PG_ARGISNULL(position))
    keys = convert(list_argument(fcinfo, position, name), get_element_type(given), type);
  else
    keys = elements_of(parse_array(PG_GETARG_DATUM(position), type));
  error_context_stack = context.previous;
  return keys;
}

int64 number_argument(FunctionCallInfo fcinfo, int position, const char* name) {
  if (PG_ARGISNULL(position))
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
  return PG_GETARG_INT64(position);
}

namespace {

void check_columns(Oid table, std::initializer_list<AttrNumber> columns, AclMode mode) {
  const Oid role = GetUserId();
  if (pg_class_aclcheck(table, role, mode) == ACLCHECK_OK) return;
  for (const AttrNumber column : columns)
    if (pg_attribute_aclcheck(table, column, role, mode) != ACLCHECK_OK)
      aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table));
}

}  // namespace

void check_may_read(const Call* call) {
  check_columns(call->reads->read_state,
                {state::kConversation, state::kMember, state::kJoined, state::kLeft, state::kDelivered, state::kRead},
                ACL_SELECT);
}

void check_may_mark(const Call* call) {
  check_columns(call->reads->read_state, {state::kConversation, state::kMember}, ACL_SELECT);
  check_columns(call->reads->read_state, {state::kDelivered, state::kRead, state::kUpdatedAt}, ACL_UPDATE);
}

bool sees_all_rows(const Reads& reads) {
  return check_enable_rls(reads.read_state, InvalidOid, true) != RLS_ENABLED;
}

namespace {

// Runs a query on one open membership in the caller's own name, policies and all.
bool affects_a_row(const Reads& reads, const StateKey& key, const char* verb, bool read_only) {
  SPI_connect();
  Oid types[] = {reads.conversation_type.type, reads.member_type.type};
  Datum values[] = {key.conversation, key.member};
  const char* sql = psprintf(verb, counters::qualified_name(reads.read_state));
  // The caller's search_path may hold another =, and then any row of theirs would stand for this one.
  sql = psprintf("%s WHERE conversation_id OPERATOR(pg_catalog.=) $1 AND member_id OPERATOR(pg_catalog.=) $2 AND "
                 "left_seq IS NULL",
                 sql);
  if (SPI_execute_with_args(sql, 2, types, values, nullptr, read_only, 0) < 0)
    elog(ERROR, "query of the read state failed");
  const bool affected = SPI_processed > 0;
  SPI_finish();
  return affected;
}

}  // namespace

bool visible_to_caller(const Reads& reads, const StateKey& key) {
  return sees_all_rows(reads) || affects_a_row(reads, key, "SELECT FROM %s", true);
}

bool movable_by_caller(const Reads& reads, const StateKey& key) {
  return sees_all_rows(reads) || affects_a_row(reads, key, "UPDATE %s SET read_seq = read_seq", false);
}

FmgrInfo output_of(const pg::ValueType& type) {
  Oid function;
  bool varlena;
  getTypeOutputInfo(type.type, &function, &varlena);
  FmgrInfo output;
  fmgr_info(function, &output);
  return output;
}

void check_writable(const Call* call, const char* function) {
  PreventCommandIfReadOnly(function);
  if (call->reads->chat->disabled)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the chat of table \"%s\" is disabled", get_rel_name(call->messages)),
                    errhint("Call chatopt.enable.")));
}

}  // namespace chatopt::reads
