// Set algebra on two streams of runs: one pass over their edges. Internal to src/core/bitmap.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/bitmap/bitmap.hpp"

namespace chatopt::core {

[[nodiscard]] constexpr bool holds(SetOperation operation, bool in_a, bool in_b) noexcept {
  switch (operation) {
    case SetOperation::kUnion:
      return in_a || in_b;
    case SetOperation::kIntersection:
      return in_a && in_b;
    case SetOperation::kDifference:
      return in_a && !in_b;
    default:
      return in_a != in_b;
  }
}

// Where a stream of maximal runs begins and ends being inside.
template <class Runs>
class Edges {
 public:
  static constexpr std::uint32_t kNever = UINT32_MAX;
  explicit Edges(Runs runs) noexcept : runs_(runs) { open(); }
  [[nodiscard]] std::uint32_t at() const noexcept { return at_; }
  [[nodiscard]] bool inside() const noexcept { return inside_; }
  void pass() noexcept {
    inside_ = !inside_;
    if (inside_)
      at_ = run_.last + 1;
    else
      open();
  }

 private:
  void open() noexcept { at_ = runs_.next(run_) ? run_.first : kNever; }

  Runs runs_;
  Run run_{0, 0};
  std::uint32_t at_ = kNever;
  bool inside_ = false;
};

// Gives every maximal run of the result to emit, until that returns false. There are no more than both have.
template <SetOperation operation, class A, class B, class Emit>
void sweep(A runs_a, B runs_b, Emit emit) noexcept {
  Edges<A> a(runs_a);
  Edges<B> b(runs_b);
  std::uint32_t first = 0;
  bool inside = false;
  while (true) {
    const std::uint32_t here = std::min(a.at(), b.at());
    if (here == Edges<A>::kNever) return;
    if (a.at() == here) a.pass();
    if (b.at() == here) b.pass();
    const bool now = holds(operation, a.inside(), b.inside());
    if (now == inside) continue;
    inside = now;
    if (inside)
      first = here;
    else if (!emit(Run{first, here - 1}))
      return;
  }
}

template <class A, class B, class Emit>
void sweep(SetOperation operation, A a, B b, Emit emit) noexcept {
  switch (operation) {
    case SetOperation::kUnion:
      return sweep<SetOperation::kUnion>(a, b, emit);
    case SetOperation::kIntersection:
      return sweep<SetOperation::kIntersection>(a, b, emit);
    case SetOperation::kDifference:
      return sweep<SetOperation::kDifference>(a, b, emit);
    default:
      return sweep<SetOperation::kSymmetricDifference>(a, b, emit);
  }
}

}  // namespace chatopt::core
