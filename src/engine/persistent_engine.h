/// \file
/// An engine that keeps its rows in files of its own, beside the log: the log is then needed only
/// for what has not got into those files yet.
///
/// Invariants (kept by every such engine):
///   V18  What its files hold is every commit before `flushed_place`, and of those behind it none
///        that replaying them would not make again.
///   V37  As long as files are held, none of them is removed or changed.
#pragma once

#include <memory>
#include <string>

#include "ashlar/result.h"
#include "engine/large_values.h"
#include "engine/log_place.h"
#include "engine/storage_engine.h"

namespace ashlar::engine {

/// The log, as far as such an engine deals with it.
///
/// Threads: thread-safe.
class LogControl {
 public:
  LogControl() = default;
  LogControl(const LogControl&) = delete;
  LogControl& operator=(const LogControl&) = delete;

  /// Behind the last commit that was appended.
  virtual LogPlace end() const = 0;

  /// Returns once everything before `place` survives a power cut.
  ///
  /// Errors: kUnavailable  the log is poisoned
  virtual Result<void> make_durable(const LogPlace& place) = 0;

  /// Gives up the log before `place`, which the engine's files durably stand for.
  ///
  /// Errors: kIo
  virtual Result<void> release_before(const LogPlace& place) = 0;

 protected:
  ~LogControl() = default;
};

/// Who does the work of the background: writing memory out, merging files.
enum class Background : std::uint8_t {
  kThreads,  ///< Threads of the engine.
  kCallers,  ///< Writers, when memory is full, and `maintain`: for tests that own the order.
};

/// The files that stand for what an engine held at one moment, to be copied.
///
/// Threads:  confined; it may go in another thread than it came.
/// Lifetime: the engine must outlive it.
class HeldFiles {
 public:
  HeldFiles() = default;
  HeldFiles(const HeldFiles&) = delete;
  HeldFiles& operator=(const HeldFiles&) = delete;
  virtual ~HeldFiles() = default;

  /// The list of them, in the form in which the engine keeps it: docs/formats/manifest.md.
  virtual std::string list() const = 0;
};

/// Opened, then given the commits behind `flushed_place` by `apply` and `expire` without a log,
/// then started, used, stopped.
///
/// Threads: thread-safe once started.
class PersistentEngine : public StorageEngine, public ValueReferrer {
 public:
  /// Where the log goes on for this engine.
  virtual LogPlace flushed_place() const = 0;

  /// Ends the replay of the log.
  ///
  /// Errors:   kUnavailable  the system refuses a thread
  /// Lifetime: `log` must stay until `stop`
  virtual Result<void> start(LogControl& log, Background background) = 0;

  /// Writes all that was committed before the call to the engine's files, and gives up the log
  /// before it.
  ///
  /// Errors: kIo, kOutOfSpace, kUnavailable  of a file or the log, which the message names; nothing
  ///                                         is lost
  virtual Result<void> flush() = 0;

  /// Holds the files of the present moment: after `flush` they have all that it has written.
  ///
  /// Cost: no I/O
  virtual std::unique_ptr<HeldFiles> hold_files() = 0;

  /// Merges the engine's files until nothing erased, replaced or expired by now takes space in them
  /// that no snapshot needs.
  ///
  /// Errors: as `flush`
  virtual Result<void> compact() = 0;

  /// Ends what runs in the background. Called before the log goes; no write may follow.
  virtual void stop() noexcept = 0;
};

}  // namespace ashlar::engine
