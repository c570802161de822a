/// \file
/// A list of calls to a database, made from a seed and from nothing else: no call depends on what
/// an earlier one answered, so that everybody who plays the script makes the same calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/db.h"

namespace ashlar::metamorphic {

enum class Call : std::uint8_t {
  kPut,
  kErase,
  kExpire,
  kPersist,
  kWrite,
  kGet,
  kExists,
  kTimeToLive,
  kExpiryOf,
  kMultiGet,
  kScan,  ///< A whole range, from one end to the other.
  kTakeSnapshot,
  kReleaseSnapshot,
  kOpenScan,  ///< A scan that stays open while other calls are made.
  kMoveScan,
  kCloseScan,
  kAdvance,  ///< The clock moves on.
  kCheckpoint,
  kCompact,
  kReopen,  ///< Everything is let go of, the database is closed, and opened again.
};

/// How an open scan is moved.
struct Move {
  enum class Kind : std::uint8_t { kFirst, kLast, kSeek, kSeekForPrevious, kNext, kPrevious };
  Kind kind = Kind::kFirst;
  std::string key = {};
};

struct Write {
  std::string key;
  std::optional<std::string> value;  ///< Absent: erase.
  Expiry expiry = Expiry::never();
};

/// So many snapshots and scans may be held at a time, each in a slot.
inline constexpr std::uint64_t kSlotCount = 3;

struct Step {
  Call call = Call::kGet;
  std::string key = {};
  std::vector<Write> writes = {};      ///< One for kPut.
  std::vector<std::string> keys = {};  ///< Of kMultiGet.
  Expiry expiry = Expiry::never();     ///< Of kExpire.
  Durability durability = Durability::kProcess;
  Range range = {};
  std::vector<Move> moves = {};
  std::uint64_t slot = 0;       ///< What is taken, released, opened, moved or closed.
  bool is_at_snapshot = false;  ///< A read is made at the snapshot in the slot, if there is one.
  std::int64_t by_ms = 0;       ///< Of kAdvance.
};

/// Makes a script of `step_count` steps. Its keys are few, so that most of them come again.
std::vector<Step> make_script(std::uint64_t seed, std::uint64_t step_count);

/// The call in words.
std::string_view name_of(Call call) noexcept;

}  // namespace ashlar::metamorphic
