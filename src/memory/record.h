/// \file
/// How one version of one key lies in memory.
///
///     offset  size  field
///          0     8  shape      key bytes 16, value bytes 30, flags 3, high 15 bits of the stamp
///          8     4  stamp      low 32 bits of the commit sequence that wrote this version
///         12     8  deadline   milliseconds, only with kHasDeadline
///          +     8  scheduled  tick at which the expiry wheel looks at the key, 0 when it does
///                              not; only with kHasDeadline
///          +     8  previous   address of the next older version or 0, only with kHasPrevious
///          +     k  key
///          +     v  value
///
/// 12 bytes of head and 16 + 100 of content make 128, the size class that a cache line pair fills.
///
/// Invariants:
///   R1  Once a slot points to a record it changes only under the lock of the key's bucket, and its
///       key and the size class of its memory not at all.
///   R2  Stamps strictly fall along `previous`.
///
/// Threads: readers that do not hold the bucket lock may see a record while it is reused, so every
/// access goes through `base::racy`; what they saw counts only after they have validated the
/// bucket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ashlar/options.h"
#include "base/assert.h"
#include "base/racy.h"
#include "engine/operation.h"
#include "engine/view.h"

namespace ashlar::memory {

using engine::TimeMs;

/// The first word of a record, by value: lengths, flags and part of the stamp.
class Shape {
 public:
  static constexpr std::uint64_t kHasDeadline = std::uint64_t{1} << 46U;
  static constexpr std::uint64_t kHasPrevious = std::uint64_t{1} << 47U;
  static constexpr std::uint64_t kIsTombstone = std::uint64_t{1} << 48U;
  static constexpr std::uint64_t kFlags = kHasDeadline | kHasPrevious | kIsTombstone;
  static constexpr unsigned kStampShift = 49;

  constexpr explicit Shape(std::uint64_t word) noexcept : word_(word) {}
  static Shape of(std::size_t key_bytes, std::size_t value_bytes, std::uint64_t flags) noexcept {
    ASHLAR_ASSERT(key_bytes <= kKeyBytesHardMax, "a key fits its length field");
    ASHLAR_ASSERT(value_bytes <= kValueBytesHardMax, "a value fits its length field");
    return Shape(key_bytes | value_bytes << 16U | flags);
  }

