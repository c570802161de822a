// Point reads: no lock, no store to shared memory. Copy first, then ask whether it was valid.

#include <algorithm>
#include <array>
#include <bit>

#include "base/hints.h"
#include "memory/engine_core.h"

namespace ashlar::memory {
namespace {

// After so many copies that turned out to be invalid a read takes the bucket's lock.
constexpr int kAttemptsMax = 64;

// How many keys a read of many is ahead with each of its steps: enough to keep the memory busy.
constexpr std::size_t kKeysAhead = 8;

// So many keys are read without an allocation.
constexpr std::size_t kLookupsInline = 64;

// How often a read of several keys at latest is tried before it takes a snapshot.
constexpr int kMultiGetAttemptsMax = 3;

}  // namespace

inline void MemoryEngine::start(Lookup& lookup) const noexcept {
  for (base::SpinWait wait;; wait.pause()) {
    lookup.root = &parts_.table->root_of(lookup.hash);
    // Acquire: partner of the release in `HashTable::unlock_changed`.
    lookup.head = lookup.root->head.load(std::memory_order_acquire);
    if ((lookup.head & kLockBit) == 0) [[likely]]
      return;
  }
}

/// Whether everything that was copied since `start` was the state at one moment.
inline bool MemoryEngine::is_unchanged(const Lookup& lookup) noexcept {
  base::racy::read_fence();
  return lookup.root->head.load(std::memory_order_relaxed) == lookup.head;
}

inline bool MemoryEngine::is_valid(const Lookup& lookup) const noexcept {
  // A key that was not found may just have moved to another bucket (H4).
  return is_unchanged(lookup) &&
         (lookup.is_found || &parts_.table->root_of(lookup.hash) == lookup.root);
}

inline bool MemoryEngine::find_racy(const Lookup& lookup, Record& record) const noexcept {
  const std::uint16_t tag = tag_of(lookup.hash);
  const Bucket* bucket = lookup.root;
  std::uint64_t head = lookup.head;
  while (true) {
    for (unsigned found = match_tag(*bucket, tag); found != 0; found &= found - 1) {
      const auto index = static_cast<unsigned>(std::countr_zero(found));
      // Relaxed: ordered by the acquire of the head that leads here, or discarded.
      const std::uint64_t slot = bucket->slots[index].load(std::memory_order_relaxed);
      if (slot == 0) continue;
      record = record_of(slot);
      if (record.has_key(record.shape(), lookup.key)) return true;
    }
    bucket = parts_.table->next_of(head);
    if (bucket == nullptr || !is_unchanged(lookup)) return false;
    head = bucket->head.load(std::memory_order_acquire);
  }
}

/// Goes from `record` to the version of it that `view` sees; null when it sees none. Returns false
/// when the chain changed meanwhile. A link is followed only after it has proved valid.
bool MemoryEngine::find_version(const Lookup& lookup, const engine::View& view,
                                Record& record) noexcept {
  while (record) {
    const Shape shape = record.shape();
    if (record.stamp(shape) <= view.sequence) return true;
    record = record.previous(shape);
    if (!is_unchanged(lookup)) return false;
  }
  return true;
}

MemoryEngine::Attempt MemoryEngine::try_read(Lookup& lookup, const engine::View& view, Value* value,
                                             TimeMs* deadline_ms) const {
  const auto absent = [&] { return is_valid(lookup) ? Attempt::kAbsent : Attempt::kRetry; };
  Record record;
  lookup.is_found = find_racy(lookup, record);
  if (!lookup.is_found) return absent();
  if (!view.is_latest() && !find_version(lookup, view, record)) return Attempt::kRetry;
  if (!record) return absent();
  const Shape shape = record.shape();
  const TimeMs deadline = record.deadline_ms(shape);
  if (shape.is_tombstone() || is_expired(deadline, view)) return absent();
  if (value != nullptr) {
    // A length that has not been validated must not choose how much to allocate.
    const std::size_t bytes = shape.value_bytes();
    if (bytes > Value::kInlineBytes && !is_unchanged(lookup)) return Attempt::kRetry;
    base::racy::load_bytes(value->resize(bytes), record.address() + shape.value_offset(), bytes);
  }
  if (deadline_ms != nullptr) *deadline_ms = deadline;
  if (!is_unchanged(lookup)) return Attempt::kRetry;
  touch(record);
  return Attempt::kFound;
}

/// Reads until an attempt was valid.
[[gnu::noinline]] bool MemoryEngine::read(Lookup& lookup, const engine::View& view, Value* value,
                                          TimeMs* deadline_ms) const {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    start(lookup);
    const Attempt result = try_read(lookup, view, value, deadline_ms);
    if (result != Attempt::kRetry) return result == Attempt::kFound;
  }
  return read_locked(lookup, view, value, deadline_ms);
}

