/// \file
/// What is in the committed directories of each on-disk format, and how it got there.
///
///     format_N/closed         a checkpoint and a log behind it, closed in order
///     format_N/killed         the same, and commits that only the ring has: copied while open
///     format_N/disk-closed    the same on the disk engine: tables in two levels, and a log
///     format_N/disk-killed    likewise
///     format_N/closed.text    the rows of `closed` as `ashlar dump` writes them
///     format_N/closed.binary  likewise, --form=binary
///     format_N/memory-backup  a backup with the rows of `killed`, of which the last are in its log
///     format_N/disk-backup    one of the disk engine, with those of `disk-closed`
///
/// `format_1_large_values` was written by the first version that keeps long values apart from the
/// tables of the disk engine; its directories have the format of `format_1`, which has none apart.
///
/// `make_fixture` writes them as this version does; what earlier ones wrote is never written again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "ashlar/db.h"
#include "db/access.h"
#include "os/manual_clock.h"

namespace ashlar::compat {

/// A key's value and deadline.
struct Stored {
  std::string value;
  std::int64_t deadline_ms = Expiry::kNeverMs;

  bool operator==(const Stored&) const = default;
};
using Rows = std::map<std::string, Stored>;

enum class Ending : std::uint8_t { kClosed, kKilled };

/// The year 3000: no test is meant to see these keys expire.
inline constexpr std::int64_t kFarMs = 32'503'680'000'000;

/// The moment at which the fixtures were written, as their clock had it: long ago on any machine.
inline constexpr std::int64_t kWrittenMs = 1'000'000'000'000;

/// Keys with every byte in them, values from none to more than a page.
std::string key_of(int i);
std::string value_of(int i);

/// What a directory with this ending holds.
Rows expected_rows(Ending ending);

/// The operations that lead to those rows, on an empty database in `directory`; then a copy of it
/// in `to`, without the file LOCK. Aborts where anything fails.
void write_directory(const std::filesystem::path& directory, Engine engine, Ending ending,
                     const std::filesystem::path& to);

/// The same operations, with the last ones while a backup is being made; that in `to`, without the
/// file LOCK.
void write_backup(const std::filesystem::path& directory, Engine engine,
                  const std::filesystem::path& to);

/// Every row of `db`.
Rows read_rows(const Db& db);

}  // namespace ashlar::compat
