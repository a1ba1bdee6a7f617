// The WHEN of our AFTER INSERT trigger, kept parsed. PostgreSQL reads it from its
// stored text in every statement that fires the trigger: of a single-row send that
// is a noticeable part. Handed to the executor at the statement's start it is not
// read again. Where this does not reach (COPY, leaves found while routing, logical
// apply, the first statement of a session) PostgreSQL reads the text, to the same end.

#include "counters/when.hpp"

#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {
namespace {

ExecutorStart_hook_type previous_start;

void hand_over_when(ResultRelInfo* result, EState* estate) {
  const TriggerDesc* triggers = result->ri_TrigDesc;
  if (triggers == nullptr || !triggers->trig_insert_after_row || result->ri_TrigWhenExprs == nullptr) return;
  const Source* source = cached_source(RelationGetRelid(result->ri_RelationDesc));
  if (source == nullptr || source->insert_when == NIL) return;
  for (int i = 0; i < triggers->numtriggers; ++i) {
    if (triggers->triggers[i].tgoid != source->insert_trigger) continue;
    if (result->ri_TrigWhenExprs[i] == nullptr) {
      MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
      result->ri_TrigWhenExprs[i] = source->insert_when_is_plain ? ExecInitQual(source->insert_when, nullptr)
                                                                 : ExecPrepareQual(source->insert_when, estate);
      MemoryContextSwitchTo(caller);
    }
    return;
  }
}

void hand_over_whens(PlanState* plan, EState* estate) {
  if (plan == nullptr || !IsA(plan, ModifyTableState)) return;
  auto* modify = reinterpret_cast<ModifyTableState*>(plan);
  if (modify->operation != CMD_INSERT) return;
  for (int i = 0; i < modify->mt_nrels; ++i) hand_over_when(&modify->resultRelInfo[i], estate);
}

void start_executor(QueryDesc* query, int flags) {
  if (previous_start != nullptr)
    previous_start(query, flags);
  else
    standard_ExecutorStart(query, flags);
  if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0) return;
  hand_over_whens(query->planstate, query->estate);
  ListCell* cell;
  foreach (cell, query->estate->es_auxmodifytables)
    hand_over_whens(static_cast<PlanState*>(lfirst(cell)), query->estate);
}

}  // namespace

void init_when() {
  previous_start = ExecutorStart_hook;
  ExecutorStart_hook = start_executor;
}

}  // namespace chatopt::counters
