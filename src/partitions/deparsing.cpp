// chatopt._deparse_as(): the expression of a policy, as text that can be used on
// another table with the same columns. pg_get_expr() writes the table's own name
// before its columns inside a subquery, where only the other's would be found.

#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_partitions_deparse_as);
PGDLLEXPORT Datum chatopt_partitions_deparse_as(PG_FUNCTION_ARGS);
}

// _deparse_as(expression pg_node_tree, tbl regclass, row_name name) -> text
Datum chatopt_partitions_deparse_as(PG_FUNCTION_ARGS) {
  const char* stored = text_to_cstring(PG_GETARG_TEXT_PP(0));
  const Oid table = PG_GETARG_OID(1);
  const char* row_name = NameStr(*PG_GETARG_NAME(2));
  Relation relation = relation_open(table, AccessShareLock);
  auto* expression = static_cast<Node*>(stringToNode(stored));
  // pg_node_tree has no input: whatever comes here is a catalogue's, and one of another table is an error of the
  // deparser's at worst.
  const char* written = deparse_expression(expression, deparse_context_for(row_name, table), false, false);
  relation_close(relation, AccessShareLock);
  PG_RETURN_TEXT_P(cstring_to_text(written));
}