/// The same with the bucket locked, for a key that is written all the time.
bool MemoryEngine::read_locked(Lookup& lookup, const engine::View& view, Value* value,
                               TimeMs* deadline_ms) const {
  Bucket& root = parts_.table->lock(lookup.hash);
  lookup.root = &root;
  lookup.head = root.head.load(std::memory_order_relaxed);
  Attempt result = Attempt::kRetry;
  try {
    result = try_read(lookup, view, value, deadline_ms);
  } catch (...) {
    HashTable::unlock_unchanged(root);
    throw;
  }
  HashTable::unlock_unchanged(root);
  lookup.head &= ~kLockBit;
  ASHLAR_ASSERT(result != Attempt::kRetry, "H1: nothing changes in a locked bucket");
  return result == Attempt::kFound;
}

/// The plain case of a read: a short value of a key without deadline or older versions, in the
/// first slot that carries its tag. Two cache misses follow each other in every read, so what
/// counts is how few instructions stand between the last of one read and the first of the next:
/// when the processor sees that far, they overlap. Returns false when it is another case, or
/// unsure.
[[gnu::always_inline]] inline bool MemoryEngine::try_read_plain(Lookup& lookup, Sequence sequence,
                                                                Value& value) const noexcept {
  const std::string_view key = lookup.key;
  const Bucket& root = parts_.table->root_of(lookup.hash);
  // Acquire: partner of the release in `HashTable::unlock_changed`.
  const std::uint64_t head = root.head.load(std::memory_order_acquire);
  const unsigned found = match_tag(root, tag_of(lookup.hash));
  if (found == 0 || (head & kLockBit) != 0) return false;
  const auto index = static_cast<unsigned>(std::countr_zero(found));
  const std::uint64_t slot = root.slots[index].load(std::memory_order_relaxed);
  if (slot == 0) return false;
  const Record record = record_of(slot);
  const Shape shape = record.shape();
  if (!shape.is_plain_with(key.size()) || !record.has_plain_key(key)) return false;
  if (record.stamp(shape) > sequence) return false;
  const std::size_t bytes = shape.value_bytes();
  if (bytes > Value::kInlineBytes) return false;
  const char* const from = record.address() + Shape::kPlainKeyOffset + key.size();
  base::racy::load_bytes(value.resize(bytes), from, bytes);
  base::racy::read_fence();
  if (root.head.load(std::memory_order_relaxed) != head) return false;
  lookup.root = &root;
  lookup.head = head;
  lookup.is_found = true;
  touch(record);
  return true;
}

[[gnu::flatten]] Result<bool> MemoryEngine::get(std::string_view key, const engine::View& view,
                                                Value* value, TimeMs* deadline_ms) const {
  const std::uint64_t hash = hash_of(key);
  Lookup plain{.key = key, .hash = hash};
  if (value != nullptr && deadline_ms == nullptr && try_read_plain(plain, view.sequence, *value)) {
    return true;
  }
  // Another one, since this is handed out and lies in memory; the one above stays in registers.
  Lookup lookup{.key = key, .hash = hash};
  return read(lookup, view, value, deadline_ms);
}

