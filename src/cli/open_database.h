/// \file
/// Opens a database for a command, which takes whatever is in it.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "ashlar/db.h"
#include "base/memory/reservation.h"
#include "db/directory.h"

namespace ashlar::cli {

/// The budget for rows on disk: it bounds the cache, and is not less than the longest value needs.
inline constexpr std::size_t kDiskBudgetBytes = std::size_t{4} << 30U;

/// The widest budget for rows in memory that the system has address space for, which an engine in
/// memory maps twelve times its budget of. Often there is less than the most that an option may
/// ask for: under a limit of the process (`ulimit -v`), or beside what else is mapped.
inline std::size_t widest_memory_budget() noexcept {
  constexpr std::size_t kMappedTimes = 16;
  std::size_t bytes = kMemoryBudgetBytesMax;
  while (bytes > kMemoryBudgetBytesMin && !base::Reservation::make(kMappedTimes * bytes)) {
    bytes /= 2;
  }
  return bytes;
}

/// With the widest limits: what a database holds it was allowed to hold, whatever was set then.
///
/// Input:  engine_of_new  of a directory that has to be made; others are opened as what they are
/// Errors: as `Db::open`
inline Result<Db> open_database(os::Disk& disk, const std::string& directory,
                                Engine engine_of_new = Engine::kMemory) {
  Options options;
  options.directory = directory;
  ASHLAR_TRY_ASSIGN(const std::optional<Engine> engine, db::engine_of(disk, directory));
  options.engine = engine.value_or(engine_of_new);
  options.key_bytes_max = kKeyBytesHardMax;
  options.value_bytes_max = kValueBytesHardMax;
  options.memory_budget_bytes =
      options.engine == Engine::kDisk ? kDiskBudgetBytes : widest_memory_budget();
  // A history that is kept goes on, whatever part of it was asked for.
  std::vector<std::string> names;
  const std::string history = directory + "/" + std::string(db::kHistoryFolder);
  if (disk.list(history, names) == 0) {
    options.history_bytes_max = std::numeric_limits<std::uint64_t>::max();
  }
  return Db::open(options);
}

/// What the system says about the last call.
inline Error system_error(const std::string& what) {
  return {ErrorCode::kIo, what + ": " + std::generic_category().message(errno)};
}

}  // namespace ashlar::cli
