// Where C++ exceptions meet PostgreSQL's longjmp, and the only place they may.
//
// PG zone: any frame an ereport() may cross; it holds only locals whose
// destructor does nothing. C++ zone: the body given to cpp_zone(); it may throw
// and may hold anything, and calls nothing of the backend that can raise.
#pragma once

#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <type_traits>

#include "pg/postgres.hpp"

namespace chatopt::pg {

// What an exception left behind. Plain data: ereport() jumps over it.
struct PendingError {
  int sqlstate;
  char message[256];

  void keep(int code, const char* text) noexcept {
    sqlstate = code;
    strlcpy(message, text, sizeof message);
  }
  [[noreturn]] void raise() const {
    ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message)));
    pg_unreachable();
  }
};

// Runs body, which may throw, and turns an exception into an ERROR after the
// handler has ended. Costs nothing when nothing is thrown.
template <class Body>
auto cpp_zone(Body&& body) {
  using Result = decltype(body());
  static_assert(std::is_trivially_destructible_v<std::remove_reference_t<Body>>, "an error jumps over the body");
  static_assert(std::is_void_v<Result> || std::is_trivially_destructible_v<Result>);
  PendingError error;
  try {
    return body();
  } catch (const std::bad_alloc&) {
    error.keep(ERRCODE_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& exception) {
    error.keep(ERRCODE_INTERNAL_ERROR, exception.what());
  } catch (...) {
    error.keep(ERRCODE_INTERNAL_ERROR, "unrecognized C++ exception");
  }
  error.raise();
}

namespace detail {

// Runs body in a subtransaction, kept when it returns true. The error it raised, in the caller's memory context: rolled
// back, locks, identity, settings and all; NULL where there was none.
template <class Body>
ErrorData* subtransaction(Body&& body, volatile bool* kept) {
  MemoryContext const caller = CurrentMemoryContext;
  ResourceOwner const owner = CurrentResourceOwner;
  ErrorData* volatile error = nullptr;
  *kept = false;
  BeginInternalSubTransaction(nullptr);
  MemoryContextSwitchTo(caller);
  PG_TRY();
  {
    *kept = body();
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(caller);
    error = CopyErrorData();
    FlushErrorState();
  }
  PG_END_TRY();
  if (error == nullptr && *kept)
    ReleaseCurrentSubTransaction();
  else
    RollbackAndReleaseCurrentSubTransaction();
  MemoryContextSwitchTo(caller);
  CurrentResourceOwner = owner;
  return error;
}

}  // namespace detail

// Runs body in a subtransaction: kept when it returns true, rolled back, locks
// and all, when it returns false or raises.
template <class Body>
bool in_subtransaction(Body&& body) {
  volatile bool kept;
  ErrorData* const error = detail::subtransaction(body, &kept);
  if (error != nullptr) ReThrowError(error);
  return kept;
}

// Runs body in a subtransaction and gives the error that it raised, in the caller's memory context, after rolling it
// back: identity, settings and locks are as before. NULL: there was none, and it is kept. What is meant for the whole
// call passes through: a cancel (57014) and the end of the session (57P01 to 57P03).
template <class Body>
ErrorData* try_in_subtransaction(Body&& body) {
  volatile bool kept;
  ErrorData* const error = detail::subtransaction(
      [&] {
        body();
        return true;
      },
      &kept);
  if (error == nullptr) return nullptr;
  switch (error->sqlerrcode) {
    case ERRCODE_QUERY_CANCELED:
    case ERRCODE_ADMIN_SHUTDOWN:
    case ERRCODE_CRASH_SHUTDOWN:
    case ERRCODE_CANNOT_CONNECT_NOW:
      ReThrowError(error);
  }
  return error;
}

// Runs body at the top of a background worker, outside any transaction; it makes its own. Gives the error that it raised
// after aborting what was open, in the caller's memory context, which is no transaction's. NULL: there was none.
// log: the error is reported as it comes, with its context.
template <class Body>
ErrorData* try_at_top(Body&& body, bool log) {
  MemoryContext const caller = CurrentMemoryContext;
  ErrorData* volatile error = nullptr;
  PG_TRY();
  {
    body();
  }
  PG_CATCH();
  {
    HOLD_INTERRUPTS();
    MemoryContextSwitchTo(caller);
    error = CopyErrorData();
    if (log) EmitErrorReport();
    FlushErrorState();
    AbortOutOfAnyTransaction();
    RESUME_INTERRUPTS();
  }
  PG_END_TRY();
  MemoryContextSwitchTo(caller);
  return error;
}

}  // namespace chatopt::pg
