/// \file
/// The steps of the demo, in the order in which `main` takes them. Each prints what it does; each
/// returns an error when the database fails or does not do what its contract says.
///
/// Errors: those of the calls to the database; kCorruption when an answer is not what it must be
#pragma once

#include <string>
#include <string_view>

#include "ashlar/db.h"
#include "catalogue.h"
#include "home.h"
#include "terminal.h"

namespace demo {

/// What every step works with. All of it outlives the step.
struct Stage {
  ashlar::Db& db;
  const Home& home;
  const Catalogue& catalogue;
  Terminal& terminal;
  std::size_t stored_count;  ///< Records that a process stored before it was killed.
};

/// How the database of the demo is opened. Keys of a catalogue are some tens of bytes and its
/// longest records some tens of KiB, so that the limits are ample; the largest catalogues of today
/// take about a tenth of the budget.
inline ashlar::Options demo_options(const std::string& directory) {
  return {.directory = directory,
          .key_bytes_max = 512,
          .value_bytes_max = std::size_t{1} << 20U,
          .memory_budget_bytes = std::size_t{1} << 30U};
}

/// Lets a child process store records until it is killed. No thread may run beside this one.
///
/// Returns: how many it was told are stored
ashlar::Result<std::size_t> lose_process(const Catalogue& catalogue, const std::string& directory,
                                         Terminal& terminal);

/// Shows that what the lost process was told is there, and nothing else but a record under way.
ashlar::Result<void> prove_survival(const Stage& stage);

/// Stores every other record under its key, in batches.
ashlar::Result<void> load_records(const Stage& stage);

/// Reads records in random order, one at a time and several at once.
ashlar::Result<void> read_points(const Stage& stage);

/// Walks all keys with one prefix, forward and backward.
ashlar::Result<void> scan_prefix(const Stage& stage);

/// Holds a snapshot while a second thread updates and removes keys, then puts them back.
ashlar::Result<void> hold_snapshot(const Stage& stage);

/// Stores keys with short lives and watches them go.
ashlar::Result<void> watch_expiry(const Stage& stage);

/// Writes what is too long, and into a database that is full.
ashlar::Result<void> exceed_limits(const Stage& stage);

/// Says where the memory went.
ashlar::Result<void> report_memory(const Stage& stage);

/// Makes a checkpoint, says what the directory takes, and opens the database again.
ashlar::Result<void> make_checkpoint(const Stage& stage);

/// Changes one byte of one record in the database. The step after this one must find it.
ashlar::Result<void> corrupt_one(const Stage& stage);

/// Compares every record with the source, by point reads and by one scan over everything.
ashlar::Result<void> verify_records(const Stage& stage);

/// The error of a step that found the database in the wrong.
inline std::unexpected<ashlar::Error> wrong(std::string message) {
  return std::unexpected(ashlar::Error(ashlar::ErrorCode::kCorruption, std::move(message)));
}

}  // namespace demo
