/// \file
/// The one source of randomness in tests.
#pragma once

#include <cstdint>

namespace ashlar::testing {

/// The seed of this process: that of `ASHLAR_TEST_SEED`, or else a random one. Printed to standard
/// error the first time it is asked for.
///
/// Threads: thread-safe.
std::uint64_t seed();

/// What `seed` takes from the text of the variable: its number, decimal or hexadecimal with 0x, or
/// `otherwise` when `text` is null or no number.
std::uint64_t seed_of(const char* text, std::uint64_t otherwise);

}  // namespace ashlar::testing
