// chatopt.maintenance_plan().

#include "partitions/planning.hpp"

#include "counters/purge_mark.hpp"
#include "partitions/axis.hpp"
#include "partitions/clock.hpp"
#include "partitions/holds.hpp"
#include "partitions/naming.hpp"
#include "partitions/purging.hpp"
#include "partitions/zone.hpp"
#include "pg/config.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_partitions_plan);
PGDLLEXPORT Datum chatopt_partitions_plan(PG_FUNCTION_ARGS);
}

namespace chatopt::partitions {
namespace {

constexpr int kColumns = 6;

core::After after_of(const char* action) {
  if (strcmp(action, "drop") == 0) return core::After::kDrop;
  return strcmp(action, "archive") == 0 ? core::After::kArchive : core::After::kDetach;
}

core::Policy policy_of(const Set& set, const core::Axis& axis) {
  core::Policy policy;
  policy.scale.axis = axis;
  policy.scale.every = every_of(set.every);
  policy.premake = set.premake;
  if (set.keep != nullptr) policy.keep = core::Span{set.keep->month, set.keep->day, set.keep->time};
  policy.after = after_of(set.action);
  return policy;
}

core::Purge purge_of(Oid leaf) {
  const counters::PurgeMark mark = counters::purge_mark_now(leaf);
  if (!OidIsValid(mark.partition)) return core::Purge::kNone;
  if (mark.returning) return core::Purge::kReturning;
  return mark.whole ? core::Purge::kRetired : core::Purge::kRetiring;
}

core::Existing existing_of(const Leaf& leaf, int id, const Holds& holds, bool purges) {
  core::Existing existing = {};
  existing.id = id;
  existing.lower = leaf.lower;
  existing.upper = leaf.upper;
  existing.below = leaf.below;
  existing.above = leaf.above;
  existing.is_default = leaf.is_default;
  existing.pending = leaf.pending;
  existing.held = holds.reason_for(leaf.oid) != nullptr;
  if (purges) existing.purge = purge_of(leaf.oid);
  return existing;
}

[[noreturn]] void raise_unplannable(const Set& set, core::PartitionError error) {
  const bool range = error == core::PartitionError::kOutOfRange;
  ereport(ERROR, (errcode(range ? ERRCODE_DATETIME_VALUE_OUT_OF_RANGE : ERRCODE_INTERNAL_ERROR),
                  errmsg("partitions of table \"%s\" cannot be planned", set.name),
                  range ? errdetail("A bound is beyond the times that its type can hold.")
                        : errdetail("The planner gave error %d.", static_cast<int>(error))));
  pg_unreachable();
}

// Names are as long as PostgreSQL takes them; the table's own is cut for it.
char* name_for(const Set& set, const core::Step& step) {
  return named(step.whole ? core::period_name(set.name, set.name_format, core::civil_of(step.named))
                          : core::piece_name(set.name, step.named),
               set.name);
}

Task task_of(const Set& set, const core::Axis& axis, const core::Step& step, const Leaves& leaves, const Holds& holds) {
  Task task = {step.what, step.why, step.after, InvalidOid, nullptr, nullptr, nullptr, nullptr};
  bool below = false;
  bool above = false;
  if (step.what == core::Do::kCreate) {
    task.name = name_for(set, step);
  } else {
    const Leaf& leaf = leaves.first[step.id];
    task.leaf = leaf.oid;
    task.name = get_rel_name(leaf.oid);
    task.because = holds.reason_for(leaf.oid);
    below = leaf.below;
    above = leaf.above;
  }
  if (!below) task.lower = literal_of(axis, step.lower);
  if (!above) task.upper = literal_of(axis, step.upper);
  return task;
}

// Has its upper bound passed?
bool is_over(const Set& set, const core::Axis& axis, const Leaf& leaf, TimestampTz now) {
  if (leaf.is_default || leaf.above) return false;
  core::Policy policy = policy_of(set, axis);
  policy.keep = core::Span{0, 0, 0};
  policy.scale.zone = load_zone(set.time_zone, core::needed_window({}, policy, {now}));
  const auto window = core::oldest_kept(policy, {now});
  if (!window) raise_unplannable(set, window.error());
  return leaf.upper <= *window;
}

}  // namespace

Tasks plan_set(const Set& set, TimestampTz now) {
  Relation parent = table_open(set.parent, AccessShareLock);
  const core::Axis axis = axis_of(set.kind, control_type(parent), set.snowflake_epoch, set.snowflake_shift);
  const Leaves leaves = read_bounds(parent, axis);
  table_close(parent, NoLock);
  const Holds holds = load_holds(set.parent);
  auto* existing = static_cast<core::Existing*>(palloc(sizeof(core::Existing) * (leaves.count + 1)));
  const bool purges = is_chat_partition(set.parent);
  for (int i = 0; i < leaves.count; ++i) existing[i] = existing_of(leaves.first[i], i, holds, purges);
  const std::span<const core::Existing> all(existing, leaves.count);

  core::Policy policy = policy_of(set, axis);
  policy.purges = purges;
  policy.scale.zone = load_zone(set.time_zone, core::needed_window(all, policy, {now}));
  const core::Limits limits;
  auto* steps = static_cast<core::Step*>(palloc(sizeof(core::Step) * limits.steps()));
  const auto planned = core::plan(all, policy, {now}, limits, {steps, limits.steps()});
  if (!planned) raise_unplannable(set, planned.error());

  Tasks tasks = {static_cast<Task*>(palloc(sizeof(Task) * (planned->steps + 1))), 0, planned->more};
  for (size_t i = 0; i < planned->steps; ++i)
    tasks.first[tasks.count++] = task_of(set, axis, steps[i], leaves, holds);
  pfree(steps);
  pfree(existing);
  return tasks;
}

Task retirement_of(const Set& set, Oid leaf, core::After after, TimestampTz now) {
  Relation parent = table_open(set.parent, AccessShareLock);
  const core::Axis axis = axis_of(set.kind, control_type(parent), set.snowflake_epoch, set.snowflake_shift);
  const Leaves leaves = read_bounds(parent, axis);
  table_close(parent, NoLock);
  const Leaf* found = nullptr;
  for (int i = 0; i < leaves.count; ++i)
    if (leaves.first[i].oid == leaf) found = &leaves.first[i];
  if (found == nullptr)
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is no partition of table \"%s\"", get_rel_name(leaf), set.name)));
  const char* hold = load_holds(set.parent).reason_for(leaf);
  if (hold != nullptr)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("partition \"%s\" is held", get_rel_name(leaf)),
                    errdetail("%s", hold), errhint("chatopt.release_hold lets it go.")));
  if (!is_over(set, axis, *found, now))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the time of partition \"%s\" is not over", get_rel_name(leaf)),
                    errdetail("It has the present, times to come, or all that has no other partition.")));
  core::Step step = {core::Do::kDetach, core::Reason::kOutOfWindow, after, 0, found->lower, found->upper, false, {0}};
  if (found->pending)
    step.what = core::Do::kFinishDetach;
  else if (is_chat_partition(set.parent) && purge_of(leaf) != core::Purge::kRetired)
    step.what = core::Do::kPurge;
  step.id = static_cast<uint32>(found - leaves.first);
  return task_of(set, axis, step, leaves, Holds{});
}

