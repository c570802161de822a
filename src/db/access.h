/// \file
/// A second door to `Db`, for tests and benches inside the house: the world that `Db::open` takes
/// from the system is handed in.
#pragma once

#include <cstdint>
#include <optional>

#include "ashlar/db.h"
#include "engine/storage_engine.h"
#include "log/local_log.h"
#include "lsm/engine/settings.h"
#include "os/clock.h"
#include "os/disk.h"

namespace ashlar::db {

/// What surrounds a database.
struct Environment {
  const os::Clock* clock = nullptr;  ///< Null: a `SystemClock`. Must outlive the database.
  std::uint64_t hash_seed = 0;       ///< 0: random, as it should be wherever keys are not trusted.
  bool has_background = true;        ///< False: nothing is reclaimed until `engine().maintain()`.
  os::Disk* disk = nullptr;          ///< Null: that of the system. Must outlive the database.
  log::LocalLogOptions log = {};     ///< `new_log_id` is drawn where `hash_seed` is.
  /// Of Engine::kDisk. Nothing: those that go with the memory budget.
  std::optional<lsm::EngineSettings> disk_engine = {};
};

/// A number that nobody can know who chooses keys, and that no other call has given; never 0.
///
/// Errors: kUnavailable  the system has no randomness to give
Result<std::uint64_t> random_seed();

struct Access {
  /// As `Db::open`, in `environment`. Errors: as `Db::open`.
  static Result<Db> open(const Options& options, const Environment& environment);

  /// The engine under `database`.
  static engine::StorageEngine& engine(Db& database) noexcept;

 private:
  static Result<void> open_parts(Db::Impl& impl, const Environment& environment,
                                 std::uint64_t seed);
  static Result<void> make_engine(Db::Impl& impl, const Environment& environment,
                                  std::uint64_t seed);
  static Result<void> open_journal(Db::Impl& impl, const Environment& environment,
                                   std::uint64_t seed);
};

}  // namespace ashlar::db
