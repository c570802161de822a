/// \file
/// The log as the layers above see it: an endless string of commits. The segments of one machine
/// are behind it now (local_log.h), a replicated log may be later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "log/frame.h"
#include "log/log_reader.h"
#include "log/segment.h"

namespace ashlar::log {

/// What a commit may take of the disk when it is full.
enum class Room : std::uint8_t {
  kOrdinary,
  kReserved,  ///< For what gives space back: erasing goes on when nothing else does.
};

/// A payload ready to be appended: hashed where no lock is held.
class Entry {
 public:
  explicit Entry(std::string_view payload, Room room = Room::kOrdinary) noexcept
      : payload_(payload), hash_(payload_hash(payload)), room_(room) {}

  std::string_view payload() const noexcept { return payload_; }
  std::uint64_t hash() const noexcept { return hash_; }
  Room room() const noexcept { return room_; }

 private:
  std::string_view payload_;
  std::uint64_t hash_;
  Room room_;
};

enum class Appended : std::uint8_t {
  kYes,     ///< The commit is in the log and survives the process from now on.
  kNoRoom,  ///< Not yet: call `make_room` and try again.
  kNever,   ///< The log is poisoned: `make_room` tells why.
};

/// Who has a use for pieces of the log that the log itself needs no more.
///
/// Threads: called by one thread at a time.
class SegmentHeir {
 public:
  SegmentHeir() = default;
  SegmentHeir(const SegmentHeir&) = delete;
  SegmentHeir& operator=(const SegmentHeir&) = delete;

  /// The log gives up the segment `path`, which is durable and will not be written to before the
  /// answer is known. Who takes it has given the file a durable name of its own, by a link or by
  /// taking the name away, and its bytes are that owner's from then on (L12 of local_log.h).
  ///
  /// Returns: whether it is taken; otherwise the file may be used again for later pieces
  /// Errors:  kIo, kOutOfSpace  the log keeps the segment and asks again
  virtual Result<bool> take(const SegmentHeader& header, const std::string& path) = 0;

 protected:
  ~SegmentHeir() = default;
};

/// Threads: thread-safe.
class Log {
 public:
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  virtual ~Log() = default;

  /// Makes sure that `entry` finds room, as far as others leave it.
  ///
  /// Errors: kOutOfSpace   the disk is full; nothing is harmed, and it works again when it is not
  ///         kUnavailable  the log is poisoned: says by what
  /// Cost:   waits for the disk when writers outrun it
  virtual Result<void> make_room(const Entry& entry) = 0;

  /// Appends one commit. `end`, the position behind it, is set when the answer is kYes.
  ///
  /// Cost: a short lock and a copy; no I/O, except for payloads that are long (see local_log.h)
  virtual Appended try_append(const Entry& entry, Position& end) noexcept = 0;

  /// Returns once everything before `position` survives a power cut.
  ///
  /// Errors: kUnavailable  the log is poisoned; whether it survives is not known
  virtual Result<void> durable(Position position) = 0;

  /// Called with one commit after the other. An error ends the walk.
  using Visit = std::function<Result<void>(const Frame&)>;

  /// Hands every commit behind `start` that is durable by now to `visit`, in order, beside writers.
  /// What is being read is not given up meanwhile.
  ///
  /// Returns: where it ended; reading may go on from there
  /// Errors:  kUnavailable  the log does not reach back so far any more
  ///          kCorruption   what was durable cannot be read: names file and offset
  ///          kIo; those of `visit`
  virtual Result<Start> read_from(Start start, const Visit& visit) = 0;

  /// The end of what has been appended.
  virtual Start end() const = 0;

  /// Gives up everything before `position`, which is durable: no reader will ask for it.
  ///
  /// Errors: kIo
  virtual Result<void> truncate_before(Position position) = 0;

  /// Gives the space that is kept in reserve to the disk, for a checkpoint that finds it full. It
  /// is taken back as soon as there is space; before that no ordinary commit gets more.
  ///
  /// Errors: kIo
  virtual Result<void> release_reserve() = 0;

  /// Why the log takes nothing any more; nullptr while it does.
  virtual const Error* poison() const noexcept = 0;
};

}  // namespace ashlar::log
