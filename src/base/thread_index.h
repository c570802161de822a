/// \file
/// A small number for each living thread, for arrays with a place per thread.
#pragma once

#include <cstddef>

namespace ashlar::base {

/// How many threads at a time have a number of their own.
inline constexpr std::size_t kThreadIndexCount = 1024;

namespace detail {

// A copy of the number that needs no guard: constant-initialised and without a destructor, so that
// reading it is one load.
inline constexpr std::size_t kUnknownThreadIndex = kThreadIndexCount + 1;
inline constinit thread_local std::size_t known_thread_index = kUnknownThreadIndex;
std::size_t find_thread_index() noexcept;

}  // namespace detail

/// The number of the calling thread: unique among living threads and below `kThreadIndexCount`, or
/// equal to `kThreadIndexCount` for every thread beyond that many. Numbers of ended threads are
/// handed out again, lowest first; the hand-over orders the memory of the two threads.
///
/// Cost: one thread-local load, except in a thread's first call.
inline std::size_t thread_index() noexcept {
  const std::size_t index = detail::known_thread_index;
  return index != detail::kUnknownThreadIndex ? index : detail::find_thread_index();
}

}  // namespace ashlar::base
