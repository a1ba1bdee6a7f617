// The cache of attached chats. Configuration is one row a chat in chatopt.chat;
// which column plays which role is read from the triggers themselves, so that a
// renamed column or a restored dump needs nothing from us.

#include "counters/chat.hpp"

#include <cstring>

#include "counters/follower.hpp"
#include "counters/ledgers.hpp"
#include "counters/purge_mark.hpp"

namespace chatopt::counters {
namespace {

// Columns of chatopt.chat, by position.
enum ConfigColumn { kMessages = 1, kConversations, kMembers, kCounters, kState, kEnforceConversation };

struct ChatEntry {
  Oid relation;  // hash key
  Chat* chat;
};

MemoryContext cache_context;    // of the current generation
MemoryContext stale_contexts;   // earlier ones, kept until the transaction ends
HTAB* sources;
HTAB* chats;
HTAB* chats_by_counters;
uint64 generation = 1;
uint64 built_generation;
HTAB* watched;  // relations whose invalidation drops the cache

void watch(Oid relation) {
  if (OidIsValid(relation)) (void)hash_search(watched, &relation, HASH_ENTER, nullptr);
}

HTAB* new_table(const char* name, Size entry, MemoryContext context) {
  HASHCTL control = {};
  control.keysize = sizeof(Oid);
  control.entrysize = entry;
  control.hcxt = context;
  return hash_create(name, 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void ensure_built() {
  if (built_generation == generation) return;
  if (stale_contexts == nullptr)
    stale_contexts = AllocSetContextCreate(CacheMemoryContext, "chatopt stale chats", ALLOCSET_SMALL_SIZES);
  if (cache_context != nullptr) MemoryContextSetParent(cache_context, stale_contexts);
  cache_context = AllocSetContextCreate(CacheMemoryContext, "chatopt chats", ALLOCSET_SMALL_SIZES);
  sources = new_table("chatopt sources", sizeof(Source), cache_context);
  chats = new_table("chatopt chats", sizeof(ChatEntry), cache_context);
  chats_by_counters = new_table("chatopt counter tables", sizeof(ChatEntry), cache_context);
  watched = new_table("chatopt watched", sizeof(Oid), cache_context);
  built_generation = generation;
}

Oid config_table() {
  const Oid schema = get_namespace_oid("chatopt", true);
  return OidIsValid(schema) ? get_relname_relid("chat", schema) : InvalidOid;
}

// The configuration row that has this relation in this column.
Config read_config(ConfigColumn column, Oid relation) {
  Config config = {};
  const Oid table = config_table();
  if (!OidIsValid(table)) return config;
  Relation rel = table_open(table, AccessShareLock);
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  TableScanDesc scan = table_beginscan(rel, snapshot, 0, nullptr);
  TupleTableSlot* slot = table_slot_create(rel, nullptr);
  const auto oid_at = [slot](ConfigColumn which) {
    bool null;
    const Datum value = slot_getattr(slot, which, &null);
    return null ? InvalidOid : DatumGetObjectId(value);
  };
  while (!config.found && table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    // A dropped table leaves its row behind: it is nobody's.
    if (oid_at(column) != relation || !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(oid_at(kMessages)))) continue;
    bool null;
    config.found = true;
    config.messages = oid_at(kMessages);
    config.conversations = oid_at(kConversations);
    config.members = oid_at(kMembers);
    config.counters = oid_at(kCounters);
    config.enforce = DatumGetBool(slot_getattr(slot, kEnforceConversation, &null));
    char* state = TextDatumGetCString(slot_getattr(slot, kState, &null));
    config.disabled = strcmp(state, "disabled") == 0;
    config.filling = strcmp(state, "attached") != 0;
    config.index_missing = strcmp(state, "index missing") == 0;
  }
  ExecDropSingleTupleTableSlot(slot);
  table_endscan(scan);
  UnregisterSnapshot(snapshot);
  table_close(rel, AccessShareLock);
  watch(table);
  return config;
}

bool is_our_function(Oid function, const char* name) {
  char* found = get_func_name(function);
  return found != nullptr && strcmp(found, name) == 0 &&
         get_func_namespace(function) == get_namespace_oid("chatopt", true);
}

// A copy: looking up a function may take in an invalidation, which frees the relation's own.
const TriggerDesc* triggers_of(Relation relation) { return CopyTriggerDesc(relation->trigdesc); }

// The call of ours in the WHEN of a relation's trigger, or NULL.
FuncExpr* when_call(Relation relation, const char* function) {
  const TriggerDesc* triggers = triggers_of(relation);
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
    const Trigger& trigger = triggers->triggers[i];
    if (trigger.tgqual == nullptr || !is_our_function(trigger.tgfoid, "write_counters")) continue;
    auto* node = static_cast<Node*>(stringToNode(trigger.tgqual));
    if (IsA(node, FuncExpr) && is_our_function(castNode(FuncExpr, node)->funcid, function))
      return castNode(FuncExpr, node);
  }
  return nullptr;
}

AttrNumber column_argument(const FuncExpr* call, int position) {
  if (list_length(call->args) <= position) return 0;
  auto* argument = static_cast<Node*>(list_nth(call->args, position));
  return IsA(argument, Var) ? castNode(Var, argument)->varattno : AttrNumber{0};
}

// A trigger whose UPDATE OF list has the columns and whose arguments, in the
// same order, the roles they play: renames and dumps follow by themselves.
const Trigger* naming_trigger(Relation relation, const char* function) {
  const TriggerDesc* triggers = triggers_of(relation);
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
    const Trigger& trigger = triggers->triggers[i];
    if (is_our_function(trigger.tgfoid, function) && trigger.tgnattr == trigger.tgnargs && trigger.tgnargs > 0 &&
        trigger.tgnargs <= kMostRoles)
      return &trigger;
  }
  return nullptr;
}

AttrNumber column_of(const Trigger* trigger, const char* role) {
  for (int i = 0; i < trigger->tgnargs; ++i)
    if (strcmp(trigger->tgargs[i], role) == 0) return trigger->tgattr[i];
  return 0;
}

// Triggers fire in the order of their names.
bool is_last_before_insert(Relation relation, const Trigger* ours) {
  const TriggerDesc* triggers = triggers_of(relation);
  for (int i = 0; i < triggers->numtriggers; ++i) {
    const Trigger& other = triggers->triggers[i];
    if (TRIGGER_TYPE_MATCHES(other.tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_BEFORE, TRIGGER_TYPE_INSERT) &&
        strcmp(other.tgname, ours->tgname) > 0)
      return false;
  }
  return true;
}

[[noreturn]] void raise_incomplete(Oid relation, Oid messages) {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("the chatopt triggers of table \"%s\" are not complete", get_rel_name(relation)),
                  errhint("Call chatopt.attach for messages table \"%s\" again: it puts back what is missing.",
                          get_rel_name(messages))));
  pg_unreachable();
}

