#include "pg/errand.hpp"

#include "pg/boundary.hpp"

namespace chatopt::pg {
namespace {

enum class Stage : int { kSent, kStarted, kEnded };

// The segment: this, then the command and the names and values of the settings, each ended by a zero byte. Only the worker
// writes, and is read when it has ended.
struct Errand {
  volatile Stage stage;
  int sqlstate;
  char message[1024];
  char detail[2048];
  char hint[1024];
  int settings;
  char text[FLEXIBLE_ARRAY_MEMBER];
};

Size size_of(const char* sql, std::span<const Setting> settings) {
  Size size = offsetof(Errand, text) + strlen(sql) + 1;
  for (const Setting& setting : settings) size += strlen(setting.name) + strlen(setting.value) + 2;
  return size;
}

char* append(char* to, const char* text) {
  const Size size = strlen(text) + 1;
  memcpy(to, text, size);
  return to + size;
}

const char* next(const char* text) { return text + strlen(text) + 1; }

void write_errand(Errand* errand, const char* sql, std::span<const Setting> settings) {
  memset(errand, 0, offsetof(Errand, text));
  errand->settings = static_cast<int>(settings.size());
  char* end = append(errand->text, sql);
  for (const Setting& setting : settings) end = append(append(end, setting.name), setting.value);
}

// When this process lets go of the segment, by an error or its end, before the worker has ended.
void end_worker(dsm_segment*, Datum handle) {
  TerminateBackgroundWorker(reinterpret_cast<BackgroundWorkerHandle*>(DatumGetPointer(handle)));
}

CommandOutcome outcome_of(const Errand* errand) {
  if (errand->stage != Stage::kEnded)
    return {ERRCODE_ADMIN_SHUTDOWN, "background worker was terminated", "", "The server log says why."};
  return {errand->sqlstate, pstrdup(errand->message), pstrdup(errand->detail), pstrdup(errand->hint)};
}

void set_session(const char* name, const char* value) { SetConfigOption(name, value, PGC_USERSET, PGC_S_SESSION); }

// Time limits are the sender's alone; outside a client's session nobody minds statement_timeout.
void make_settings(const Errand* errand) {
  set_session("statement_timeout", "0");
  set_session("lock_timeout", "0");
  const char* name = next(errand->text);
  for (int i = 0; i < errand->settings; ++i) {
    const char* value = next(name);
    set_session(name, value);
    name = next(value);
  }
  if (StatementTimeout > 0) enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
}

// Cut to what there is room for, at the end of a character.
template <Size size>
void copy_text(char (&to)[size], const char* text) {
  if (text == nullptr) return;
  const int length = pg_mbcliplen(text, static_cast<int>(strlen(text)), static_cast<int>(size - 1));
  memcpy(to, text, static_cast<Size>(length));
}

void say(Errand* errand, const ErrorData* error) {
  if (error != nullptr) {
    errand->sqlstate = error->sqlerrcode;
    copy_text(errand->message, error->message);
    copy_text(errand->detail, error->detail);
    copy_text(errand->hint, error->hint);
  }
  errand->stage = Stage::kEnded;
}

}  // namespace

// Without a transaction nobody but us lets go of the segment.
CommandOutcome send_worker(WorkerTask task, const char* sql, std::span<const Setting> settings) {
  check_may_run(task);
  dsm_segment* segment = dsm_create(size_of(sql, settings), 0);
  auto* errand = static_cast<Errand*>(dsm_segment_address(segment));
  write_errand(errand, sql, settings);
  task.argument = UInt32GetDatum(dsm_segment_handle(segment));
  BackgroundWorkerHandle* handle = register_worker(task);
  if (handle == nullptr) {
    dsm_detach(segment);
    refuse_no_worker(task);
  }
  on_dsm_detach(segment, end_worker, PointerGetDatum(handle));
  InvalidateCatalogSnapshot();  // the command may wait for every older snapshot
  (void)WaitForBackgroundWorkerShutdown(handle);
  cancel_on_dsm_detach(segment, end_worker, PointerGetDatum(handle));
  const bool started = errand->stage != Stage::kSent;
  const CommandOutcome outcome = outcome_of(errand);
  dsm_detach(segment);
  if (!started) refuse_not_started();
  return outcome;
}

void run_errand(Datum argument, bool log, void (*body)(const char* sql)) {
  dsm_segment* segment = dsm_attach(DatumGetUInt32(argument));
  if (segment == nullptr) return;
  auto* errand = static_cast<Errand*>(dsm_segment_address(segment));
  errand->stage = Stage::kStarted;
  begin_worker();
  const ErrorData* error = try_at_top(
      [&] {
        make_settings(errand);
        body(errand->text);
      },
      log);
  disable_all_timeouts(false);
  say(errand, error);
}

}  // namespace chatopt::pg
