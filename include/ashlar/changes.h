/// \file
/// What has happened in a database, commit by commit, for those who follow it: other stores,
/// caches, search indexes, and whoever wants to know.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "ashlar/db.h"

namespace ashlar {

enum class ChangeKind : std::uint8_t {
  kPut,      ///< The key has a new value and a new deadline, maybe none.
  kErase,    ///< The key is gone, should it have been there.
  kExpire,   ///< The key, which was there, has another deadline. Engine::kDisk tells of a kPut.
  kExpired,  ///< The key was past its deadline, and is gone now for those who know no deadlines.
  kEvicted,  ///< The key has made room at the memory budget (MemoryPolicy::kEvict).
};

/// What a commit has done to one key.
struct Change {
  ChangeKind kind = ChangeKind::kPut;
  std::string_view key;
  std::string_view value;  ///< Of kPut; empty otherwise.

  /// Of kPut and kErase with `CommitChanges::has_old_values`: what the key had before the commit;
  /// nullopt when it was absent.
  std::optional<std::string_view> old_value = std::nullopt;
  Expiry expiry = Expiry::never();  ///< Of kPut and kExpire: a moment, or never.
};

/// One commit, whole. Its changes are in the order in which they were made; of one key the last
/// counts.
struct CommitChanges {
  /// Counts commits from 1 on, over all openings. Some numbers stand for the end of a process and
  /// not for a commit, and are never seen.
  std::uint64_t sequence = 0;
  std::int64_t moment_ms = 0;   ///< When it was made, in milliseconds since 1970: never later.
  bool has_old_values = false;  ///< As Options::history_has_old_values was when it was made.
  std::vector<Change> changes;
};

/// Which commits can be had.
struct ChangeBounds {
  std::uint64_t oldest = 0;  ///< Every commit from this one on; with nothing there, the next.
  std::uint64_t newest = 0;  ///< The last that is durable, or what stands for an end.
};

/// Follows the commits of a database that has a directory, from any that is still there: each is
/// handed out once, in the order of the log, and only when it survives a power cut. So what a
/// follower has seen the database never loses. Whoever remembers the sequence of the last commit
/// that it has dealt with goes on from there, in another process or after a crash too.
///
/// Commits are read from the log. Without `Options::history_bytes_max` its files are kept only
/// as long as the database needs them itself. Writers never wait for a follower: one that falls too
/// far behind is refused with the oldest commit that is left.
///
/// With `Options::history_bytes_max` a key that goes at its deadline, or makes room, is told of
/// too, once and in a commit of its own. kExpired comes some time after the deadline, and only if
/// nobody has written the key in between. Without a history the put, or the change of the deadline,
/// has told of it, and nothing tells of what makes room.
///
/// Threads:  externally synchronised; beside all calls of the `Db`.
/// Lifetime: must not outlive its `Db`.
class ChangeStream {
 public:
  /// Begins behind the commit `after`; 0 stands for the beginning of the database.
  ///
  /// Errors: kInvalidArgument  the database has no directory, or no commit `after` yet
  ///         kUnavailable      commits behind `after` are no longer kept: names the oldest
  ///         kClosed, kIo, kCorruption
  /// Cost:   reads up to one segment of the log, 64 MiB
  static Result<ChangeStream> open(Db& db, std::uint64_t after);

  /// Errors: kInvalidArgument  the database has no directory
  ///         kClosed, kIo, kCorruption
  static Result<ChangeBounds> bounds(Db& db);

  ChangeStream(ChangeStream&& other) noexcept;
  ChangeStream& operator=(ChangeStream&& other) noexcept;
  ~ChangeStream();

  /// The next commit; waits for one up to `wait`. Commits that were made with less than
  /// Durability::kDisk are brought to the disk for whoever waits here.
  ///
  /// Returns:  null when there was none in time. The commit lives until the next call
  /// Errors:   kUnavailable  it is no longer kept: names the oldest that is; or the log has failed
  ///           kClosed       the database was closed
  ///           kCorruption   what was durable cannot be read: names file and offset
  ///           kIo
  Result<const CommitChanges*> next(std::chrono::milliseconds wait = std::chrono::milliseconds(0));

 private:
  struct Impl;
  explicit ChangeStream(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;  // Null in a moved-from one.
};

/// Hands every commit behind `after` to `visit`, those that are still to come included, until
/// `stop` is asked for or `visit` fails.
///
/// Errors: those of `ChangeStream` and of `visit`
Result<void> follow_changes(Db& db, std::uint64_t after,
                            const std::function<Result<void>(const CommitChanges&)>& visit,
                            const std::stop_token& stop);

}  // namespace ashlar