void read_counter_columns(Chat* chat, Relation counters) {
  const Trigger* guard = naming_trigger(counters, "guard_counters");
  if (guard == nullptr) raise_incomplete(chat->counters, chat->messages);
  chat->key = column_of(guard, "conversation");
  chat->last_sequence_number = column_of(guard, "last_sequence_number");
  chat->message_count = column_of(guard, "message_count");
  chat->member_count = column_of(guard, "member_count");
  chat->last_message_id = column_of(guard, "last_message_id");
  chat->last_message_at = column_of(guard, "last_message_at");
  if (chat->key == 0 || chat->last_sequence_number == 0) raise_incomplete(chat->counters, chat->messages);
  const auto type_of = [counters](AttrNumber column) {
    return pg::value_type(TupleDescAttr(RelationGetDescr(counters), column - 1)->atttypid);
  };
  chat->key_type = type_of(chat->key);
  if (chat->last_message_id != 0) chat->last_message_id_type = type_of(chat->last_message_id);
  if (chat->last_message_at != 0) chat->last_message_at_type = type_of(chat->last_message_at);
}

// The unique index on the key alone: what finds a counter row.
void read_key_index(Chat* chat, Relation counters) {
  List* indexes = RelationGetIndexList(counters);
  ListCell* cell;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    const Form_pg_index form = index->rd_index;
    if (form->indisunique && form->indisvalid && form->indimmediate && form->indnkeyatts == 1 &&
        form->indkey.values[0] == chat->key && RelationGetIndexPredicate(index) == NIL &&
        index->rd_rel->relam == BTREE_AM_OID) {
      const Oid family = index->rd_opfamily[0];
      const Oid type = index->rd_opcintype[0];
      chat->finder = pg::finder_of(index, 1);
      fmgr_info_cxt(get_opfamily_proc(family, type, type, BTORDER_PROC), &chat->key_order, cache_context);
    }
    index_close(index, AccessShareLock);
    if (OidIsValid(chat->finder.index)) break;
  }
  list_free(indexes);
  if (!OidIsValid(chat->finder.index))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" has no unique index on its conversation key \"%s\" any more",
                           RelationGetRelationName(counters), get_attname(chat->counters, chat->key, false)),
                    errhint("Create a unique index on that column alone.")));
}

