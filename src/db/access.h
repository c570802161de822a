/// \file
/// A second door to `Db`, for tests and benches inside the house: the world that `Db::open` takes
/// from the system is handed in.
#pragma once

#include <cstdint>

#include "ashlar/db.h"
#include "engine/storage_engine.h"
#include "os/clock.h"

namespace ashlar::db {

/// What surrounds a database.
struct Environment {
  const os::Clock* clock = nullptr;  ///< Null: a `SystemClock`. Must outlive the database.
  std::uint64_t hash_seed = 0;       ///< 0: random, as it should be wherever keys are not trusted.
  bool has_background = true;        ///< False: nothing is reclaimed until `engine().maintain()`.
};

struct Access {
  /// As `Db::open`, in `environment`. Errors: as `Db::open`.
  static Result<Db> open(const Options& options, const Environment& environment);

  /// The engine under `database`.
  static engine::StorageEngine& engine(Db& database) noexcept;
};

}  // namespace ashlar::db
