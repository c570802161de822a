#include "bitrot_world.h"

#include <algorithm>
#include <set>

#include "base/assert.h"
#include "testing/forwarding_disk.h"

namespace ashlar::crash {
namespace {

// So many of a hundred steps are acknowledged at kDisk.
constexpr std::uint64_t kDurablePercent = 20;

constexpr std::size_t kKiB = 1024;

/// Remembers what files held, whenever one was written, renamed or cut.
class RecordingDisk final : public testing::ForwardingDisk {
 public:
  RecordingDisk(os::SimulatedDisk& below, std::uint64_t stride)
      : ForwardingDisk(below), disk_(below), stride_(stride) {}

  Handle open(const std::string& path, os::OpenMode mode) override {
    const Handle handle = ForwardingDisk::open(path, mode);
    if (handle >= 0) paths_[handle] = path;
    return handle;
  }
  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override {
    const ssize_t written = ForwardingDisk::write(handle, from, bytes, offset);
    if (++write_count_ % stride_ == 0) remember(paths_.at(handle));
    return written;
  }
  int rename(const std::string& from, const std::string& to) override {
    const int done = ForwardingDisk::rename(from, to);
    remember(to);
    return done;
  }

  /// To be called for files that are written through a mapping.
  void remember(const std::string& path) {
    std::vector<std::string>& versions = history_[path];
    std::string now = disk_.read_all(path);
    if (versions.empty() || versions.back() != now) versions.push_back(std::move(now));
  }

  FileHistory& history() noexcept { return history_; }

 private:
  os::SimulatedDisk& disk_;
  const std::uint64_t stride_;
  std::uint64_t write_count_ = 0;
  std::map<Handle, std::string> paths_;
  FileHistory history_;
};

/// Runs a script step by step, and keeps the state after each.
class Builder {
 public:
  Builder(const WorldPlan& plan, std::uint64_t seed, const os::Clock& later)
      : plan_(plan), later_(later), script_(seed, kDurablePercent) {
    world_.plan = &plan;
    world_.disk = std::make_unique<os::SimulatedDisk>();
    world_.states.push_back(fingerprint_of(state_));
    recording_ = std::make_unique<RecordingDisk>(*world_.disk, plan.history_stride);
  }

  World build() {
    open();
    write(plan_.steps_before / 2);
    make_checkpoint();
    write(plan_.steps_before - plan_.steps_before / 2);
    make_checkpoint();
    write(plan_.steps_after);
    finish();
    collect();
    return std::move(world_);
  }

 private:
  void open() {
    auto opened = open_at(*recording_, is_over_ ? later_ : clock_, plan_.setting);
    ASHLAR_ASSERT(opened.has_value(), "a disk without faults can be opened");
    db_.emplace(std::move(*opened));
  }

  void write(std::uint64_t count) {
    constexpr std::uint64_t kStepsPerMaintenance = 16;
    for (std::uint64_t i = 0; i < count; ++i) {
      write(script_.next());
      const bool has_tables = plan_.setting.engine == Engine::kDisk;
      if (has_tables && i % kStepsPerMaintenance == 0) db::Access::engine(*db_).maintain();
    }
  }

  void write(Script::Step step) {
    step.makes_checkpoint = false;  // They are made where the plan says.
    ASHLAR_ASSERT(run_step(*db_, step), "a step on a disk without faults is acknowledged");
    apply_step(state_, step);
    world_.states.push_back(fingerprint_of(state_));
    if (step.durability == Durability::kDisk) world_.durable_count = world_.states.size() - 1;
    if (plan_.history_stride == 1) recording_->remember("/data/log/ring");
  }

  void make_checkpoint() {
    ASHLAR_ASSERT(db_->checkpoint().has_value(), "a checkpoint on a disk without faults is made");
  }

  /// One more commit, at kDisk.
  void write_last(std::size_t value_bytes) {
    Script::Step step;
    step.writes["last"] = std::string(value_bytes, 'l');
    step.durability = Durability::kDisk;
    write(std::move(step));
  }

  void finish() {
    if (plan_.ending == Ending::kKilledDurable) write_last(100);
    if (plan_.ending == Ending::kKilledLong) write_last(2 * plan_.setting.ring_bytes);
    if (plan_.ending == Ending::kClosed) {
      ASHLAR_ASSERT(db_->close().has_value(), "a disk without faults can be closed");
      world_.durable_count = world_.states.size() - 1;
    }
    kill();
    if (plan_.ending != Ending::kReopened) return;
    open();
    kill();
    world_.durable_count = world_.states.size() - 1;  // Opening made durable what it found.
  }

