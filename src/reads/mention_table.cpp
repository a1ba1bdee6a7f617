#include "reads/mention_table.hpp"

namespace chatopt::reads {

MentionColumns mention_columns(Oid) { return {0, 0}; }

}  // namespace chatopt::reads
