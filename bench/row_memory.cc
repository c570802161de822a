// The row of memory: what a key costs by the store's own count, with the kernel's beside it.

#include <cstdint>

#include "backend_ashlar.h"
#include "keys.h"
#include "process_memory.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

// Taken with INFO memory on Redis 7.0.15, 1 M keys of 16 and values of 100 bytes.
constexpr double kRedisBytesPerKey = 202;

double memory_bytes(const Db& db) {
  const auto stats = db.stats();
  return stats ? static_cast<double>(stats->memory_bytes) : 0;
}

}  // namespace

RowOutcome run_bytes_per_key(const Row& row, const Settings& /*settings*/) {
  const double resident_before = resident_bytes();
  AshlarBackend store(kKeyCount);
  const double counted_before = memory_bytes(store.db());
  RowOutcome outcome;
  outcome.wrong_count = load(store, kKeyCount);
  outcome.wrong_of = AshlarBackend::kName;

  constexpr auto kKeys = static_cast<double>(kKeyCount);
  const double ours = (memory_bytes(store.db()) - counted_before) / kKeys;
  const double resident = (resident_bytes() - resident_before) / kKeys;
  if (ours < static_cast<double>(kKeyBytes + kValueBytes)) ++outcome.wrong_count;
  outcome.results.push_back({.name = std::string(row.name),
                             .ours = ours,
                             .peer = "redis 7.0",
                             .peer_value = kRedisBytesPerKey,
                             .unit = "B",
                             .ratio = kRedisBytesPerKey / ours,
                             .must = row.must,
                             .aim = row.aim,
                             .goal = Goal::kOursAtMost,
                             .note = "resident memory grew by " + fixed(resident, 1) + " B a key"});
  return outcome;
}

}  // namespace ashlar::bench
