/// \file
/// Operations as bytes: the payload of a commit in the log, and of whatever carries commits on.
///
///     payload    := moment operation* [old-values]
///     moment     := 8 bytes, milliseconds since 1970: about when the commit was made
///     operation  := kind (1 byte) key-length [value-length] [deadline] key [value]
///     old-values := 7 (1 byte) {0 | value-length + 1, value} for each operation
///
/// Lengths are variable-length numbers, a deadline is 8 bytes. docs/formats/log.md has the kinds.
///
/// What was decided when the commit was made is not decided again: deadlines are absolute, and a
/// change of a deadline is only written when it took effect.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ashlar/options.h"
#include "ashlar/value.h"
#include "base/coding.h"
#include "engine/operation.h"
#include "engine/reclaim_log.h"

namespace ashlar::engine {

/// The kinds as they are stored; their numbers never change.
enum class StoredKind : std::uint8_t {
  kPut = 1,
  kPutWithDeadline = 2,
  kErase = 3,
  kExpire = 4,   ///< The key, which is there, gets another deadline.
  kExpired = 5,  ///< The key, which was past its deadline, is reclaimed.
  kEvicted = 6,  ///< The key has made room.
};

/// What stands before the values that the keys had before the commit; no kind of an operation.
inline constexpr std::uint8_t kOldValuesMark = 7;

/// The longest payload of nothing but a key that was reclaimed.
inline constexpr std::size_t kReclaimedPayloadBytesMax =
    sizeof(TimeMs) + 1 + base::varint_bytes(kKeyBytesHardMax) + kKeyBytesHardMax;

/// Puts payloads together.
class PayloadWriter {
 public:
  /// Writes to `payload`, whose old content goes.
  PayloadWriter(std::string& payload, TimeMs moment_ms);

  void add(const Operation& operation) { append_to(payload_, operation); }
  void add_expire(std::string_view key, TimeMs deadline_ms);
  void add_reclaimed(Reclaimed why, std::string_view key);

  /// Adds what the keys of all operations had before: at the end, one for each.
  void add_old_values(std::span<const std::optional<Value>> old_values);

  /// Adds an operation to a payload that was begun before.
  static void append_to(std::string& payload, const Operation& operation);

 private:
  std::string& payload_;
};

/// Tells where the values of operations stand in the payload that a `PayloadWriter` makes of them.
///
/// Threads: confined.
class PayloadLayout {
 public:
  /// Passes `operation`, the next one. Returns: where its value begins, in bytes from the payload's
  /// first on; of an erase, where it ends
  std::uint64_t pass(const Operation& operation) noexcept;

 private:
  std::uint64_t offset_ = sizeof(TimeMs);
};

/// Takes payloads apart.
///
/// Lifetime: what it hands out are views of the payload.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) noexcept;

  struct Stored {
    StoredKind kind = StoredKind::kPut;
    std::string_view key;
    std::string_view value;
    TimeMs deadline_ms = kNever;
  };

  /// The next operation; nullopt at the end, or where the payload makes no sense.
  std::optional<Stored> next() noexcept;

  /// Once there is no next operation: what the key of the first had before the commit, then of the
  /// second, and so on. The inner nullopt: it was absent. The outer: that is not told.
  std::optional<std::optional<std::string_view>> next_old_value() noexcept;

  TimeMs moment_ms() const noexcept { return moment_ms_; }

  /// How many bytes are still to be taken apart.
  std::size_t rest_bytes() const noexcept { return rest_.size(); }

  /// Whether no nonsense has been met so far.
  bool is_good() const noexcept { return is_good_; }

 private:
  std::optional<Stored> take() noexcept;
  bool are_old_values_good() const noexcept;

  std::string_view rest_;        // What has not been taken apart; a suffix of the payload.
  std::string_view old_values_;  // Of it; what has not been handed out.
  std::uint64_t operation_count_ = 0;
  TimeMs moment_ms_ = 0;
  bool is_good_ = true;
};

}  // namespace ashlar::engine