  constexpr std::uint64_t word() const noexcept { return word_; }
  constexpr std::size_t key_bytes() const noexcept { return word_ & 0xffffU; }
  constexpr std::size_t value_bytes() const noexcept { return word_ >> 16U & 0x3fff'ffffU; }
  constexpr bool has_deadline() const noexcept { return (word_ & kHasDeadline) != 0; }
  constexpr bool has_previous() const noexcept { return (word_ & kHasPrevious) != 0; }
  constexpr bool is_tombstone() const noexcept { return (word_ & kIsTombstone) != 0; }

  /// No deadline, no older version, no tombstone: where key and value lie depends on lengths alone.
  /// Code that has branched on this and then uses lengths that it knows does not wait for the
  /// record to arrive from memory before it asks for the rest of it.
  constexpr bool is_plain() const noexcept { return (word_ & kFlags) == 0; }
  constexpr bool is_plain_with(std::size_t key_bytes) const noexcept {
    return (word_ & (kFlags | 0xffffU)) == key_bytes;
  }
  /// Right after shape and stamp, as there is nothing in between.
  static constexpr std::size_t kPlainKeyOffset = 12;

  constexpr std::size_t deadline_offset() const noexcept { return 12; }
  constexpr std::size_t scheduled_offset() const noexcept { return 20; }
  constexpr std::size_t previous_offset() const noexcept { return has_deadline() ? 28 : 12; }
  constexpr std::size_t key_offset() const noexcept {
    return previous_offset() + (has_previous() ? 8 : 0);
  }
  constexpr std::size_t value_offset() const noexcept { return key_offset() + key_bytes(); }
  constexpr std::size_t record_bytes() const noexcept { return value_offset() + value_bytes(); }

 private:
  std::uint64_t word_;
};
static_assert(kKeyBytesHardMax <= 0xffff && kValueBytesHardMax <= 0x3fff'ffff);

/// The largest stamp: one sequence per snapshot makes 4 years of a million snapshots a second.
inline constexpr Sequence kStampMax = (Sequence{1} << 47U) - 1;

/// A record at its address. As cheap to pass as the pointer it is; null when there is none.
class Record {
 public:
  Record() = default;
  explicit Record(char* address) noexcept : address_(address) {}

  explicit operator bool() const noexcept { return address_ != nullptr; }
  char* address() const noexcept { return address_; }
  friend bool operator==(Record left, Record right) noexcept = default;

  Shape shape() const noexcept { return Shape(base::racy::load_u64(address_)); }

  Sequence stamp(Shape shape) const noexcept {
    return shape.word() >> Shape::kStampShift << 32U | base::racy::load_u32(address_ + 8);
  }
  /// Before the record is reachable, or with `overwrite`.
  void set_stamp(Shape shape, Sequence stamp) const noexcept {
    ASHLAR_ASSERT(stamp <= kStampMax, "a sequence fits the stamp");
    const std::uint64_t low_bits = shape.word() & ((std::uint64_t{1} << Shape::kStampShift) - 1);
    base::racy::store_word(address_, low_bits | stamp >> 32U << Shape::kStampShift);
    base::racy::store_word(address_ + 8, static_cast<std::uint32_t>(stamp));
  }

  TimeMs deadline_ms(Shape shape) const noexcept {
    if (!shape.has_deadline()) return engine::kNever;
    return static_cast<TimeMs>(base::racy::load_u64(address_ + shape.deadline_offset()));
  }
  void set_deadline_ms(Shape shape, TimeMs deadline_ms) const noexcept {
    ASHLAR_ASSERT(shape.has_deadline(), "only a record with a place for a deadline gets one");
    base::racy::store_word(address_ + shape.deadline_offset(), deadline_ms);
  }

  std::uint64_t scheduled_tick(Shape shape) const noexcept {
    if (!shape.has_deadline()) return 0;
    return base::racy::load_u64(address_ + shape.scheduled_offset());
  }
  /// Under the lock of the bucket; no reader looks at it.
  void set_scheduled_tick(Shape shape, std::uint64_t tick) const noexcept {
    base::racy::store_word(address_ + shape.scheduled_offset(), tick);
  }

  Record previous(Shape shape) const noexcept {
    if (!shape.has_previous()) return {};
    return Record(
        reinterpret_cast<char*>(base::racy::load_u64(address_ + shape.previous_offset())));
  }
  void set_previous(Shape shape, Record previous) const noexcept {
    ASHLAR_ASSERT(shape.has_previous(), "only a record with a place for it gets an older version");
    base::racy::store_word(address_ + shape.previous_offset(),
                           reinterpret_cast<std::uint64_t>(previous.address()));
  }

  bool has_key(Shape shape, std::string_view key) const noexcept {
    return shape.key_bytes() == key.size() &&
           base::racy::equal_bytes(address_ + shape.key_offset(), key.data(), key.size());
  }

  /// The same for a record of which `Shape::is_plain_with(key.size())` holds.
  bool has_plain_key(std::string_view key) const noexcept {
    return base::racy::equal_bytes(address_ + Shape::kPlainKeyOffset, key.data(), key.size());
  }

  /// Key and value of a record that cannot change under the caller: it holds the bucket lock, or
  /// the record is not reachable.
  std::string_view key(Shape shape) const noexcept {
    return {address_ + shape.key_offset(), shape.key_bytes()};
  }
  std::string_view value(Shape shape) const noexcept {
    return {address_ + shape.value_offset(), shape.value_bytes()};
  }

  /// Writes everything but the stamp into memory that was just allocated.
  void fill(Shape shape, std::string_view key, std::string_view value,
            TimeMs deadline_ms) const noexcept {
    // Pairs with `read_fence` in readers: who sees these bytes sees the slot gone that once led
    // here.
    base::racy::write_fence();
    base::racy::store_word(address_, shape.word());
    if (shape.has_deadline()) {
      set_deadline_ms(shape, deadline_ms);
      set_scheduled_tick(shape, 0);
    }
    if (shape.has_previous()) set_previous(shape, Record());
    base::racy::store_bytes(address_ + shape.key_offset(), key.data(), key.size());
    base::racy::store_bytes(address_ + shape.value_offset(), value.data(), value.size());
  }

  /// Replaces value and stamp of a reachable record; its bucket is locked. `shape` differs from the
  /// record's in the length of the value at most.
  void overwrite(Shape shape, std::string_view value, Sequence stamp) const noexcept {
    set_stamp(shape, stamp);
    base::racy::store_bytes(address_ + shape.value_offset(), value.data(), value.size());
  }

 private:
  char* address_ = nullptr;
};

}  // namespace ashlar::memory
