#include "counters/ledgers.hpp"

#include "counters/chat.hpp"
#include "pg/memory.hpp"

namespace chatopt::counters {
namespace {

// Trivially destructible by itself: the whole of it goes with its memory context.
struct Transaction {
  pg::MemoryContextResource memory;
  core::Ledger ledger;
  explicit Transaction(MemoryContext context) : memory(context), ledger(memory) {}
};

struct Statement {
  MemoryContextCallback callback;
  MemoryContext executor;
  uint64 transaction;
  Statement* next;
};

constinit Transaction* current = nullptr;
constinit uint64 transaction_number = 0;
constinit Statement* statements = nullptr;  // under way, in TopMemoryContext-independent memory of each statement

void on_statement_end(void* argument) {
  auto* statement = static_cast<Statement*>(argument);
  for (Statement** link = &statements; *link != nullptr; link = &(*link)->next)
    if (*link == statement) {
      *link = statement->next;
      break;
    }
  if (current != nullptr && statement->transaction == transaction_number)
    current->ledger.statement_ended(reinterpret_cast<core::Ledger::Tag>(statement->executor));
}

void on_transaction_event(XactEvent event, void*) {
  switch (event) {
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE:
      // The memory itself is TopTransactionContext's.
      current = nullptr;
      ++transaction_number;
      free_stale_chats();
      break;
    default:
      break;
  }
}

void on_subtransaction_event(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
  if (current == nullptr) return;
  if (event == SUBXACT_EVENT_COMMIT_SUB)
    current->ledger.commit_depth(GetCurrentTransactionNestLevel());
  else if (event == SUBXACT_EVENT_ABORT_SUB)
    current->ledger.abort_depth(GetCurrentTransactionNestLevel());
}

}  // namespace

core::Ledger& ledger() {
  if (current == nullptr) {
    MemoryContext context = AllocSetContextCreate(TopTransactionContext, "chatopt ledger", ALLOCSET_DEFAULT_SIZES);
    void* place = MemoryContextAlloc(context, sizeof(Transaction));
    current = pg::cpp_zone([=] { return ::new (place) Transaction(context); });
  }
  current->ledger.set_depth(GetCurrentTransactionNestLevel());
  return current->ledger;
}

core::Ledger* ledger_if_any() { return current == nullptr ? nullptr : &ledger(); }

core::Ledger::Tag statement_tag(MemoryContext executor) {
  for (const Statement* statement = statements; statement != nullptr; statement = statement->next)
    if (statement->executor == executor && statement->transaction == transaction_number)
      return reinterpret_cast<core::Ledger::Tag>(executor);
  auto* statement = static_cast<Statement*>(MemoryContextAllocZero(executor, sizeof(Statement)));
  statement->executor = executor;
  statement->transaction = transaction_number;
  statement->callback.func = on_statement_end;
  statement->callback.arg = statement;
  statement->next = statements;
  statements = statement;
  MemoryContextRegisterResetCallback(executor, &statement->callback);
  return reinterpret_cast<core::Ledger::Tag>(executor);
}

void forget_row_locations() {
  if (current != nullptr) current->ledger.forget_rows();
}

void init_ledgers() {
  RegisterXactCallback(on_transaction_event, nullptr);
  RegisterSubXactCallback(on_subtransaction_event, nullptr);
}

}  // namespace chatopt::counters
