// Each call is counted, held against the rules, and then made, cut short or refused (F9). Calls are
// told by their number and not by path or handle: a program run twice makes the same ones.

#include "os/faulty_disk.h"

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "os/simulated_disk.h"

namespace ashlar::os {
namespace {

std::size_t index_of(CallKind kind) noexcept {
  return static_cast<std::size_t>(kind);
}

// The errno of `fault`, negative; 0 for those that let a call through in part.
int error_of(Fault fault) noexcept {
  switch (fault) {
    case Fault::kEio:
      return -EIO;
    case Fault::kEnospc:
      return -ENOSPC;
    case Fault::kEdquot:
      return -EDQUOT;
    case Fault::kEintr:
      return -EINTR;
    case Fault::kShortRead:
    case Fault::kShortWrite:
      return 0;
  }
  ASHLAR_ASSERT(false, "a fault is one of six");
}

// Whether a call of `kind` can fail in that way at all.
bool befalls(Fault fault, CallKind kind) noexcept {
  if (fault == Fault::kShortRead) return kind == CallKind::kRead;
  if (fault == Fault::kShortWrite) return kind == CallKind::kWrite;
  return true;
}

// What a short call does of `bytes`. One that may go past the page cache stays one of whole blocks:
// a drive does not stop inside a block, and the caller could not go on from there.
std::size_t shortened(const char* address, std::size_t bytes, std::uint64_t offset) noexcept {
  const bool is_of_blocks =
      (reinterpret_cast<std::uintptr_t>(address) | bytes | offset) % kBlockBytes == 0;
  const std::size_t unit = is_of_blocks ? kBlockBytes : 1;
  return std::min(bytes, std::max(unit, bytes / 2 / unit * unit));
}

}  // namespace

FaultyDisk::FaultyDisk(Disk& below) noexcept : below_(below), simulated_(nullptr) {}

// A disk that forgets what a failed sync has left dirty can only be one that knows what is dirty.
FaultyDisk::FaultyDisk(SimulatedDisk& below) noexcept : below_(below), simulated_(&below) {}

void FaultyDisk::fail(CallKind kind, std::uint64_t nth, Fault fault, FaultSpan span) {
  if (fault == Fault::kEintr) {
    ASHLAR_ASSERT(span == FaultSpan::kOnce, "a signal interrupts one call");
  }
  const base::MutexLock lock(mutex_);
  rules_.push_back({.kind = kind, .nth = nth, .fault = fault, .span = span});
}

// The counts stay: `nth` is from the start, whenever a rule is made.
void FaultyDisk::heal() {
  const base::MutexLock lock(mutex_);
  rules_.clear();
}

std::uint64_t FaultyDisk::call_count(CallKind kind) const {
  const base::MutexLock lock(mutex_);
  return call_counts_[index_of(kind)];
}

// Counts the call. Returns: what is to befall it
std::optional<Fault> FaultyDisk::begin_call(CallKind kind) {
  ASHLAR_ASSERT(kind != CallKind::kAny, "each call is of one kind");
  const base::MutexLock lock(mutex_);
  const std::uint64_t own_index = call_counts_[index_of(kind)]++;
  const std::uint64_t any_index = call_counts_[index_of(CallKind::kAny)]++;
  ASHLAR_ASSERT(own_index <= any_index, "calls of all kinds are at least those of one");
  // A rule for all kinds counts all calls, one for a kind only its own.
  const auto found = std::ranges::find_if(rules_, [&](const Rule& rule) {
    if (rule.kind != kind && rule.kind != CallKind::kAny) return false;
    if (!befalls(rule.fault, kind)) return false;
    const std::uint64_t index = rule.kind == kind ? own_index : any_index;
    return index == rule.nth || (index > rule.nth && rule.span == FaultSpan::kForEver);
  });
  return found == rules_.end() ? std::nullopt : std::optional(found->fault);
}

// Counts the call. Returns: the error that it fails with, or 0
int FaultyDisk::error_of_call(CallKind kind) {
  const std::optional<Fault> fault = begin_call(kind);
  return fault ? error_of(*fault) : 0;
}

Disk::Handle FaultyDisk::open(const std::string& path, OpenMode mode) {
  const int error = error_of_call(CallKind::kOpen);
  return error != 0 ? error : below_.open(path, mode);
}

// Passed on whatever the rules say, as `unmap`: the tests would leak.
int FaultyDisk::close(Handle handle) {
  return below_.close(handle);
}

// Of a short read the disk below is asked for the front part only, so that the rest of the buffer
// stays as it was: a caller that takes it for read has garbage.
ssize_t FaultyDisk::read(Handle handle, char* to, std::size_t bytes, std::uint64_t offset) {
  const std::optional<Fault> fault = begin_call(CallKind::kRead);
  if (!fault) return below_.read(handle, to, bytes, offset);
  if (*fault != Fault::kShortRead) return error_of(*fault);
  return below_.read(handle, to, shortened(to, bytes, offset), offset);
}

void FaultyDisk::read_many(std::span<ReadPart> parts) {
  std::vector<ReadPart> passed;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::optional<Fault> fault = begin_call(CallKind::kRead);
    if (fault && *fault != Fault::kShortRead) {
      parts[i].result = error_of(*fault);
      continue;
    }
    passed.push_back(parts[i]);
    if (fault) passed.back().bytes = shortened(parts[i].to, parts[i].bytes, parts[i].offset);
    places.push_back(i);
  }
  below_.read_many(passed);
  for (std::size_t i = 0; i < passed.size(); ++i) parts[places[i]].result = passed[i].result;
}

