// Handles and calls of the simulated machine; the calls on names are in simulated_names.cc. What
// happens to the bytes is in simulated_file.cc, and to the names in simulated_directory.cc.
//
//     call --> begin_call_locked: counted, or the disk has stopped (F8)
//          --> path to entry, or handle to file
//          --> the file or directory does it
//
// One mutex holds it all: a test wants the order of calls to be one order.

#include "os/simulated_disk.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <span>
#include <utility>

#include "base/assert.h"

namespace ashlar::os {
namespace {

// What a drive asks for that is written to past the page cache.
bool is_of_blocks(const char* address, std::size_t bytes, std::uint64_t offset) noexcept {
  return (reinterpret_cast<std::uintptr_t>(address) | bytes | offset) % kBlockBytes == 0;
}

// Both are of the caller and may be anything, so they must not be added first.
bool fits_in_file(std::uint64_t offset, std::uint64_t bytes) noexcept {
  return offset <= SimulatedFile::kBytesMax && bytes <= SimulatedFile::kBytesMax - offset;
}

}  // namespace

// The root exists and is durable, like that of any disk that was ever formatted.
SimulatedDisk::SimulatedDisk() : root_(std::make_shared<SimulatedDirectory>()) {}

// Counts a call that reaches storage. Returns: false when the disk has stopped, by this call or
// before it
bool SimulatedDisk::begin_call_locked() {
  if (has_stopped_) return false;
  if (call_count_ >= stop_before_) {
    // F8: from here on, what the program stores is of no effect.
    detach_mappings_locked();
    has_stopped_ = true;
    return false;
  }
  ++call_count_;
  return true;
}

// The memory stays for those who still have its address: threads of a dead process run on in a
// test.
void SimulatedDisk::detach_mappings_locked() {
  for (auto& [address, mapped] : mappings_) {
    if (mapped.file != nullptr) mapped.file->detach();
    mapped.file = nullptr;
  }
}

// What a process has of a disk goes with it: handles, locks, mappings. A disk that had stopped
// works again for the next one.
void SimulatedDisk::turn_off_locked() {
  detach_mappings_locked();
  // A file that has no name left goes with its last handle.
  handles_.clear();
  locks_.clear();
  has_stopped_ = false;
  stop_before_ = kNever;
}

void SimulatedDisk::crash_process() {
  const base::MutexLock lock(mutex_);
  turn_off_locked();
  // The system lives on, so the write that was not made is not on its way to the medium either.
  root_->for_each_file([](SimulatedFile& file) { file.forget_interrupted(); });
}

// The files of names that are lost are lost with them, whatever of their content was durable (F3).
void SimulatedDisk::cut_power(PowerCut how, std::uint64_t seed) {
  const base::MutexLock lock(mutex_);
  turn_off_locked();
  CutRandom random(seed);
  root_->cut_power(how, random);
}

SimulatedDisk::OpenFile* SimulatedDisk::find_open_locked(Handle handle) {
  const auto found = handles_.find(handle);
  if (found == handles_.end()) return nullptr;
  ASHLAR_ASSERT(found->second.file != nullptr, "an open handle has a file");
  return &found->second;
}

// Null for a handle opened to read only too.
SimulatedDisk::OpenFile* SimulatedDisk::find_writable_locked(Handle handle) {
  OpenFile* const open = find_open_locked(handle);
  return open != nullptr && open->mode != OpenMode::kRead && open->mode != OpenMode::kReadHere
             ? open
             : nullptr;
}

Disk::Handle SimulatedDisk::add_handle_locked(std::shared_ptr<SimulatedFile> file, OpenMode mode) {
  ASHLAR_ASSERT(file != nullptr, "a handle is of a file");
  ASHLAR_ASSERT(!handles_.contains(next_handle_), "a number stands for one handle");
  // Numbers are not used again: a program that goes on with a handle of before a crash is found
  // out.
  handles_.emplace(next_handle_, OpenFile{.file = std::move(file), .mode = mode});
  return next_handle_++;
}

// A name that leads through a file is absent, where the system says ENOTDIR: nobody asks for the
// difference.
Disk::Handle SimulatedDisk::open(const std::string& path, OpenMode mode) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  const Place place = find_place_locked(path);
  if (place.directory == nullptr) return -ENOENT;
  const SimulatedEntry* const entry = place.directory->find(place.name);
  if (mode == OpenMode::kCreate) {
    if (entry != nullptr) return -EEXIST;
    // Seen at once, and durable only after a sync of the directory (F3).
    auto file = std::make_shared<SimulatedFile>();
    place.directory->create(place.name, {.file = file, .directory = nullptr});
    return add_handle_locked(std::move(file), mode);
  }
  if (entry == nullptr) return -ENOENT;
  if (entry->file == nullptr) return -EISDIR;
  return add_handle_locked(entry->file, mode);
}

