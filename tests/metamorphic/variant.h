/// \file
/// One choice of everything that may be chosen about a database and may not change an answer:
/// options, sizes inside it, threads, and which of several ways of asking the same is taken.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "ashlar/options.h"
#include "log/local_log.h"
#include "lsm/engine/settings.h"

namespace ashlar::metamorphic {

/// What is chosen once for a directory.
struct Variant {
  Engine engine = Engine::kMemory;
  std::uint64_t hash_seed = 7;
  bool is_on_system_disk = false;  ///< On the disk of the system, not a simulated one.
  std::uint64_t seed = 0;          ///< Of what is chosen for each opening.
};

/// How often something is done that nobody asked for: after so many steps; 0 for never.
struct Intervals {
  std::uint64_t maintain = 0;
  std::uint64_t checkpoint = 0;
  std::uint64_t compact = 0;
  std::uint64_t stats = 0;
  std::uint64_t check = 0;
  std::uint64_t snapshot = 0;  ///< One is taken, and held until the next.
  std::uint64_t reopen = 0;    ///< When nothing is held.
};

/// At which durability a write is made.
enum class DurabilityRule : std::uint8_t { kAsAsked, kNone, kProcess, kDisk };

/// Ways of asking the same.
struct Ways {
  enum class Get : std::uint8_t { kGet, kMultiGet, kScan };
  enum class Put : std::uint8_t { kPut, kBatchOfOne, kTransaction };
  enum class Batch : std::uint8_t { kBatch, kTransaction };
  enum class Exists : std::uint8_t { kExists, kGet };
  enum class MultiGet : std::uint8_t { kAtOnce, kOneByOne };
  enum class Scan : std::uint8_t { kForward, kBackward };
  Get get = Get::kGet;
  Put put = Put::kPut;
  Batch batch = Batch::kBatch;
  Exists exists = Exists::kExists;
  MultiGet multi_get = MultiGet::kAtOnce;
  Scan scan = Scan::kForward;
};

/// What may be another at each opening.
struct Opening {
  Options options;
  log::LocalLogOptions log = {};
  lsm::EngineSettings disk_engine = {};
  bool has_background = false;
  DurabilityRule durability = DurabilityRule::kAsAsked;
  Intervals intervals = {};
  Ways ways = {};
};

/// Every value that was chosen, as "name=value".
using ChosenValues = std::set<std::string>;

/// The variant that others are compared with: all in memory but for the log, every default.
Variant plain_variant() noexcept;
Opening plain_opening(const Variant& variant);

/// Draws a variant, adding what was chosen to `chosen`.
Variant draw_variant(std::uint64_t seed, ChosenValues& chosen);

/// What `variant` has for its opening number `index`.
Opening draw_opening(const Variant& variant, std::uint64_t index, ChosenValues& chosen);

}  // namespace ashlar::metamorphic
