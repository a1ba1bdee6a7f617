// SQL that other SQL gives, to be run one after the other.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::partitions {

struct Statements {
  Datum* first;  // text
  int count;
};

// Runs a query whose columns are arrays of text, in one row; NULL is none. In the
// current memory context.
void load_statements(const char* sql, int count, Oid* types, const Datum* values, Statements* found, int columns);

// Runs a query for what it raises.
void run_check(const char* sql, int count, Oid* types, const Datum* values);

void run_statement(const char* sql);
void run_statements(const Statements& statements);

}  // namespace chatopt::partitions
