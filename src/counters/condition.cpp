// chatopt.parse_condition(): a user's condition on a row, as text that is safe
// to put into a trigger's WHEN: parsed once, under the caller's search_path,
// and written out again by PostgreSQL with every name qualified.

#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_parse_condition);
PGDLLEXPORT Datum chatopt_parse_condition(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

bool not_for_everybody(Oid function, void*) {
  return pg::function_denied_to_public(function);
}

bool uses_restricted_function(Node* node, void* context) {
  if (node == nullptr) return false;
  if (check_functions_in_node(node, not_for_everybody, context)) return true;
  return pg::walk_expression(node, uses_restricted_function, context);
}

bool uses_system_column(Node* node, void* context) {
  if (node == nullptr) return false;
  if (IsA(node, Var) && reinterpret_cast<Var*>(node)->varattno <= 0) return true;
  return pg::walk_expression(node, uses_system_column, context);
}

[[noreturn]] void refuse(int sqlstate, const char* reason, const char* hint) {
  ereport(ERROR, (errcode(sqlstate), errmsg("condition cannot be used to count rows"), errdetail_internal("%s", reason),
                  errhint("%s", hint)));
  pg_unreachable();
}

constexpr char kBefore[] = "SELECT FROM t WHERE (";

// Points at the place in the condition, not in the statement made around it.
void on_error(void* condition) {
  const int position = geterrposition();
  if (position <= 0) return;
  errposition(0);
  internalerrposition(position - static_cast<int>(sizeof kBefore - 1));
  internalerrquery(static_cast<const char*>(condition));
}

List* raw_parse(const char* condition) {
  ErrorContextCallback callback;
  callback.callback = on_error;
  callback.arg = const_cast<char*>(condition);
  callback.previous = error_context_stack;
  error_context_stack = &callback;
  List* statements = raw_parser(psprintf("%s%s\n)", kBefore, condition), RAW_PARSE_DEFAULT);
  error_context_stack = callback.previous;
  return statements;
}

// The text as an expression: what stands after SELECT FROM t WHERE.
Node* parse_text(const char* condition) {
  List* statements = raw_parse(condition);
  auto* raw = list_length(statements) == 1 ? linitial_node(RawStmt, statements) : nullptr;
  auto* select = raw != nullptr && IsA(raw->stmt, SelectStmt) ? castNode(SelectStmt, raw->stmt) : nullptr;
  if (select == nullptr || select->whereClause == nullptr || select->groupClause != NIL ||
      select->sortClause != NIL || select->limitCount != nullptr || select->lockingClause != NIL ||
      select->op != SETOP_NONE || select->havingClause != nullptr || select->windowClause != NIL)
    refuse(ERRCODE_SYNTAX_ERROR, "It is not one expression.", "Give what would stand after WHERE.");
  return select->whereClause;
}

char* parse_condition(Oid table, const char* given, const char* alias) {
  Relation relation = table_open(table, AccessShareLock);
  ParseState* state = make_parsestate(nullptr);
  ParseNamespaceItem* item = addRangeTableEntryForRelation(state, relation, AccessShareLock, nullptr, false, true);
  addNSItemToQuery(state, item, true, true, true);
  // Trigger conditions take neither subqueries nor aggregates; parse as one.
  Node* condition = transformExpr(state, parse_text(given), EXPR_KIND_TRIGGER_WHEN);
  condition = coerce_to_boolean(state, condition, "WHEN");
  assign_expr_collations(state, condition);
  if (uses_system_column(condition, nullptr))
    refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "It uses a system column or the whole row.",
           "Name ordinary columns of the table.");
  if (contain_mutable_functions(condition))
    refuse(ERRCODE_INVALID_OBJECT_DEFINITION, "It uses a function or operator that is not IMMUTABLE.",
           "Whether a row counts must depend on the row alone.");
  if (uses_restricted_function(condition, nullptr))
    refuse(ERRCODE_INSUFFICIENT_PRIVILEGE, "It uses a function that PUBLIC may not execute.",
           "Everybody who sends evaluates the condition: GRANT EXECUTE on the function to PUBLIC.");
  // Written out under a pinned path, so that everything outside pg_catalog is qualified.
  const int level = NewGUCNestLevel();
  (void)set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  char* result = deparse_expression(condition, deparse_context_for(alias, table), true, false);
  AtEOXact_GUC(false, level);
  table_close(relation, AccessShareLock);
  free_parsestate(state);
  return result;
}

}  // namespace
}  // namespace chatopt::counters

// parse_condition(tbl regclass, condition text, row_alias text) -> text
Datum chatopt_parse_condition(PG_FUNCTION_ARGS) {
  const char* condition = text_to_cstring(PG_GETARG_TEXT_PP(1));
  const char* alias = text_to_cstring(PG_GETARG_TEXT_PP(2));
  PG_RETURN_TEXT_P(cstring_to_text(chatopt::counters::parse_condition(PG_GETARG_OID(0), condition, alias)));
}