// Not counted, and not refused by a disk that has stopped: it reaches no storage. Mappings stay.
int SimulatedDisk::close(Handle handle) {
  const base::MutexLock lock(mutex_);
  const auto found = handles_.find(handle);
  if (found == handles_.end()) return -EBADF;
  const auto held = locks_.find(found->second.file.get());
  if (held != locks_.end()) {
    held->second.holders.erase(handle);
    if (held->second.holders.empty()) locks_.erase(held);
  }
  handles_.erase(found);
  return 0;
}

// Never short but at the end of the file: FaultyDisk is there for that.
ssize_t SimulatedDisk::read(Handle handle, char* to, std::size_t bytes, std::uint64_t offset) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  const OpenFile* const open = find_open_locked(handle);
  if (open == nullptr) return -EBADF;
  if (open->mode == OpenMode::kDurable && !is_of_blocks(to, bytes, offset)) return -EINVAL;
  return static_cast<ssize_t>(open->file->read(offset, {to, bytes}));
}

// How much the files may still grow. Each takes as much as it is long, holes included: this is what
// makes the promise of `allocate` hold. What only the medium still has a name for takes nothing, as
// file systems free it before they refuse.
std::uint64_t SimulatedDisk::room_locked() const {
  if (space_bytes_max_ == kNever) return SimulatedFile::kBytesMax;
  std::set<const SimulatedFile*> files;
  root_->for_each_file([&files](SimulatedFile& file) { files.insert(&file); });
  for (const auto& [handle, open] : handles_) files.insert(open.file.get());
  std::uint64_t used_bytes = 0;
  for (const SimulatedFile* file : files) used_bytes += file->bytes();
  // The limit may have been lowered to less than there is.
  return space_bytes_max_ - std::min(space_bytes_max_, used_bytes);
}

// How much of a write the disk has room for: the front part of it, in blocks through kDurable.
std::size_t SimulatedDisk::writable_bytes_locked(const OpenFile& open, std::uint64_t offset,
                                                 std::size_t bytes) const {
  ASHLAR_ASSERT(fits_in_file(offset, bytes), "a write lies inside the largest file");
  if (offset + bytes <= open.file->bytes()) return bytes;
  const std::uint64_t end_max = open.file->bytes() + room_locked();
  const std::uint64_t end = std::min(offset + bytes, end_max);
  if (end <= offset) return 0;
  const std::size_t unit = open.mode == OpenMode::kDurable ? kBlockBytes : 1;
  return (end - offset) / unit * unit;
}

// A full disk takes the front part of a write, as systems do, and answers with its length; when not
// even a part fits, with -ENOSPC.
ssize_t SimulatedDisk::write(Handle handle, const char* from, std::size_t bytes,
                             std::uint64_t offset) {
  const base::MutexLock lock(mutex_);
  // The call that stops the disk goes on to the checks: only a write that would have been made can
  // be torn.
  const bool had_stopped = has_stopped_;
  const bool has_begun = begin_call_locked();
  if (had_stopped) return -EIO;
  const OpenFile* const open = find_writable_locked(handle);
  if (open == nullptr) return has_begun ? -EBADF : -EIO;
  const bool is_durable = open->mode == OpenMode::kDurable;
  if (is_durable && !is_of_blocks(from, bytes, offset)) return has_begun ? -EINVAL : -EIO;
  if (!fits_in_file(offset, bytes)) return has_begun ? -EFBIG : -EIO;
  const std::span<const char> written(from, writable_bytes_locked(*open, offset, bytes));
  if (!has_begun) {
    open->file->interrupt(offset, written);
    return -EIO;
  }
  if (written.empty() && bytes != 0) return -ENOSPC;
  ASHLAR_ASSERT(written.size() <= bytes, "a disk takes no more than it was given");
  if (is_durable) {
    open->file->write_durable(offset, written);
  } else {
    open->file->write(offset, written);
  }
  return std::ssize(written);
}

int SimulatedDisk::sync(Handle handle) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  const OpenFile* const open = find_open_locked(handle);
  if (open == nullptr) return -EBADF;
  // The name of the file is another matter: see `sync_directory`.
  open->file->sync();
  return 0;
}

std::int64_t SimulatedDisk::size(Handle handle) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  const OpenFile* const open = find_open_locked(handle);
  return open == nullptr ? -EBADF : static_cast<std::int64_t>(open->file->bytes());
}

// Cuts off or adds zeros. `open` is null when the handle cannot be written through.
int SimulatedDisk::resize_locked(OpenFile* open, std::uint64_t bytes) {
  if (open == nullptr) return -EBADF;
  if (bytes > SimulatedFile::kBytesMax) return -EFBIG;
  if (bytes > open->file->bytes() && bytes - open->file->bytes() > room_locked()) return -ENOSPC;
  open->file->resize(bytes);
  return 0;
}

