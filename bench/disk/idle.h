/// \file
/// When a store has done what it does in the background, seen from outside: no engine has a call
/// for it that the others have too.
#pragma once

#include <chrono>

namespace ashlar::bench {

/// Waits until no thread of this process has done anything for a while: used its processor or
/// written to a file. What is timed must be the only thing at work.
///
/// Returns: the seconds until the last activity; after `kIdleWaitMax` it waits no longer
double wait_until_idle();

inline constexpr std::chrono::minutes kIdleWaitMax{10};

}  // namespace ashlar::bench
