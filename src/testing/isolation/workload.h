/// \file
/// Which transactions to run so that their history shows much: unique values, few hot keys, reads
/// before writes, and new keys all the time, so that ranges miss some.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "testing/isolation/transaction.h"
#include "testing/random.h"

namespace ashlar::testing {

/// Shares are in percent. What is left of a hundred is reads and writes of registers.
struct WorkloadShape {
  std::uint32_t list_count = 8;
  std::uint32_t register_count = 24;
  std::uint32_t hot_count = 2;    ///< So many of the lists, and of the registers,
  std::uint32_t hot_share = 40;   ///< get this share of what is asked of single keys.
  std::uint32_t operations = 6;   ///< At most, of a transaction; a read before a write is one more.
  std::uint32_t list_share = 40;  ///< Of operations: on lists,
  std::uint32_t range_share = 8;  ///< reads of ranges.
  std::uint32_t range_keys = 6;   ///< At most, in a range.
  std::uint32_t read_only_share = 20;   ///< Of transactions.
  std::uint32_t read_first_share = 75;  ///< Of writes and erasures: preceded by a read of the key.
  std::uint32_t erase_share = 30;       ///< Of writes to keys that are ever erased: every eighth.

  /// After so many transactions a thread goes on to new keys: lists stay short, and registers are
  /// inserted again.
  std::uint32_t transactions_a_generation = 100;
};

/// Whose transactions are planned.
struct WorkloadThread {
  std::uint64_t seed = 0;
  std::uint32_t thread = 0;  ///< Below `thread_count`.
  std::uint32_t thread_count = 1;

  /// The thread goes on from its transaction of this number, for a round after others: neither keys
  /// nor values come again.
  std::uint64_t first_transaction = 0;
};

/// Plans the transactions of one thread. The same thread, seed and shape make the same ones.
///
/// Threads: confined to its thread; workloads share nothing.
class Workload {
 public:
  Workload(const WorkloadShape& shape, const WorkloadThread& thread);

  /// The next transaction, at least one operation, without answers.
  std::vector<Operation> next();

 private:
  enum class Access : std::uint8_t { kReadOnly, kAny };

  void add_any(Access access, std::vector<Operation>& planned);
  void add_to_list(Access access, std::vector<Operation>& planned);
  void add_to_register(Access access, std::vector<Operation>& planned);
  void add_range(std::vector<Operation>& planned);
  std::uint32_t pick(std::uint32_t count);
  std::string key_name(char kind, std::uint64_t index) const;
  std::uint64_t new_value();

  WorkloadShape shape_;
  WorkloadThread thread_;
  Random random_;
  std::uint64_t transaction_count_;
  std::uint64_t value_count_ = 0;  // Of the transaction that is planned.
};

}  // namespace ashlar::testing
