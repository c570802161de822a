// Two copies of a file, and the books about where they differ.
//
//     write, map --> now --sync of dirty sectors--> durable
//                     ^-- what a power cut left -------'
//
// Stores through a mapping tell nobody: `collect_mapped` finds them by comparing, before any step
// that depends on what is dirty.

#include "os/simulated_file.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/racy.h"
#include "os/disk.h"

namespace ashlar::os {
namespace {

constexpr std::uint64_t kPageBytes = kBlockBytes;
constexpr std::uint64_t kSectorsPerBlock = kBlockBytes / kSectorBytes;
static_assert(SimulatedFile::kBytesMax % kPageBytes == 0, "a page lies inside the file or beyond");
static_assert(kPageBytes % kSectorBytes == 0, "a sector lies in one page");

// Address space for the longest file: what is mapped stays where it is however the file grows.
SimulatedFile::Memory make_memory() {
  auto region = base::Reservation::make(SimulatedFile::kBytesMax);
  ASHLAR_ASSERT(region.has_value(), "a simulation has the address space for its files");
  // Most files are short: a huge page for each would be memory for nothing.
  ::madvise(region->begin(), region->bytes(), MADV_NOHUGEPAGE);
  return std::make_shared<base::Reservation>(std::move(*region));
}

std::uint64_t sector_of(std::uint64_t offset) noexcept {
  return offset / kSectorBytes;
}

std::uint64_t end_sector_of(std::uint64_t end) noexcept {
  return (end + kSectorBytes - 1) / kSectorBytes;
}

// Both may be memory that a mapping is storing to: whatever is read is some recent state.
void copy(char* to, const char* from, std::size_t bytes) noexcept {
  base::racy::load_bytes(to, from, bytes);
}

bool is_equal(const char* racy, const char* own, std::size_t bytes) noexcept {
  return base::racy::equal_bytes(racy, own, bytes);
}

}  // namespace

SimulatedFile::SimulatedFile() : now_(make_memory()), durable_(make_memory()) {}

std::size_t SimulatedFile::read(std::uint64_t offset, std::span<char> to) const {
  if (offset >= bytes_) return 0;
  const std::size_t bytes = std::min<std::uint64_t>(to.size(), bytes_ - offset);
  copy(to.data(), now(offset), bytes);
  return bytes;
}

// Keeps track of the pages that are not as the system gave them, so that nothing ever has to walk
// over a whole file of mostly zeros.
void SimulatedFile::touch(std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t end = (offset + bytes + kPageBytes - 1) / kPageBytes;
  for (std::uint64_t page = offset / kPageBytes; page < end; ++page) touched_.insert(page);
}

// Whatever becomes of them, the next sync has these sectors to write.
void SimulatedFile::note_written(std::uint64_t first_sector, std::uint64_t end_sector) {
  for (std::uint64_t sector = first_sector; sector < end_sector; ++sector) {
    dirty_.insert(sector);
    forgotten_.erase(sector);
  }
}

// The file grows first, as `resize` forgets which write was the last.
void SimulatedFile::write(std::uint64_t offset, std::span<const char> from) {
  ASHLAR_ASSERT(offset <= kBytesMax, "a write begins inside the largest file");
  ASHLAR_ASSERT(from.size() <= kBytesMax - offset, "a write ends inside the largest file");
  if (from.empty()) return;
  const std::uint64_t end = offset + from.size();
  const LastWrite written{
      .first_sector = sector_of(offset), .end_sector = end_sector_of(end), .bytes_before = bytes_};
  if (end > bytes_) resize(end);
  last_write_ = written;
  base::racy::store_bytes(now(offset), from.data(), from.size());
  touch(offset, from.size());
  note_written(written.first_sector, written.end_sector);
}

// The sectors are neither dirty nor forgotten afterwards: `write` has seen to the latter.
void SimulatedFile::write_durable(std::uint64_t offset, std::span<const char> from) {
  ASHLAR_ASSERT(offset % kSectorBytes == 0, "a durable write begins with a sector");
  ASHLAR_ASSERT(from.size() % kSectorBytes == 0, "a durable write ends with a sector");
  const std::uint64_t end = offset + from.size();
  write(offset, from);
  std::memcpy(durable(offset), from.data(), from.size());
  for (std::uint64_t sector = sector_of(offset); sector < sector_of(end); ++sector) {
    dirty_.erase(sector);
  }
  durable_bytes_ = std::max(durable_bytes_, end);
  last_write_.reset();
}

// F6, for either of the two: zeros from `offset` to the end, of which only touched pages need any.
void SimulatedFile::clear_from(char* memory, std::uint64_t offset) const {
  for (auto page = touched_.lower_bound(offset / kPageBytes); page != touched_.end(); ++page) {
    const std::uint64_t begin = std::max(offset, *page * kPageBytes);
    std::memset(memory + begin, 0, (*page + 1) * kPageBytes - begin);
  }
}

// The length is pending like the bytes: until the next sync a power cut may leave the old one.
void SimulatedFile::resize(std::uint64_t bytes) {
  ASHLAR_ASSERT(bytes <= kBytesMax, "no file exceeds the largest");
  last_write_.reset();
  // What a mapping has left beyond the end is no part of the file when it grows.
  if (bytes > bytes_ && bytes_ < mapped_bytes_) {
    std::memset(now(bytes_), 0, std::min(bytes, mapped_bytes_) - bytes_);
  }
  if (bytes < bytes_) {
    // The zeros that take the place of what is cut off are pending: a power cut that loses the new
    // length finds the old content there, or some of it.
    collect_mapped();
    const std::uint64_t end_sector = end_sector_of(bytes_);
    for (auto page = touched_.lower_bound(bytes / kPageBytes); page != touched_.end(); ++page) {
      const std::uint64_t begin = std::max(bytes, *page * kPageBytes);
      note_written(sector_of(begin), std::min((*page + 1) * kSectorsPerBlock, end_sector));
    }
    clear_from(now_->begin(), bytes);
  }
  bytes_ = bytes;
}

// Finds the sectors that were stored to through a mapping, by comparing.
void SimulatedFile::collect_mapped() {
  const std::uint64_t end = end_sector_of(std::min(mapped_bytes_, bytes_));
  for (std::uint64_t sector = 0; sector < end; ++sector) {
    if (dirty_.contains(sector)) continue;
    // Of a forgotten sector the medium has something else; what it was then is what counts.
    const auto forgotten = forgotten_.find(sector);
    const char* const seen =
        forgotten == forgotten_.end() ? durable(sector * kSectorBytes) : forgotten->second.data();
    if (is_equal(now(sector * kSectorBytes), seen, kSectorBytes)) continue;
    touch(sector * kSectorBytes, kSectorBytes);
    note_written(sector, sector + 1);
  }
}

// F1. Afterwards all sectors but the forgotten ones are clean.
void SimulatedFile::sync() {
  collect_mapped();
  for (const std::uint64_t sector : dirty_) {
    copy(durable(sector * kSectorBytes), now(sector * kSectorBytes), kSectorBytes);
  }
  dirty_.clear();
  last_write_.reset();
  durable_bytes_ = bytes_;
  // A length that has become durable takes what was forgotten behind it along.
  clear_from(durable_->begin(), durable_bytes_);
  forgotten_.erase(forgotten_.lower_bound(end_sector_of(durable_bytes_)), forgotten_.end());
}

// The content is noted, so that a later store through a mapping is told from what was forgotten.
void SimulatedFile::drop_dirty() {
  collect_mapped();
  for (const std::uint64_t sector : dirty_) {
    std::string content(kSectorBytes, '\0');
    copy(content.data(), now(sector * kSectorBytes), kSectorBytes);
    forgotten_.insert_or_assign(sector, std::move(content));
  }
  dirty_.clear();
  last_write_.reset();
}

bool SimulatedFile::is_torn(std::uint64_t sector) const noexcept {
  // Stores through a mapping have no order: any of them may be the last.
  if (sector * kSectorBytes < once_mapped_bytes_) return true;
  return last_write_ && sector >= last_write_->first_sector && sector < last_write_->end_sector;
}

// F4: which of the dirty sectors have their new content.
SimulatedFile::Sectors SimulatedFile::choose_kept(PowerCut how, CutRandom& random) const {
  if (how == PowerCut::kKeepNothing) return {};
  if (how == PowerCut::kKeepEverything) return dirty_;
  Sectors kept;
  const std::uint64_t likely = random.sixteenths();
  const std::uint64_t unit = how == PowerCut::kTorn4K ? kSectorsPerBlock : 1;
  std::optional<std::uint64_t> decided;  // The unit that `is_kept` is about.
  bool is_kept = false;
  for (const std::uint64_t sector : dirty_) {
    // Chance is asked once a unit, so that a drive of 4 KiB writes all of it or nothing.
    if (decided != sector / unit) is_kept = random.chance(likely);
    decided = sector / unit;
    if (is_kept || (how != PowerCut::kKeepRandom && !is_torn(sector))) kept.insert(sector);
  }
  return kept;
}

// Which length is left. A torn write may have been torn before the length that it needs was noted:
// the file then ends where it did before that write.
std::uint64_t SimulatedFile::choose_bytes(PowerCut how, CutRandom& random) const {
  switch (how) {
    case PowerCut::kKeepNothing:
      return durable_bytes_;
    case PowerCut::kKeepEverything:
      return bytes_;
    case PowerCut::kKeepRandom:
      return random.chance(8) ? bytes_ : durable_bytes_;
    case PowerCut::kTorn:
    case PowerCut::kTorn4K:
      return last_write_ && random.chance(8) ? last_write_->bytes_before : bytes_;
  }
  ASHLAR_ASSERT(false, "a power cut is of one of five kinds");
}

// Kept apart until the power is cut: no reader of this process or the next one sees any of it.
void SimulatedFile::interrupt(std::uint64_t offset, std::span<const char> from) {
  interrupted_ = InterruptedWrite{.offset = offset, .content = {from.begin(), from.end()}};
}

// The write that was under way joins those that were not synced. Then chance decides sector by
// sector (F4) and about the length, both copies are made the same, and all of it is durable.
void SimulatedFile::cut_power(PowerCut how, CutRandom& random) {
  detach();
  if (interrupted_) write(interrupted_->offset, interrupted_->content);
  interrupted_.reset();
  const Sectors kept = choose_kept(how, random);
  bytes_ = choose_bytes(how, random);
  for (const std::uint64_t sector : dirty_) {
    const std::uint64_t offset = sector * kSectorBytes;
    if (kept.contains(sector)) copy(durable(offset), now(offset), kSectorBytes);
    if (!kept.contains(sector)) copy(now(offset), durable(offset), kSectorBytes);
  }
  // They were lost when their sync failed; only the memory of the machine had them still.
  for (const auto& [sector, content] : forgotten_) {
    copy(now(sector * kSectorBytes), durable(sector * kSectorBytes), kSectorBytes);
  }
  dirty_.clear();
  forgotten_.clear();
  last_write_.reset();
  durable_bytes_ = bytes_;
  // F6: what was kept beyond a length that was lost is lost with it.
  clear_from(now_->begin(), bytes_);
  clear_from(durable_->begin(), bytes_);
}

// Both change alike, so a clean sector stays clean (F5) and a dirty one dirty.
void SimulatedFile::overwrite(std::uint64_t offset, std::span<const char> from) {
  ASHLAR_ASSERT(offset <= bytes_, "damage begins inside the file");
  ASHLAR_ASSERT(from.size() <= bytes_ - offset, "damage ends inside the file");
  std::memcpy(now(offset), from.data(), from.size());
  std::memcpy(durable(offset), from.data(), from.size());
  touch(offset, from.size());
}

SimulatedFile::Memory SimulatedFile::map(std::size_t bytes) {
  ASHLAR_ASSERT(bytes > 0, "a mapping holds at least one byte");
  ASHLAR_ASSERT(bytes <= kBytesMax, "a mapping lies inside the largest file");
  mapped_bytes_ = std::max<std::uint64_t>(mapped_bytes_, bytes);
  once_mapped_bytes_ = std::max(once_mapped_bytes_, mapped_bytes_);
  return now_;
}

// The old memory is left to its mappings. Threads of a process that has ended for the test may
// still be storing to it, so it is compared before the copy and once more after.
void SimulatedFile::detach() {
  if (mapped_bytes_ == 0) return;
  collect_mapped();
  Memory own = make_memory();
  for (const std::uint64_t page : touched_) {
    copy(own->begin() + page * kPageBytes, now(page * kPageBytes), kPageBytes);
  }
  now_ = std::move(own);
  clear_from(now_->begin(), bytes_);
  collect_mapped();  // Finds the stores that were made between the first time and the copy.
  mapped_bytes_ = 0;
}

// Copies the pages that were ever written, not a gigabyte of zeros.
std::shared_ptr<SimulatedFile> SimulatedFile::clone() {
  collect_mapped();
  auto twin = std::make_shared<SimulatedFile>();
  for (const std::uint64_t page : touched_) {
    const std::uint64_t offset = page * kPageBytes;
    copy(twin->now(offset), now(offset), kPageBytes);
    std::memcpy(twin->durable(offset), durable(offset), kPageBytes);
  }
  twin->bytes_ = bytes_;
  twin->durable_bytes_ = durable_bytes_;
  twin->dirty_ = dirty_;
  twin->forgotten_ = forgotten_;
  twin->touched_ = touched_;
  twin->last_write_ = last_write_;
  twin->interrupted_ = interrupted_;
  twin->once_mapped_bytes_ = once_mapped_bytes_;
  twin->clear_from(twin->now_->begin(), bytes_);
  twin->mapped_bytes_ = mapped_bytes_;
  twin->collect_mapped();  // As in `detach`.
  twin->mapped_bytes_ = 0;
  return twin;
}

void SimulatedFile::check() {
  collect_mapped();
  for (const std::uint64_t page : touched_) {
    for (std::uint64_t i = 0; i < kSectorsPerBlock; ++i) {
      const std::uint64_t sector = page * kSectorsPerBlock + i;
      if (dirty_.contains(sector) || forgotten_.contains(sector)) continue;
      const std::uint64_t offset = sector * kSectorBytes;
      // A store through a mapping may have come since.
      ASHLAR_ASSERT(offset < mapped_bytes_ || is_equal(now(offset), durable(offset), kSectorBytes),
                    "F5: a clean sector is the same for readers and on the medium");
    }
    const std::uint64_t begin = page * kPageBytes;
    for (std::uint64_t at = begin; at < begin + kPageBytes; ++at) {
      ASHLAR_ASSERT(at < std::max(bytes_, mapped_bytes_) || *now(at) == 0,
                    "F6: what readers see is zero beyond the length");
      ASHLAR_ASSERT(at < durable_bytes_ || *durable(at) == 0,
                    "F6: the medium is zero beyond the durable length");
    }
  }
}

}  // namespace ashlar::os
