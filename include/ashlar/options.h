/// \file
/// How a database is opened. Every field has a default that suits most uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ashlar {

/// The longest key that any database takes, in bytes.
inline constexpr std::size_t kKeyBytesHardMax = 65'535;
/// The longest value that any database takes, in bytes: 512 MiB.
inline constexpr std::size_t kValueBytesHardMax = std::size_t{512} << 20U;
/// The most that one batch may hold, keys and values together, in bytes: 1 GiB.
inline constexpr std::size_t kBatchBytesHardMax = std::size_t{1} << 30U;
/// The smallest and the largest memory budget, in bytes: 4 MiB and 1 TiB.
inline constexpr std::size_t kMemoryBudgetBytesMin = std::size_t{4} << 20U;
inline constexpr std::size_t kMemoryBudgetBytesMax = std::size_t{1} << 40U;
/// The smallest memory budget of a database that is larger than memory, in bytes: 32 MiB.
inline constexpr std::size_t kDiskMemoryBudgetBytesMin = std::size_t{32} << 20U;

/// Where the rows of a database are. The answers of both are the same.
enum class Engine : std::uint8_t {
  kMemory,  ///< All in memory; a directory holds a log and checkpoints of it.
  kDisk,    ///< In sorted tables in the directory; memory holds the newest and what is read often.
};

/// How tables are compressed. What does not shrink by an eighth is stored as it is.
enum class TableCompression : std::uint8_t {
  kNone,
  kLz4,   ///< Fast: reads cost some 10 % more.
  kZstd,  ///< Small: the last level with a dictionary of its own, the first ones as kLz4.
};

/// What happens when a write would exceed the memory budget.
enum class MemoryPolicy : std::uint8_t {
  kRefuse,  ///< The write fails with kOutOfSpace and nothing of it happens. Erasing still works.
  kEvict,   ///< Keys that are not being used make room (S3-FIFO). With a directory the log hears of
            ///< it only where `history_bytes_max` keeps one: else such a key may be there again
            ///< after the next opening.
};

/// What a write survives once it has been acknowledged. Means something only for a database with a
/// directory; all its writes go through one log, so what survives is always everything up to some
/// commit and nothing after.
enum class Durability : std::uint8_t {
  kNone,     ///< Nothing is promised.
  kProcess,  ///< The end of the process, however it comes: kill -9, a crash of the application.
  kDisk,     ///< Also the end of the machine: a power cut, a crash of the operating system.
};

/// Settings of one database, read once by `Db::open`.
struct Options {
  /// Where the database is kept: a directory, made if it is missing; the one above must exist.
  /// Default: empty, which means nowhere: the database lives in memory and ends with the `Db`.
  std::string directory = {};

  /// Where the rows are. A directory keeps the engine it was made with, and is not opened with the
  /// other. Default: kMemory. kDisk needs a directory.
  Engine engine = Engine::kMemory;

  /// Of Engine::kDisk: how tables are compressed that are written from now on. Default: kLz4.
  TableCompression table_compression = TableCompression::kLz4;

  /// The longest key taken. Unit: bytes. Range: 1 to kKeyBytesHardMax. Default: 1 KiB.
  /// Longer keys cost memory in every ordered structure and time in every comparison.
  std::size_t key_bytes_max = 1024;

  /// The longest value taken. Unit: bytes. Range: 0 to kValueBytesHardMax. Default: 1 MiB.
  /// A read copies the value, so long ones cost time and memory in the caller as well.
  std::size_t value_bytes_max = std::size_t{1} << 20U;

  /// The most memory the database may hold: records, index, ordered side, bookkeeping. Unit: bytes.
  /// Range: kMemoryBudgetBytesMin to kMemoryBudgetBytesMax. Default: 1 GiB. Memory is taken from
  /// the system in steps of up to 2 MiB as it is needed, not at once. With Engine::kDisk at least
  /// kDiskMemoryBudgetBytesMin: a sixteenth is a memtable, and what is left caches tables.
  std::size_t memory_budget_bytes = std::size_t{1} << 30U;

  /// How much of the log is kept beyond what the database itself needs, for those who follow its
  /// changes (ashlar/changes.h) or restore it as it was at a moment. Unit: bytes of files. Default:
  /// 0: nothing more is kept, and what was kept by earlier openings, in the folder `history`, stays
  /// as it is; when the log has gone on without it the next opening with a history removes it.
  /// Segments of 64 MiB are kept whole. With a history the log also tells of every key that goes at
  /// its deadline or makes room: some 60 bytes and the key.
  std::uint64_t history_bytes_max = 0;

  /// Whether the history also tells what each key had before it was put or erased. Every write then
  /// reads first and commits as a transaction does, which takes some times as long. Default: false.
  /// Only with `history_bytes_max`.
  bool history_has_old_values = false;

  /// Beyond this age what is kept may go too, though `history_bytes_max` would have room. Looked at
  /// when the log gives up a segment. Unit: milliseconds. Default: 0, which means whatever its age.
  std::int64_t history_age_ms_max = 0;

  /// What happens at the memory budget. Default: kRefuse; with Engine::kDisk nothing else, since
  /// rows leave memory for the disk.
  MemoryPolicy memory_policy = MemoryPolicy::kRefuse;
};

}  // namespace ashlar
