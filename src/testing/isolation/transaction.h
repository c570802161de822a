/// \file
/// One transaction as those who ran it saw it: what it did, what it read, and how it ended. The
/// words that everything in this folder is said in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ashlar::testing {

/// What a read found where there is nothing. Never written or appended.
inline constexpr std::uint64_t kAbsent = 0;

/// The end of what had not ended when its process was killed, unless it is known by when it had.
inline constexpr std::uint64_t kNeverEnded = UINT64_MAX;

enum class OperationKind : std::uint8_t {
  kAppend,     ///< `value` goes to the end of the list `key`.
  kReadList,   ///< `elements`: the list `key`, empty when there is none.
  kWrite,      ///< The register `key` becomes `value`.
  kRead,       ///< `value`: the register `key`, kAbsent when there is none.
  kErase,      ///< The register `key` goes away.
  kReadRange,  ///< `found`: the registers with a key in [`key`, `last`), in the order of keys.
};

/// A register that a range read came upon.
struct FoundRegister {
  std::string key = {};
  std::uint64_t value = kAbsent;
};

/// One step of a transaction: planned, without what it reads, or as it came out.
///
/// A key is either a list or a register, all through a history. Keys are ordered by their bytes. A
/// value is written or appended at most once in a history, so that it tells who wrote it.
struct Operation {
  OperationKind kind = OperationKind::kRead;
  std::string key = {};
  std::string last = {};  ///< kReadRange: the bound, or empty for none.
  std::uint64_t value = kAbsent;
  std::vector<std::uint64_t> elements = {};
  std::vector<FoundRegister> found = {};
};

enum class Outcome : std::uint8_t {
  kCommitted,  ///< The commit was acknowledged.
  kAborted,    ///< Nothing of it may ever be seen.
  kUnknown,    ///< Killed while it committed: it took effect whole, or not at all.
};

/// Stamps are drawn from one clock that never goes back, for all sessions, in any unit.
struct Transaction {
  std::uint32_t session = 0;  ///< Transactions of one session follow one another.
  std::uint64_t begin = 0;    ///< Drawn before its first step,
  std::uint64_t end = 0;      ///< and after its outcome was known: at least `begin`.
  Outcome outcome = Outcome::kCommitted;
  std::vector<Operation> operations = {};  ///< In the order in which they were made.
};

}  // namespace ashlar::testing
