/// \file
/// What many threads saw of a few keys, and whether one order of the operations explains it.
///
/// Each key is a register. A history of it is linearizable when its operations can be put into one
/// order that every answer agrees with, in which no operation stands before another that had ended
/// before it began.
///
/// The check is exact: it searches for that order. It stays fast because no value is put twice: a
/// value that was replaced never comes back, so a wrong turn shows at once.
///
/// Source: Wing, Gong: "Testing and verifying concurrent objects", 1993; the memory of visited
/// states from Lowe: "Testing for linearizability", 2017.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "testing/workload_scale.h"

namespace ashlar::testing {

/// One call as its caller saw it.
struct Event {
  enum class Kind : std::uint8_t { kPut, kGet, kErase };

  static constexpr std::uint64_t kAbsent = 0;

  Kind kind = Kind::kGet;
  std::uint32_t key = 0;
  std::uint64_t value = kAbsent;  ///< Put: what, never kAbsent, never the same twice. Get: answer.
  bool was_there = false;         ///< Erase: the answer.
  std::uint64_t begin = 0;        ///< A tick drawn before the call,
  std::uint64_t end = 0;          ///< and one after it.
};

/// Hands out ticks in one order for all threads.
///
/// Threads: thread-safe.
class Ticks {
 public:
  std::uint64_t next() noexcept { return next_.fetch_add(1, kOrder); }

 private:
  // Under the thread sanitizer the ticks must not order the threads, or they would hide the very
  // races that it is to find. It runs where a read-modify-write is a full fence in any case.
  static constexpr std::memory_order kOrder =
      kIsThreadSanitizer ? std::memory_order_relaxed : std::memory_order_seq_cst;

  std::atomic<std::uint64_t> next_{1};
};

enum class Verdict : std::uint8_t {
  kLinearizable,
  kViolated,
  kUndecided,  ///< The search was given up: make the history shorter.
};

/// Judges the events of one key, in any order. The key is absent at first.
///
/// Cost: about n log n for what a correct register does; bounded by a number of states in any case.
Verdict judge_key(std::span<const Event> events);

struct Judgement {
  Verdict verdict = Verdict::kLinearizable;
  std::string explanation;  ///< Of the first key that is not linearizable: its events.
};

/// Judges each key of `events` by itself.
Judgement judge(std::span<const Event> events);

}  // namespace ashlar::testing