/// Starts loading what a read of `lookup` looks at second: the record in the first slot that fits.
void MemoryEngine::prefetch_record(const Lookup& lookup) const noexcept {
  const Bucket& root = parts_.table->root_of(lookup.hash);
  const unsigned found = match_tag(root, tag_of(lookup.hash));
  if (found == 0) return;
  const auto index = static_cast<unsigned>(std::countr_zero(found));
  const Record record = record_of(root.slots[index].load(std::memory_order_relaxed));
  base::prefetch(record.address());
  base::prefetch(record.address() + 64);
}

/// In two passes: when the second comes to a bucket, that is there or on its way.
void MemoryEngine::prefetch(std::span<const std::string_view> keys) const noexcept {
  std::array<std::uint64_t, kLookupsInline> hashes;
  for (std::size_t at = 0; at < keys.size(); at += hashes.size()) {
    const std::size_t count = std::min(hashes.size(), keys.size() - at);
    for (std::size_t i = 0; i < count; ++i) {
      hashes[i] = hash_of(keys[at + i]);
      base::prefetch_for_write(&parts_.table->root_of(hashes[i]));
    }
    for (std::size_t i = 0; i < count; ++i)
      prefetch_record({.key = keys[at + i], .hash = hashes[i]});
  }
}

/// Reads many keys, each in three steps with others in between, so that their cache misses overlap:
/// the bucket is asked for, then the record, then both are there.
void MemoryEngine::read_overlapped(std::span<Lookup> lookups, const engine::View& view,
                                   std::span<std::optional<Value>> values) const {
  const std::size_t count = lookups.size();
  for (std::size_t step = 0; step < count + 2 * kKeysAhead; ++step) {
    if (step < count) base::prefetch(&parts_.table->root_of(lookups[step].hash));
    const std::size_t second = step - kKeysAhead;  // Wraps around while there is none.
    if (second < count) prefetch_record(lookups[second]);
    const std::size_t third = step - 2 * kKeysAhead;
    if (third >= count) continue;
    Value& value = values[third].emplace();
    if (try_read_plain(lookups[third], view.sequence, value)) continue;
    if (!read(lookups[third], view, &value, nullptr)) values[third].reset();
  }
}

Result<void> MemoryEngine::multi_get(std::span<const std::string_view> keys,
                                     const engine::View& view,
                                     std::span<std::optional<Value>> values) const {
  std::array<Lookup, kLookupsInline> few;
  std::vector<Lookup> many;
  if (keys.size() > few.size()) many.resize(keys.size());
  const std::span<Lookup> lookups(many.empty() ? few.data() : many.data(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    lookups[i].key = keys[i];
    lookups[i].hash = hash_of(keys[i]);
  }
  if (!view.is_latest()) {
    read_overlapped(lookups, view, values);
    return {};
  }

  for (int attempt = 0; attempt < kMultiGetAttemptsMax; ++attempt) {
    read_overlapped(lookups, view, values);
    // All buckets unchanged since each was read: there was a moment at which all of it held (C1).
    const bool is_one_moment =
        std::ranges::all_of(lookups, [&](const Lookup& lookup) { return is_valid(lookup); });
    if (is_one_moment) return {};
  }
  const std::optional<engine::View> snapshot = versions_.acquire(clock_);
  ASHLAR_ASSERT(snapshot.has_value(), "sequences last for years of snapshots");
  try {
    read_overlapped(lookups, *snapshot, values);
  } catch (...) {
    versions_.release(snapshot->sequence);
    throw;
  }
  versions_.release(snapshot->sequence);
  return {};
}

void MemoryEngine::read_group(const KeyList& keys, std::size_t begin, std::size_t end,
                              const engine::View& view,
                              std::span<std::optional<Value>> values) const {
  std::array<Lookup, kLookupsInline> lookups;
  for (std::size_t at = begin; at < end; at += lookups.size()) {
    const std::size_t count = std::min(lookups.size(), end - at);
    for (std::size_t i = 0; i < count; ++i) {
      lookups[i] = Lookup{.key = keys.key(at + i), .hash = keys.entries[at + i].hash};
    }
    read_overlapped(std::span(lookups).first(count), view, values.subspan(at - begin, count));
  }
}

}  // namespace ashlar::memory