  void kill() {
    // What a killed process no longer does must not reach the files.
    world_.disk->crash_process();
    db_.reset();
    is_over_ = true;
  }

  void collect() {
    const std::set<std::string> folders{"log", "checkpoint", "tables", "values"};
    for (const char* directory :
         {"/data", "/data/log", "/data/checkpoint", "/data/tables", "/data/values"}) {
      std::vector<std::string> names;
      if (world_.disk->list(directory, names) < 0) continue;  // Of the other engine.
      std::ranges::sort(names);
      for (const std::string& name : names) {
        if (!folders.contains(name)) world_.paths.push_back(std::string(directory) + "/" + name);
      }
    }
    world_.last = state_;
    for (auto& [path, versions] : recording_->history()) {
      if (std::ranges::find(world_.paths, path) == world_.paths.end()) continue;
      std::erase(versions, world_.disk->read_all(path));
      world_.history.emplace(path, std::move(versions));
    }
    count_in_segments();
  }

  /// What is there when the ring has nothing. C2: not less than was acknowledged at kDisk.
  void count_in_segments() {
    const auto twin = world_.disk->clone();
    clear(*twin, "/data/log/ring");
    auto db = open_at(*twin, later_, plan_.setting);
    ASHLAR_ASSERT(db.has_value(), "a directory with an empty ring can be opened");
    // The last state that fits: a commit may have changed nothing.
    const std::uint64_t found = fingerprint_of(read_state(*db));
    world_.segments_count = world_.states.size();
    while (world_.segments_count-- > 0 && world_.states[world_.segments_count] != found) continue;
    ASHLAR_ASSERT(world_.segments_count < world_.states.size(), "a state is there that once was");
    ASHLAR_ASSERT(world_.segments_count >= world_.durable_count,
                  "what was acknowledged at kDisk is in the segments");
  }

  static void clear(os::Disk& disk, const std::string& path) {
    const auto file = os::File::open(disk, path, os::OpenMode::kReadWrite);
    ASHLAR_ASSERT(file.has_value() && *file != nullptr, "what is cleared is there");
    const std::string zeros((*file)->size().value(), '\0');
    ASHLAR_ASSERT((*file)->write(0, zeros).has_value(), "a disk without faults writes");
  }

  const WorldPlan& plan_;
  const os::ManualClock clock_;
  const os::Clock& later_;
  bool is_over_ = false;
  Script script_;
  State state_;
  World world_;
  std::unique_ptr<RecordingDisk> recording_;
  std::optional<Db> db_;
};

}  // namespace

const std::vector<WorldPlan>& world_plans() {
  constexpr Setting kSmall{.segment_bytes = 8 * kKiB, .ring_bytes = 16 * kKiB};
  constexpr Setting kWide{.segment_bytes = 256 * kKiB, .ring_bytes = 64 * kKiB};
  constexpr Setting kTables{
      .engine = Engine::kDisk, .segment_bytes = 8 * kKiB, .ring_bytes = 16 * kKiB};
  constexpr Setting kWideTables{
      .engine = Engine::kDisk, .segment_bytes = 256 * kKiB, .ring_bytes = 64 * kKiB};
  static const std::vector<WorldPlan> plans = {
      {"closed", Ending::kClosed, kSmall, 80, 80, 1},
      {"killed", Ending::kKilled, kSmall, 80, 80, 1},
      {"killed-durable", Ending::kKilledDurable, kSmall, 80, 80, 1},
      {"killed-long", Ending::kKilledLong, kSmall, 80, 30, 1},
      {"reopened", Ending::kReopened, kSmall, 80, 80, 1},
      {"wide-closed", Ending::kClosed, kWide, 3000, 3000, 50},
      {"wide-killed", Ending::kKilled, kWide, 3000, 3000, 50},
      {"disk-closed", Ending::kClosed, kTables, 300, 80, 1},
      {"disk-killed", Ending::kKilled, kTables, 300, 80, 1},
      {"disk-killed-durable", Ending::kKilledDurable, kTables, 300, 80, 1},
      {"disk-reopened", Ending::kReopened, kTables, 300, 80, 1},
      {"disk-wide-killed", Ending::kKilled, kWideTables, 3000, 1000, 50},
  };
  return plans;
}

World make_world(const WorldPlan& plan, std::uint64_t seed, const os::Clock& later) {
  return Builder(plan, seed, later).build();
}

}  // namespace ashlar::crash
