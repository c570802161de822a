/// \file
/// What a run of random operations works on: which keys, which values, under which options.
#pragma once

#include <cstdint>
#include <string>

#include "ashlar/options.h"
#include "testing/random.h"

namespace ashlar::model {

enum class KeyShape : std::uint8_t {
  kPlain,    ///< "k" and a number.
  kHostile,  ///< NUL, 0xff, keys that begin with other keys, long common beginnings, long keys.
};

struct Workload {
  Options options = {};
  KeyShape key_shape = KeyShape::kPlain;
  std::uint64_t key_count = 1000;
  /// The key space fills up and empties again in turns.
  bool has_tides = false;
  /// The budget is so small that writes are refused or keys evicted.
  bool is_tight = false;
  std::uint64_t large_value_bytes = 100'000;
  /// Operations between two full comparisons of everything.
  std::uint64_t audit_interval = 20'000;
  /// Operations between two openings. In memory all is gone then; on disk all is there again.
  std::uint64_t reopen_interval = 1'000'000;
  std::uint64_t operation_count = 0;

  bool is_on_disk() const noexcept { return options.engine == Engine::kDisk; }
  bool evicts() const noexcept { return options.memory_policy == MemoryPolicy::kEvict; }
};

/// The key with number `index`: another one for each number.
std::string key_of(KeyShape shape, std::uint64_t index);

/// A length: mostly short, often 0, sometimes up to `large_bytes`.
std::size_t value_bytes(testing::Random& random, std::uint64_t large_bytes);

}  // namespace ashlar::model