// As a foreign key would: the counters move with the rights of the owner of messages.
void check_owner_rights(const Chat* chat, Oid counters_owner) {
  if (chat->owner == counters_owner) return;
  const AttrNumber written[] = {chat->last_sequence_number, chat->message_count, chat->member_count,
                                chat->last_message_id, chat->last_message_at};
  bool allowed = pg_class_aclcheck(chat->counters, chat->owner, ACL_SELECT) == ACLCHECK_OK ||
                 pg_attribute_aclcheck(chat->counters, chat->key, chat->owner, ACL_SELECT) == ACLCHECK_OK;
  if (pg_class_aclcheck(chat->counters, chat->owner, ACL_UPDATE) != ACLCHECK_OK)
    for (const AttrNumber column : written)
      if (column != 0)
        allowed = allowed && pg_attribute_aclcheck(chat->counters, column, chat->owner, ACL_UPDATE) == ACLCHECK_OK;
  if (!allowed)
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied for the counters of table \"%s\"", get_rel_name(chat->messages)),
             errdetail("Counters are kept with the rights of role \"%s\", the owner of the messages table, which may "
                       "not read the key and update the counter columns of table \"%s\".",
                       GetUserNameFromId(chat->owner, false), get_rel_name(chat->counters))));
}

Oid owner_of(Oid relation) {
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for relation %u", relation);
  const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
  ReleaseSysCache(tuple);
  return owner;
}

Chat* load_chat(const Config& config) {
  bool found;
  auto* entry = static_cast<ChatEntry*>(hash_search(chats, &config.messages, HASH_FIND, &found));
  if (found) return entry->chat;

  auto* chat = static_cast<Chat*>(MemoryContextAllocZero(cache_context, sizeof(Chat)));
  chat->messages = config.messages;
  chat->conversations = config.conversations;
  chat->members = config.members;
  chat->counters = config.counters;
  chat->enforce = config.enforce;
  chat->disabled = config.disabled;
  chat->filling = config.filling;
  chat->index_missing = config.index_missing;
  chat->owner = owner_of(chat->messages);
  watch(chat->messages);
  watch(chat->conversations);
  watch(chat->members);
  watch(chat->counters);

  Relation counters = table_open(chat->counters, AccessShareLock);
  read_counter_columns(chat, counters);
  read_key_index(chat, counters);
  check_owner_rights(chat, counters->rd_rel->relowner);
  table_close(counters, AccessShareLock);

  if (follower() != nullptr) {
    MemoryContext caller = MemoryContextSwitchTo(cache_context);
    follower()->load(chat);
    MemoryContextSwitchTo(caller);
  }
  entry = static_cast<ChatEntry*>(hash_search(chats, &config.messages, HASH_ENTER, &found));
  entry->chat = chat;
  return chat;
}

Config config_of(Oid relation) {
  Config config = read_config(kMessages, relation);
  return config.found ? config : read_config(kMembers, relation);
}

void read_source_columns(Source* source, Relation relation) {
  const auto type_of = [relation](AttrNumber column) {
    return pg::value_type(TupleDescAttr(RelationGetDescr(relation), column - 1)->atttypid);
  };
  if (source->messages) {
    const Trigger* trigger = naming_trigger(relation, "number_message");
    if (trigger == nullptr) raise_incomplete(source->relation, source->chat->messages);
    source->conversation = column_of(trigger, "conversation");
    source->number = column_of(trigger, "sequence_number");
    source->key = column_of(trigger, "message_id");
    source->time = column_of(trigger, "message_at");
    source->sender = column_of(trigger, "sender");
    source->mentions = column_of(trigger, "mentions");
    source->numbered_last = is_last_before_insert(relation, trigger);
    if (source->number == 0) raise_incomplete(source->relation, source->chat->messages);
    source->number_is_int4 = type_of(source->number).type == INT4OID;
    if (source->time != 0) source->time_type = type_of(source->time);
    if (source->sender != 0) source->sender_type = type_of(source->sender);
    if (source->mentions != 0) source->mentions_type = type_of(source->mentions);
  } else {
    const FuncExpr* call = when_call(relation, "member_inserted");
    source->conversation = column_argument(call, 2);
    source->key = column_argument(call, 3);
  }
  if (source->conversation == 0 || source->key == 0) raise_incomplete(source->relation, source->chat->messages);
  source->conversation_type = type_of(source->conversation);
  source->key_type = type_of(source->key);
}

