/// \file
/// How the rest of the house makes an in-memory engine. What is inside: src/memory/README.md.
#pragma once

#include <cstdint>
#include <memory>

#include "ashlar/options.h"
#include "ashlar/result.h"
#include "engine/storage_engine.h"
#include "os/clock.h"

namespace ashlar::memory {

/// Makes an empty engine. `options` have been checked.
///
/// Input:    hash_seed  keys the hash of every key; must not be known to whoever chooses the keys
/// Errors:   kUnavailable  the system refuses the address space for the budget
/// Lifetime: `clock` must outlive the engine.
Result<std::unique_ptr<engine::StorageEngine>> make_memory_engine(const Options& options,
                                                                  const os::Clock& clock,
                                                                  std::uint64_t hash_seed);

}  // namespace ashlar::memory