// Zeros that were written and those that were not read alike.
int SimulatedDisk::allocate(Handle handle, std::uint64_t bytes, NewSpace /*space*/) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  OpenFile* const open = find_writable_locked(handle);
  // All that lies inside the length has its space already: see `room_locked`.
  if (open != nullptr && bytes <= open->file->bytes()) return 0;
  return resize_locked(open, bytes);
}

int SimulatedDisk::truncate(Handle handle, std::uint64_t bytes) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  return resize_locked(find_writable_locked(handle), bytes);
}

// Through a handle that may write only. The memory may reach beyond the end of the file: what is
// stored there is no part of it, and no access faults, unlike on a real system (F6).
int SimulatedDisk::map(Handle handle, std::size_t bytes, char** address) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  const OpenFile* const open = find_writable_locked(handle);
  if (open == nullptr) return -EBADF;
  if (bytes > SimulatedFile::kBytesMax) return -ENOMEM;
  SimulatedFile::Memory memory = open->file->map(bytes);
  ASHLAR_ASSERT(memory->bytes() >= bytes, "the memory of a file covers its mappings");
  *address = memory->begin();
  mappings_.emplace(*address, Mapped{.file = open->file, .memory = std::move(memory)});
  return 0;
}

int SimulatedDisk::unmap(char* address, std::size_t /*bytes*/) {
  const base::MutexLock lock(mutex_);
  // One file mapped twice has two entries of one address; any of them will do.
  const auto found = mappings_.find(address);
  if (found == mappings_.end()) return -EINVAL;
  mappings_.erase(found);
  return 0;
}

// On the file and not on its name: a second handle to it meets the lock of the first, in one
// process or two, which are the same here.
int SimulatedDisk::lock(Handle handle, LockMode mode) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  const OpenFile* const open = find_open_locked(handle);
  if (open == nullptr) return -EBADF;
  const auto [held, is_free] =
      locks_.emplace(open->file.get(), Lock{.mode = mode, .holders = {handle}});
  if (is_free) return 0;
  Lock& lock_of_file = held->second;
  ASHLAR_ASSERT(!lock_of_file.holders.empty(), "a lock is held by somebody");
  // As with flock, one who has the lock for itself may take it again, in either mode.
  const bool is_own = lock_of_file.holders == std::set<Handle>{handle};
  const bool is_shared = lock_of_file.mode == LockMode::kShared && mode == LockMode::kShared;
  if (!is_own && !is_shared) return -EWOULDBLOCK;
  lock_of_file.mode = mode;
  lock_of_file.holders.insert(handle);
  return 0;
}

std::uint64_t SimulatedDisk::call_count() const {
  const base::MutexLock lock(mutex_);
  return call_count_;
}

void SimulatedDisk::stop_before(std::uint64_t call) {
  const base::MutexLock lock(mutex_);
  stop_before_ = call;
}

bool SimulatedDisk::has_stopped() const {
  const base::MutexLock lock(mutex_);
  return has_stopped_;
}

void SimulatedDisk::set_space_limit(std::uint64_t bytes) {
  const base::MutexLock lock(mutex_);
  space_bytes_max_ = bytes;
}

int SimulatedDisk::drop_dirty(Handle handle) {
  const base::MutexLock lock(mutex_);
  const OpenFile* const open = find_open_locked(handle);
  if (open == nullptr) return -EBADF;
  open->file->drop_dirty();
  return 0;
}

std::string SimulatedDisk::read_all(const std::string& path) const {
  const base::MutexLock lock(mutex_);
  const auto file = find_file_locked(path);
  ASHLAR_ASSERT(file != nullptr, "a test reads a file that exists");
  std::string all(file->bytes(), '\0');
  file->read(0, all);
  return all;
}

void SimulatedDisk::overwrite(const std::string& path, std::uint64_t offset,
                              std::string_view bytes) {
  const base::MutexLock lock(mutex_);
  const auto file = find_file_locked(path);
  ASHLAR_ASSERT(file != nullptr, "a test damages a file that exists");
  file->overwrite(offset, bytes);
}

// Names and files with all that is pending, so that one state can be damaged in many ways. Handles,
// locks and the count of calls are of the process, which the twin has not seen.
std::unique_ptr<SimulatedDisk> SimulatedDisk::clone() const {
  const base::MutexLock lock(mutex_);
  auto twin = std::make_unique<SimulatedDisk>();
  const base::MutexLock twin_lock(twin->mutex_);  // Nobody else has it; the analysis asks for it.
  twin->root_ = root_->clone();
  twin->space_bytes_max_ = space_bytes_max_;
  return twin;
}

void SimulatedDisk::check() const {
  const base::MutexLock lock(mutex_);
  root_->check();
}

}  // namespace ashlar::os