bool calls_with_columns_only(Node* when) {
  if (!IsA(when, FuncExpr)) return false;
  ListCell* cell;
  foreach (cell, castNode(FuncExpr, when)->args)
    if (!IsA(static_cast<Node*>(lfirst(cell)), Var)) return false;
  return true;
}

// As the trigger manager prepares it, up to planning.
void keep_insert_when(Source* source, Relation relation) {
  if (pg::has_virtual_columns(relation)) return;
  const TriggerDesc* triggers = triggers_of(relation);
  for (int i = 0; i < triggers->numtriggers; ++i) {
    const Trigger& trigger = triggers->triggers[i];
    if (trigger.tgqual == nullptr || !is_our_function(trigger.tgfoid, "write_counters") ||
        !TRIGGER_TYPE_MATCHES(trigger.tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_AFTER, TRIGGER_TYPE_INSERT))
      continue;
    auto* when = static_cast<Node*>(stringToNode(trigger.tgqual));
    ChangeVarNodes(when, PRS2_OLD_VARNO, INNER_VAR, 0);
    ChangeVarNodes(when, PRS2_NEW_VARNO, OUTER_VAR, 0);
    MemoryContext caller = MemoryContextSwitchTo(cache_context);
    source->insert_when = make_ands_implicit(static_cast<Expr*>(copyObjectImpl(when)));
    MemoryContextSwitchTo(caller);
    source->insert_trigger = trigger.tgoid;
    source->insert_when_is_plain = calls_with_columns_only(when);
    return;
  }
}

[[noreturn]] void raise_not_attached(Oid relation) {
  ereport(ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
           errmsg("table \"%s\" is not attached to chatopt in this database", get_rel_name(relation)),
           errdetail("It carries triggers of chatopt, but chatopt's configuration does not name it, as after a "
                     "restore of some tables only."),
           errhint("Call chatopt.attach with the conversations and messages tables, or drop the triggers.")));
  pg_unreachable();
}

void on_relation_change(Datum, Oid relation) {
  if (built_generation != generation) return;
  if (!OidIsValid(relation) || hash_search(watched, &relation, HASH_FIND, nullptr) != nullptr) {
    ++generation;
    forget_row_locations();
  }
}

void on_role_change(Datum, int, uint32) { ++generation; }

}  // namespace

uint64 cache_generation() { return generation; }

Chat* find_chat(Oid relation) {
  ensure_built();
  Config config = config_of(relation);
  if (!config.found && get_rel_relispartition(relation)) {
    List* ancestors = get_partition_ancestors(relation);
    ListCell* cell;
    foreach (cell, ancestors) {
      watch(lfirst_oid(cell));
      config = config_of(lfirst_oid(cell));
      if (config.found) break;
    }
    list_free(ancestors);
  }
  return config.found ? load_chat(config) : nullptr;
}

const Source* cached_source(Oid relation) {
  if (built_generation != generation) return nullptr;
  return static_cast<Source*>(hash_search(sources, &relation, HASH_FIND, nullptr));
}

Source* source_of(Relation relation) {
  ensure_built();
  const Oid id = RelationGetRelid(relation);
  bool found;
  auto* cached = static_cast<Source*>(hash_search(sources, &id, HASH_FIND, &found));
  if (found) return cached;

  watch(id);
  Source source = {};
  source.relation = id;
  source.chat = find_chat(id);
  if (source.chat == nullptr) raise_not_attached(id);
  source.messages = when_call(relation, "member_inserted") == nullptr;
  read_source_columns(&source, relation);
  keep_insert_when(&source, relation);
  // Whoever writes the mark has waited for those who read this before.
  source.purging = source.messages && relation->rd_rel->relispartition && OidIsValid(purge_mark_now(id).partition);
  // Reading may have taken in an invalidation: then what was read is read again.
  if (built_generation != generation) return source_of(relation);
  watch(id);  // the tables may have been built anew since
  cached = static_cast<Source*>(hash_search(sources, &id, HASH_ENTER, &found));
  *cached = source;
  return cached;
}

