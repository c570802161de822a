/// \file
/// Hints to the processor. Each use cites the figure that it earns.
#pragma once

namespace ashlar::base {

/// Starts loading the cache line of `address` for reading.
inline void prefetch(const void* address) noexcept {
  __builtin_prefetch(address, 0, 3);
}

/// Starts loading the cache line of `address` for writing.
inline void prefetch_for_write(const void* address) noexcept {
  __builtin_prefetch(address, 1, 3);
}

/// Tells the core that this is a waiting loop.
inline void spin_pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace ashlar::base