// A hint cannot fail, so it is no call.
void FaultyDisk::read_ahead(Handle handle, std::size_t bytes, std::uint64_t offset) {
  {
    const base::MutexLock lock(mutex_);
    ahead_bytes_ += bytes;
  }
  below_.read_ahead(handle, bytes, offset);
}

std::uint64_t FaultyDisk::ahead_bytes() const {
  const base::MutexLock lock(mutex_);
  return ahead_bytes_;
}

ssize_t FaultyDisk::write(Handle handle, const char* from, std::size_t bytes,
                          std::uint64_t offset) {
  const std::optional<Fault> fault = begin_call(CallKind::kWrite);
  if (!fault) return below_.write(handle, from, bytes, offset);
  if (*fault != Fault::kShortWrite) return error_of(*fault);
  return below_.write(handle, from, shortened(from, bytes, offset), offset);
}

// A sync that fails does what failing syncs do on a real system: what was dirty counts as written.
// The next one succeeds and has made nothing of it durable.
int FaultyDisk::sync(Handle handle) {
  const int error = error_of_call(CallKind::kSync);
  if (error == 0) return below_.sync(handle);
  // An interrupted sync was not made: all that is dirty stays so.
  if (error != -EINTR && simulated_ != nullptr) simulated_->drop_dirty(handle);
  return error;
}

std::int64_t FaultyDisk::size(Handle handle) {
  const int error = error_of_call(CallKind::kSize);
  return error != 0 ? error : below_.size(handle);
}

int FaultyDisk::allocate(Handle handle, std::uint64_t bytes, NewSpace space) {
  const int error = error_of_call(CallKind::kAllocate);
  return error != 0 ? error : below_.allocate(handle, bytes, space);
}

int FaultyDisk::truncate(Handle handle, std::uint64_t bytes) {
  const int error = error_of_call(CallKind::kTruncate);
  return error != 0 ? error : below_.truncate(handle, bytes);
}

int FaultyDisk::map(Handle handle, std::size_t bytes, char** address) {
  const int error = error_of_call(CallKind::kMap);
  return error != 0 ? error : below_.map(handle, bytes, address);
}

int FaultyDisk::unmap(char* address, std::size_t bytes) {
  return below_.unmap(address, bytes);
}

int FaultyDisk::lock(Handle handle, LockMode mode) {
  const int error = error_of_call(CallKind::kLock);
  return error != 0 ? error : below_.lock(handle, mode);
}

int FaultyDisk::rename(const std::string& from, const std::string& to) {
  const int error = error_of_call(CallKind::kRename);
  return error != 0 ? error : below_.rename(from, to);
}

int FaultyDisk::remove(const std::string& path) {
  const int error = error_of_call(CallKind::kRemove);
  return error != 0 ? error : below_.remove(path);
}

int FaultyDisk::link(const std::string& from, const std::string& to) {
  const int error = error_of_call(CallKind::kLink);
  return error != 0 ? error : below_.link(from, to);
}

int FaultyDisk::make_directory(const std::string& path) {
  const int error = error_of_call(CallKind::kMakeDirectory);
  return error != 0 ? error : below_.make_directory(path);
}

int FaultyDisk::sync_directory(const std::string& path) {
  const int error = error_of_call(CallKind::kSyncDirectory);
  return error != 0 ? error : below_.sync_directory(path);
}

int FaultyDisk::list(const std::string& path, std::vector<std::string>& names) {
  const int error = error_of_call(CallKind::kList);
  return error != 0 ? error : below_.list(path, names);
}

}  // namespace ashlar::os
