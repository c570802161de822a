/// \file
/// The subcommands of `ashlar`, one function each. What they print is described in
/// docs/guides/tools.md; dumps in docs/formats/dump.md.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "ashlar/backup.h"
#include "ashlar/options.h"
#include "cli/streams.h"
#include "os/disk.h"

namespace ashlar::cli {

/// Looks at every file in `directory` and prints each damage as "path: offset N: what".
ExitStatus run_check(os::Disk& disk, const std::string& directory, const Streams& streams);

enum class RepairRun : std::uint8_t { kDry, kReal };

/// Makes a damaged directory one that opens, and prints what was kept, moved aside and lost.
ExitStatus run_repair(os::Disk& disk, const std::string& directory, RepairRun run,
                      const Streams& streams);

enum class InfoForm : std::uint8_t { kText, kJson };

/// Prints what is in `directory`, from its files.
ExitStatus run_info(os::Disk& disk, const std::string& directory, InfoForm form,
                    const Streams& streams);

enum class DumpForm : std::uint8_t { kText, kBinary };

struct DumpArguments {
  std::string directory;
  DumpForm form = DumpForm::kText;
  std::string output;  ///< A file; empty: the standard output.
};

/// Writes every row, in the order of keys.
ExitStatus run_dump(os::Disk& disk, const DumpArguments& arguments, const Streams& streams);

struct LoadArguments {
  std::string directory;
  std::optional<DumpForm> form;  ///< Absent: as the dump begins.
  std::string input;             ///< A file; empty: the standard input.
  Durability durability = Durability::kDisk;
};

/// Stores every row of a dump that has not expired. A dump in a file is read through first, so that
/// a damaged one changes nothing; of one that comes by a pipe rows may have been stored before the
/// damage is met.
ExitStatus run_load(os::Disk& disk, const LoadArguments& arguments, const Streams& streams);

struct ConvertArguments {
  std::string directory;
  Engine to = Engine::kDisk;
  std::string output;  ///< A directory that is not there, or empty; empty: DIR.disk or DIR.memory.
};

/// Makes a directory of the other engine with all rows, reads it back and compares. It has its name
/// only when that was right; the rows of the source stay as they are.
ExitStatus run_convert(os::Disk& disk, const ConvertArguments& arguments, const Streams& streams);

/// Merges all tables of `directory`, and tells meanwhile how far it is.
ExitStatus run_compact(os::Disk& disk, const std::string& directory, const Streams& streams);

/// Of the commands that make one directory of another.
struct CopyArguments {
  std::string from;
  std::string to;
};

/// Makes a backup of the database `from`, which nobody has open, in the directory `to`.
ExitStatus run_backup(os::Disk& disk, const CopyArguments& arguments, const Streams& streams);

/// Looks at every byte of a backup and prints each damage as "path: offset N: what".
ExitStatus run_verify(os::Disk& disk, const std::string& backup, const Streams& streams);

/// Makes the database `options.directory`, which is not there, or empty, of a backup and of what is
/// behind it in a log.
ExitStatus run_restore(os::Disk& disk, const RestoreOptions& options, const Streams& streams);

/// Takes a commit by its number, or a moment like "2026-03-01T12:00:00.250Z", for the last that is
/// restored. Returns: what is wrong with it; empty when nothing is
std::string take_restore_goal(const std::string& words, RestoreOptions& options);

enum class ChangesForm : std::uint8_t { kText, kJson };

struct ChangesArguments {
  std::string directory;
  std::optional<std::uint64_t> after;  ///< A commit; absent: from the oldest on that there is.
  ChangesForm form = ChangesForm::kText;
  bool is_following = false;  ///< Waits for commits that are still to come, without an end.
  std::uint64_t count_max = std::numeric_limits<std::uint64_t>::max();  ///< Of commits.
};

/// Prints the commits of `directory` that are durable, from the files of its log, whoever has it
/// open.
ExitStatus run_changes(os::Disk& disk, const ChangesArguments& arguments, const Streams& streams);

}  // namespace ashlar::cli
