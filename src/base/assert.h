/// \file
/// Checks of our own rules. Never used on bytes from disk, wire or user.
#pragma once

namespace ashlar::base {

/// Reports a broken rule on standard error and aborts.
[[noreturn, gnu::cold, gnu::noinline]] void assert_failed(const char* condition, const char* rule,
                                                          const char* file, int line) noexcept;

}  // namespace ashlar::base

/// Aborts unless `condition` holds, in every build. `rule` is the rule as a positive sentence.
#define ASHLAR_ASSERT(condition, rule)               \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::ashlar::base::assert_failed(#condition, (rule), __FILE__, __LINE__))

/// The same in checked builds only: for what is dearer than a compare.
#ifdef ASHLAR_CHECKED
#define ASHLAR_DEBUG_ASSERT(condition, rule) ASHLAR_ASSERT(condition, rule)
#else
#define ASHLAR_DEBUG_ASSERT(condition, rule) static_cast<void>(0)
#endif
