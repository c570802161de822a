/// \file
/// One file of a SimulatedDisk: what a reader sees of it, and what a power cut would leave.
///
///     now      what readers see; the memory of a mapping is this memory itself
///     durable  what is on the medium
///
/// A sector is *dirty* when `now` may differ from `durable` and the next sync makes it durable. It
/// is *forgotten* when it differs and no sync will notice: its sync has failed (see `drop_dirty`).
/// All other sectors are equal in both.
///
/// Invariants:
///   F5  A sector that is neither dirty nor forgotten is the same in `now` and `durable`.
///   F6  Beyond its length each of the two is zero; `now` only as far as no mapping reaches.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "base/memory/reservation.h"
#include "os/power_cut.h"

namespace ashlar::os {

/// What a drive writes whole, in bytes.
inline constexpr std::size_t kSectorBytes = 512;

/// Threads: externally synchronised. Stores through a mapping may go on beside every function; each
///          sees them or not.
class SimulatedFile {
 public:
  /// The length that no file exceeds: each takes this much address space, twice.
  static constexpr std::size_t kBytesMax = std::size_t{1} << 30U;

  /// Memory that a mapping shares with its file. Shared because a mapping outlives handle, name and
  /// file, and because a file leaves its memory to its mappings when the machine stops.
  using Memory = std::shared_ptr<base::Reservation>;

  SimulatedFile();

  std::uint64_t bytes() const noexcept { return bytes_; }

  /// Returns: how many bytes there were
  std::size_t read(std::uint64_t offset, std::span<char> to) const;

  /// Writes in front of kBytesMax; the file grows as needed.
  void write(std::uint64_t offset, std::span<const char> from);

  /// A write that is durable at once, with the length it needs. Whole sectors.
  void write_durable(std::uint64_t offset, std::span<const char> from);

  /// Cuts off or adds zeros; durable after the next sync.
  void resize(std::uint64_t bytes);

  /// Makes all durable that is not forgotten.
  ///
  /// Cost: reads all that is mapped, as nobody else tells which of it was stored to
  void sync();

  /// What a system does whose sync has failed: what was dirty counts as written. It can be read
  /// until the power is cut, and no later sync makes it durable unless it is written again.
  void drop_dirty();

  /// The machine stops in the middle of this write: readers see nothing of it, a power cut leaves
  /// as much as of any write that was not synced.
  void interrupt(std::uint64_t offset, std::span<const char> from);
  void forget_interrupted() noexcept { interrupted_.reset(); }

  /// Leaves what `how` says; all of it is durable. Mappings no longer count.
  void cut_power(PowerCut how, CutRandom& random);

  /// Changes bytes of the file on the medium itself, inside its length.
  void overwrite(std::uint64_t offset, std::span<const char> from);

  /// The memory under the first `bytes`. Stores to it are writes to the file.
  Memory map(std::size_t bytes);

  /// Goes on with memory of its own: stores through mappings made so far no longer count.
  void detach();

  /// An equal file with memory of its own.
  std::shared_ptr<SimulatedFile> clone();

  /// Aborts unless F5 and F6 hold.
  void check();

 private:
  // A write call since the last sync, which a torn power cut tears.
  struct LastWrite {
    std::uint64_t first_sector;
    std::uint64_t end_sector;
    std::uint64_t bytes_before;  // The length of the file before the write.
  };
  struct InterruptedWrite {
    std::uint64_t offset;
    std::string content;
  };
  using Sectors = std::set<std::uint64_t>;

  char* now(std::uint64_t offset) const noexcept { return now_->begin() + offset; }
  char* durable(std::uint64_t offset) const noexcept { return durable_->begin() + offset; }
  void touch(std::uint64_t offset, std::uint64_t bytes);
  void note_written(std::uint64_t first_sector, std::uint64_t end_sector);
  void clear_from(char* memory, std::uint64_t offset) const;
  void collect_mapped();
  bool is_torn(std::uint64_t sector) const noexcept;
  Sectors choose_kept(PowerCut how, CutRandom& random) const;
  std::uint64_t choose_bytes(PowerCut how, CutRandom& random) const;

  Memory now_;
  Memory durable_;
  std::uint64_t bytes_ = 0;              // The length that readers see.
  std::uint64_t durable_bytes_ = 0;      // The length on the medium.
  std::uint64_t mapped_bytes_ = 0;       // The longest mapping since `now_` is what it is.
  std::uint64_t once_mapped_bytes_ = 0;  // The longest mapping of all times.
  Sectors dirty_;                        // Complete only after `collect_mapped`.
  std::map<std::uint64_t, std::string> forgotten_;  // With the content that was forgotten.
  std::set<std::uint64_t> touched_;                 // Pages that may be other than zero.
  std::optional<LastWrite> last_write_;
  std::optional<InterruptedWrite> interrupted_;
};

}  // namespace ashlar::os