Source* source_of(Oid relation) {
  ensure_built();
  bool found;
  auto* cached = static_cast<Source*>(hash_search(sources, &relation, HASH_FIND, &found));
  if (found) return cached;
  // Safe without a lock of our own: a trigger of the relation is running.
  Relation rel = table_open(relation, AccessShareLock);
  Source* source = source_of(rel);
  table_close(rel, AccessShareLock);
  return source;
}

Chat* chat_of_counters(Oid relation) {
  ensure_built();
  bool found;
  auto* cached = static_cast<ChatEntry*>(hash_search(chats_by_counters, &relation, HASH_FIND, &found));
  if (found) return cached->chat;
  const Config config = read_config(kCounters, relation);
  if (!config.found) return nullptr;
  Chat* chat = load_chat(config);
  if (built_generation == generation) {
    cached = static_cast<ChatEntry*>(hash_search(chats_by_counters, &relation, HASH_ENTER, &found));
    cached->chat = chat;
  }
  return chat;
}

Chat* chat_of_conversations(Oid relation) {
  ensure_built();
  const Config config = read_config(kConversations, relation);
  return config.found ? load_chat(config) : nullptr;
}

Config attached_config(Oid messages) {
  ensure_built();
  const Config config = read_config(kMessages, messages);
  if (!config.found)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" is not attached to chatopt", get_rel_name(messages)),
                    errhint("Name the messages table that was given to chatopt.attach; view chatopt.chats lists them.")));
  return config;
}

Chat* attached_chat(Oid messages) { return load_chat(attached_config(messages)); }

bool is_counter_column(const Chat& chat, AttrNumber column) {
  return column == chat.last_sequence_number || column == chat.message_count || column == chat.member_count ||
         column == chat.last_message_id || column == chat.last_message_at;
}

char* counted_condition(Oid table, const char* alias) {
  char* condition = find_counted_condition(table, alias);
  if (condition == nullptr) raise_incomplete(table, table);
  return condition;
}

char* find_counted_condition(Oid table, const char* alias) {
  Relation relation = table_open(table, AccessShareLock);
  // Columns come first; the condition follows them, where there is one.
  int before = 2;
  const FuncExpr* call = when_call(relation, "message_inserted");
  if (call == nullptr) {
    call = when_call(relation, "member_inserted");
    before = 4;
  }
  char* condition = call == nullptr ? nullptr : pstrdup("true");
  if (call != nullptr && list_length(call->args) > before) {
    auto* node = static_cast<Node*>(copyObjectImpl(llast(call->args)));
    ChangeVarNodes(node, PRS2_NEW_VARNO, 1, 0);
    condition = deparse_expression(node, deparse_context_for(alias, table), true, false);
  }
  table_close(relation, AccessShareLock);
  return condition;
}

int roles_of(Oid table, Role* roles) {
  Relation relation = table_open(table, AccessShareLock);
  const Trigger* trigger = naming_trigger(relation, "number_message");
  if (trigger == nullptr) trigger = naming_trigger(relation, "guard_counters");
  if (trigger == nullptr) trigger = naming_trigger(relation, "mentions_changed");
  int count = 0;
  if (trigger != nullptr) {
    for (int i = 0; i < trigger->tgnargs; ++i) roles[count++] = {pstrdup(trigger->tgargs[i]), trigger->tgattr[i]};
  } else if (const FuncExpr* call = when_call(relation, "member_inserted")) {
    roles[count++] = {"conversation", column_argument(call, 2)};
    roles[count++] = {"member", column_argument(call, 3)};
  }
  table_close(relation, AccessShareLock);
  return count;
}

void watch_relation(Oid relation) {
  // Built once, not anew: this is called while a chat is being loaded, which goes into the tables that it began with.
  if (watched == nullptr) ensure_built();
  watch(relation);
}

void init_chat_cache() {
  CacheRegisterRelcacheCallback(on_relation_change, Datum{0});
  CacheRegisterSyscacheCallback(AUTHMEMMEMROLE, on_role_change, Datum{0});
  CacheRegisterSyscacheCallback(AUTHOID, on_role_change, Datum{0});
}

void free_stale_chats() {
  if (stale_contexts == nullptr) return;
  MemoryContextDelete(stale_contexts);
  stale_contexts = nullptr;
}

}  // namespace chatopt::counters
