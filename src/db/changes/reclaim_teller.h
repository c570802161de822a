/// \file
/// Puts into the log what an engine reclaims, for those who follow it.
///
///     a key past its deadline, or in the way  --append, its bucket locked-->  log  --then-->  gone
///
/// While the log is replayed nothing can be appended to it. An engine that has less memory than the
/// one that wrote the log may have to let keys go then: those are noted, forgotten when a commit
/// behind brings them back or tells of them, and told once the log is whole.
///
/// Invariants:
///   J6  That a key was reclaimed lies in the log behind the commit that it ends, and before every
///       later commit of the key. It is there once for each time that a key went so, over crashes
///       too; of a key that was written after its deadline, and before it went, not at all.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "base/thread_safety.h"
#include "engine/reclaim_log.h"
#include "log/log.h"
#include "os/clock.h"

namespace ashlar::db {

/// Threads:  thread-safe; `forget` and `go_live` belong to the one that opens the database.
/// Lifetime: `clock` must outlive it, and so must the log that it goes live with.
class ReclaimTeller final : public engine::ReclaimLog {
 public:
  /// May throw std::bad_alloc.
  explicit ReclaimTeller(const os::Clock& clock);

  bool append(engine::Reclaimed why, std::string_view key) noexcept override;
  bool make_room() noexcept override;

  /// A replayed commit has written `key`.
  void forget(std::string_view key) noexcept;

  /// Ends the replay: tells of what has gone meanwhile and is not told of in `log`.
  ///
  /// Errors: those of Log::make_room
  Result<void> go_live(log::Log& log);

 private:
  using Notes = std::map<std::string, engine::Reclaimed, std::less<>>;

  bool note(engine::Reclaimed why, std::string_view key) noexcept ASHLAR_REQUIRES(mutex_);
  log::Appended append_to(log::Log& log, engine::Reclaimed why, std::string_view key) noexcept
      ASHLAR_REQUIRES(mutex_);
  Result<void> tell(log::Log& log, engine::Reclaimed why, std::string_view key);

  const os::Clock& clock_;

  // A leaf but for the locks of the log: taken with buckets locked, and held for an append.
  base::Mutex mutex_;
  std::string payload_ ASHLAR_GUARDED_BY(mutex_);            // With room for the longest.
  Notes notes_ ASHLAR_GUARDED_BY(mutex_);                    // While the log is replayed.
  log::Log* log_ ASHLAR_GUARDED_BY(mutex_) = nullptr;        // Null until then.
  std::size_t refused_bytes_ ASHLAR_GUARDED_BY(mutex_) = 0;  // Of the payload refused last.
};

}  // namespace ashlar::db