const char* word_for(const Task& task) {
  switch (task.what) {
    case core::Do::kCreate: return "create";
    case core::Do::kFinishDetach: return "finish detach";
    case core::Do::kBlocked: return "blocked";
    case core::Do::kPurge:
    case core::Do::kDetach:
    case core::Do::kDrop:
    case core::Do::kArchive: break;
  }
  return task.after == core::After::kDrop ? "drop" : task.after == core::After::kArchive ? "archive" : "detach";
}

const char* reason_for(const Set& set, const Task& task) {
  const char* keep = set.keep == nullptr ? "" : DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(set.keep)));
  switch (task.why) {
    case core::Reason::kCurrent: return psprintf("the present %s has no partition", set.every);
    case core::Reason::kAhead: return psprintf("%d %ss ahead always have one", set.premake, set.every);
    case core::Reason::kOlder: return "nothing was made while maintenance did not run";
    case core::Reason::kOutOfWindow: return psprintf("it ended longer than %s ago", keep);
    case core::Reason::kDetachPending: return "detaching it was interrupted";
    case core::Reason::kHeld: return psprintf("held: %s", task.because == nullptr ? "" : task.because);
    case core::Reason::kBlocked: return task.because == nullptr ? "it may not go now" : task.because;
    case core::Reason::kReturning: return "its messages are being counted again";
    case core::Reason::kHalfPurged: return "it was begun to be emptied, and is not out of the window any more";
    case core::Reason::kClock:
      return "the clock has gone on by more than 400 days, and more than half of the partitions would go: name the table in CALL chatopt.maintain";
  }
  return "";
}

}  // namespace chatopt::partitions

namespace {

using namespace chatopt::partitions;

void put_tasks(ReturnSetInfo* result, const Set& set, const Tasks& tasks) {
  for (const Task& task : tasks.all()) {
    NameData name;
    namestrcpy(&name, task.name);
    const bool nulls[kColumns] = {false, false, false, task.lower == nullptr, task.upper == nullptr, false};
    const Datum values[kColumns] = {ObjectIdGetDatum(set.parent),
                                    CStringGetTextDatum(word_for(task)),
                                    NameGetDatum(&name),
                                    task.lower == nullptr ? Datum{0} : CStringGetTextDatum(task.lower),
                                    task.upper == nullptr ? Datum{0} : CStringGetTextDatum(task.upper),
                                    CStringGetTextDatum(reason_for(set, task))};
    tuplestore_putvalues(result->setResult, result->setDesc, const_cast<Datum*>(values), const_cast<bool*>(nulls));
  }
}

}  // namespace

// maintenance_plan(parent, as_of)
Datum chatopt_partitions_plan(PG_FUNCTION_ARGS) {
  const bool named = !PG_ARGISNULL(0);
  if (named) chatopt::pg::check_owns(PG_GETARG_OID(0));
  const TimestampTz now = PG_ARGISNULL(1) ? maintenance_now() : PG_GETARG_TIMESTAMPTZ(1);
  if (TIMESTAMP_NOT_FINITE(now))
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("as_of must be a time, not infinity")));
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (named) {
    const Set set = load_set(PG_GETARG_OID(0));
    put_tasks(result, set, plan_set(set, now));
    return Datum{0};
  }
  const Sets sets = load_sets(InvalidOid);
  for (const Set& set : std::span<const Set>(sets.first, sets.count))
    if (may_maintain(set) && !set.paused) put_tasks(result, set, plan_set(set, now));
  return Datum{0};
}
