/// \file
/// One list of operations on its way into the index. Its phases are in write.cc.
///
/// What is declared inline has one caller there and is compiled into it: as calls, batches of ten
/// puts took 4 % more instructions.
///
/// Threads: confined to the thread that writes, which holds its `Local`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "memory/engine_core.h"

namespace ashlar::memory {

/// One operation on its way into the index.
struct Pending {
  const engine::Operation* operation = nullptr;
  std::uint64_t hash = 0;
  std::size_t index = 0;
  Bucket* root = nullptr;
  SlotPlace place;
  Record record;  // The version to install; null until made, or for an erase that needs none.
  Record old;     // What it replaces.
  KeyNode* note = nullptr;  // For the ordered side, should the key be new.
  bool is_erase = false;
  bool is_superseded = false;  // A later operation of the list has the same key.
  bool frees_old = false;
  bool frees_chain = false;  // The versions behind `old` as well.
};

/// Takes one operation list through its phases. What was prepared and not installed is given back
/// when the run ends, however it ends.
class WriteRun {
 public:
  WriteRun(MemoryEngine& engine, Local& local, std::span<Pending> list,
           engine::Commit* commit) noexcept
      : engine_(engine),
        table_(*engine.parts_.table),
        local_(local),
        list_(list),
        commit_(commit) {}
  WriteRun(const WriteRun&) = delete;
  WriteRun& operator=(const WriteRun&) = delete;
  ~WriteRun() { discard_prepared(); }

  Result<std::size_t> run(std::span<const engine::Operation> operations) {
    start(operations);
    while (true) {
      // The destructor gives back what the operations before the one that failed have got.
      if (!prepare()) return std::unexpected(engine_.refuse(local_));
      lock_all();
      const Outcome outcome = install_all();
      unlock_all(outcome == Outcome::kDone);
      if (outcome == Outcome::kDone) break;
      discard_prepared();
      if (outcome == Outcome::kRefused) return std::unexpected(MemoryEngine::refused_by_log());
      if (outcome == Outcome::kNoMemory && !engine_.make_room(local_)) {
        return std::unexpected(engine_.refuse(local_));
      }
    }
    finish();
    return found_count_;
  }

 private:
  /// How a turn under the locks ended. kNoMemory: the index has no overflow buckets; kRefused: the
  /// log said no; kAgain: something must be prepared that was not. Only kDone has changed anything.
  enum class Outcome : std::uint8_t { kDone, kNoMemory, kRefused, kAgain };

  void start(std::span<const engine::Operation> operations) noexcept;
  bool prepare();
  bool reserve_queues();
  inline bool prepare_one(Pending& pending);
  void discard_prepared() noexcept;
  void lock_all() noexcept;
  bool try_lock_all() noexcept;
  void unlock_all(bool has_changed) noexcept;
  Outcome install_all() noexcept;
  void find_all() noexcept;
  bool has_notes_for(std::uint32_t era) const noexcept;
  std::size_t overflow_need() const noexcept;
  bool has_versions_for(Sequence newest) const noexcept;
  inline void install(Pending& pending) noexcept;
  inline void install_put(Pending& pending) noexcept;
  inline void install_erase(Pending& pending) noexcept;
  bool link_older(Pending& pending) noexcept;
  void finish() noexcept;

  MemoryEngine& engine_;
  HashTable& table_;
  Local& local_;
  std::span<Pending> list_;
  engine::Commit* commit_;          // Null when no log is to hear of it.
  bool keeps_versions_ = false;     // Snapshots are held: records get room for a link.
  bool makes_notes_ = false;        // Somebody scans: new keys are noted.
  std::size_t overflow_count_ = 0;  // Reserved and not yet taken.
  Sequence stamp_ = 0;
  Sequence newest_live_ = 0;
  std::size_t found_count_ = 0;
  std::int64_t added_slot_count_ = 0;
  TimeMs earliest_deadline_ms_ = engine::kNever;
};

}  // namespace ashlar::memory
