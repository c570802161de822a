/// \file
/// How much work a test does in this build: a sanitizer makes every operation dearer, so that the
/// same time buys fewer of them.
#pragma once

#include <algorithm>
#include <cstdint>

#if defined(__SANITIZE_THREAD__)
#define ASHLAR_TESTING_THREAD_SANITIZER 1
#elif defined(__SANITIZE_ADDRESS__)
#define ASHLAR_TESTING_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ASHLAR_TESTING_THREAD_SANITIZER 1
#elif __has_feature(address_sanitizer)
#define ASHLAR_TESTING_ADDRESS_SANITIZER 1
#endif
#endif

namespace ashlar::testing {

#ifdef ASHLAR_TESTING_THREAD_SANITIZER
inline constexpr bool kIsThreadSanitizer = true;
#else
inline constexpr bool kIsThreadSanitizer = false;
#endif
#ifdef ASHLAR_TESTING_ADDRESS_SANITIZER
inline constexpr bool kIsAddressSanitizer = true;
#else
inline constexpr bool kIsAddressSanitizer = false;
#endif

/// How many times less a sanitizer build does.
inline constexpr std::uint64_t kWorkDivisor = kIsThreadSanitizer ? 12 : kIsAddressSanitizer ? 8 : 1;

/// `count`, or as much of it as this build has time for; at least 1.
constexpr std::uint64_t scaled(std::uint64_t count) noexcept {
  return std::max<std::uint64_t>(count / kWorkDivisor, 1);
}

}  // namespace ashlar::testing
