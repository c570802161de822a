/// \file
/// One run of random operations against a database and against the model, compared after each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/db.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"
#include "testing/model.h"
#include "testing/random.h"
#include "workload.h"

namespace ashlar::model {

/// Stops at the first difference, which it reports with the seed, the number of the operation and
/// the operation.
///
/// Under eviction the database may have lost any key at any time, but never holds a wrong value and
/// never gives back a key that it once said was gone.
class Run {
 public:
  Run(const Workload& workload, std::uint64_t seed);

  /// Runs all operations. Failures are those of the current test.
  void go();

 private:
  struct HeldSnapshot {
    std::uint64_t id;
    Snapshot snapshot;
    testing::Moment moment;
  };
  struct HeldScan {
    Iterator rows;
    Range range;
    testing::Moment moment;
    std::optional<std::uint64_t> snapshot_id;  // Absent: the scan took its own.
    std::optional<std::string> position;       // Where it stands; absent: nowhere.
  };
  struct Deadline {
    Expiry expiry;
    std::int64_t ms;  // What `expiry` means, worked out here.
  };

  // run.cc: the choice of operations, writes, time, the full comparison.
  void open();
  void step();
  void write_step(std::uint64_t choice);
  void put();
  void put_expiring();
  void erase();
  void expire();
  void persist();
  void write_batch();
  void put_and_compare(const std::string& key, const Deadline& deadline);
  void refused(const Error& error, const std::vector<std::string>& keys);
  void advance(std::int64_t by_ms);
  void settle();
  void audit();
  void audit_stats();
  void reopen();

  // run_reads.cc
  void read_step(std::uint64_t choice);
  void get(bool is_at_snapshot);
  void exists(bool is_at_snapshot);
  void time_to_live();
  void expiry_of();
  void multi_get(bool is_at_snapshot);
  void take_snapshot();
  void release_snapshot();
  void compare(const std::string& key, const std::optional<Value>& got,
               const HeldSnapshot* snapshot);
  void compare_latest(const std::string& key);
  const HeldSnapshot* some_snapshot(bool is_wanted);

  // run_scans.cc
  void scan_step(std::uint64_t choice);
  void open_scan();
  void move_scan();
  void close_scan(std::size_t index);
  void move_once(HeldScan& scan);
  void arrived(HeldScan& scan, const std::optional<std::string>& expected);
  void arrived_under_eviction(HeldScan& scan);
  std::optional<std::string> within(const Range& range, std::optional<std::string> key) const;
  void compare_all();
  Range some_range();

  void begin(const char* name, std::string key = {});
  void expect(bool is_right, std::string_view rule);
  std::string some_key() { return key_of(workload_.key_shape, random_.below(workload_.key_count)); }
  Deadline some_deadline();
  Deadline never() const { return {.expiry = Expiry::never(), .ms = testing::Model::kNever}; }

  // Set at construction.
  const Workload workload_;
  const std::uint64_t seed_;

  // The two that are compared, and the clock of both.
  os::ManualClock clock_;
  os::SimulatedDisk disk_;
  std::unique_ptr<testing::Model> model_;
  std::optional<Db> db_;
  std::vector<HeldSnapshot> snapshots_;
  std::vector<HeldScan> scans_;

  // Where the run is.
  testing::Random random_;
  std::uint64_t index_ = 0;
  std::uint64_t next_snapshot_id_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t refused_count_ = 0;
  std::uint64_t evicted_count_ = 0;
  std::uint64_t compaction_count_ = 0;
  bool is_ebb_ = false;
  bool has_failed_ = false;
  const char* operation_ = "open";
  std::string operation_key_;
};

}  // namespace ashlar::model
