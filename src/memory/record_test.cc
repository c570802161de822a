// The layout of a record: every field at the offset of the drawing, whatever its flags.

#include "memory/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace ashlar::memory {
namespace {

constexpr std::uint64_t kAllFlags[] = {
    0,
    Shape::kHasDeadline,
    Shape::kHasPrevious,
    Shape::kIsTombstone,
    Shape::kHasDeadline | Shape::kHasPrevious,
    Shape::kHasDeadline | Shape::kIsTombstone,
    Shape::kHasPrevious | Shape::kIsTombstone,
    Shape::kHasDeadline | Shape::kHasPrevious | Shape::kIsTombstone,
};

TEST(Shape, PutsFieldsWhereTheDrawingSays) {
  for (const std::uint64_t flags : kAllFlags) {
    const bool has_deadline = (flags & Shape::kHasDeadline) != 0;
    const bool has_previous = (flags & Shape::kHasPrevious) != 0;
    const Shape shape = Shape::of(16, 100, flags);
    EXPECT_EQ(shape.has_deadline(), has_deadline);
    EXPECT_EQ(shape.has_previous(), has_previous);
    EXPECT_EQ(shape.is_tombstone(), (flags & Shape::kIsTombstone) != 0);
    const std::size_t head_bytes = 12 + (has_deadline ? 16U : 0U) + (has_previous ? 8U : 0U);
    EXPECT_EQ(shape.previous_offset(), has_deadline ? 28U : 12U);
    EXPECT_EQ(shape.key_offset(), head_bytes);
    EXPECT_EQ(shape.value_offset(), head_bytes + 16);
    EXPECT_EQ(shape.record_bytes(), head_bytes + 116);
  }
  EXPECT_EQ(Shape::of(16, 100, 0).record_bytes(), 128U);
}

TEST(Shape, HoldsTheLongestKeyAndValue) {
  const Shape shape = Shape::of(kKeyBytesHardMax, kValueBytesHardMax, Shape::kHasDeadline);
  EXPECT_EQ(shape.key_bytes(), kKeyBytesHardMax);
  EXPECT_EQ(shape.value_bytes(), kValueBytesHardMax);
  EXPECT_FALSE(shape.has_previous());
  EXPECT_FALSE(shape.is_tombstone());
}

TEST(ShapeDeathTest, RefusesLengthsBeyondTheirFields) {
  EXPECT_DEATH((void)Shape::of(kKeyBytesHardMax + 1, 0, 0), "a key fits");
  EXPECT_DEATH((void)Shape::of(0, kValueBytesHardMax + 1, 0), "a value fits");
}

// R1: changing the fields that may change leaves all others as they were.
TEST(Record, KeepsEachFieldApart) {
  alignas(16) char memory[256];
  alignas(16) char other_memory[64];
  for (const std::uint64_t flags : kAllFlags) {
    std::fill_n(memory, sizeof(memory), '#');
    const Record record(memory);
    const Shape made = Shape::of(3, 5, flags);
    record.fill(made, "key", "value", 1'000);
    record.set_stamp(made, kStampMax - 1);
    const Shape shape = record.shape();
    if (shape.has_deadline()) {
      EXPECT_EQ(record.deadline_ms(shape), 1'000);
      EXPECT_EQ(record.scheduled_tick(shape), 0U);
      record.set_deadline_ms(shape, -5);
      record.set_scheduled_tick(shape, UINT64_MAX);
    }
    if (shape.has_previous()) {
      EXPECT_FALSE(record.previous(shape));
      record.set_previous(shape, Record(other_memory));
    }
    EXPECT_EQ(record.deadline_ms(shape), shape.has_deadline() ? -5 : engine::kNever);
    EXPECT_EQ(record.scheduled_tick(shape), shape.has_deadline() ? UINT64_MAX : 0);
    EXPECT_EQ(record.previous(shape), Record(shape.has_previous() ? other_memory : nullptr));
    EXPECT_EQ(record.stamp(shape), kStampMax - 1);
    EXPECT_EQ(record.key(shape), "key");
    EXPECT_EQ(record.value(shape), "value");
    EXPECT_TRUE(record.has_key(shape, "key"));
    EXPECT_FALSE(record.has_key(shape, "kez"));
    EXPECT_FALSE(record.has_key(shape, "ke"));
    EXPECT_EQ(memory[shape.record_bytes()], '#') << "a record ends where it says";
  }
}

// R2: any stamp up to the largest comes back, small ones too.
TEST(Record, HoldsEveryStamp) {
  alignas(16) char memory[64];
  const Record record(memory);
  const Shape shape = Shape::of(1, 0, Shape::kIsTombstone);
  record.fill(shape, "k", "", engine::kNever);
  for (unsigned bits = 0; bits < 47; ++bits) {
    for (const Sequence stamp : {Sequence{1} << bits, (Sequence{2} << bits) - 1}) {
      record.set_stamp(record.shape(), stamp);
      EXPECT_EQ(record.stamp(record.shape()), stamp);
      EXPECT_TRUE(record.shape().is_tombstone());
      EXPECT_EQ(record.shape().key_bytes(), 1U);
    }
  }
}

}  // namespace
}  // namespace ashlar::memory
