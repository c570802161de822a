// What a reader of values may rely on: the bytes come back whole whatever their number, small ones
// lie inside the object, and copies do not share anything.

#include "ashlar/value.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>

namespace ashlar {
namespace {

// Around the border between the buffer and the heap, where the two could be mixed up.
constexpr std::size_t kSizes[] = {
    0, 1, Value::kInlineBytes - 1, Value::kInlineBytes, Value::kInlineBytes + 1, 10'000};

std::string bytes_of(std::size_t count, char first) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<char>(static_cast<std::size_t>(first) + i * 7);
  }
  return bytes;
}

bool is_inline(const Value& value) {
  const auto* begin = reinterpret_cast<const char*>(&value);
  return value.data() >= begin && value.data() < begin + sizeof(Value);
}

TEST(Value, StartsEmpty) {
  const Value value;
  EXPECT_TRUE(value.empty());
  EXPECT_EQ(value.view(), "");
}

TEST(Value, HoldsAnyNumberOfBytesAndOnlySmallOnesInline) {
  for (const std::size_t size : kSizes) {
    const std::string bytes = bytes_of(size, 'a');
    const Value value{bytes};
    EXPECT_EQ(value.size(), size);
    EXPECT_TRUE(value == bytes) << size;
    EXPECT_EQ(is_inline(value), size <= Value::kInlineBytes) << size;
  }
}

TEST(Value, EachSizeReplacesEachOtherByAssignCopyAndMove) {
  for (const std::size_t from : kSizes) {
    for (const std::size_t to : kSizes) {
      const std::string bytes = bytes_of(to, 'x');
      const Value source{bytes};
      Value assigned{bytes_of(from, 'a')};
      assigned.assign(bytes);
      EXPECT_TRUE(assigned == bytes) << from << " to " << to;
      Value copied{bytes_of(from, 'a')};
      copied = source;
      EXPECT_TRUE(copied == bytes) << from << " to " << to;
      Value taken{bytes_of(from, 'a')};
      taken = std::move(copied);
      EXPECT_TRUE(taken == bytes) << from << " to " << to;
      EXPECT_TRUE(copied.empty());  // NOLINT(bugprone-use-after-move)
      EXPECT_TRUE(source == bytes);
    }
  }
}

TEST(Value, MovingALargeOneCopiesNothing) {
  Value from{bytes_of(10'000, 'a')};
  const char* data = from.data();
  const Value to{std::move(from)};
  EXPECT_EQ(to.data(), data);
}

TEST(Value, SurvivesAssignmentFromItself) {
  for (const std::size_t size : kSizes) {
    const std::string bytes = bytes_of(size, 'a');
    Value value{bytes};
    const Value& self = value;
    value = self;
    EXPECT_TRUE(value == bytes);
    value.assign(value.view());
    EXPECT_TRUE(value == bytes);
    value.assign(value.view().substr(size / 2));
    EXPECT_TRUE(value == std::string_view(bytes).substr(size / 2)) << size;
  }
}

TEST(Value, ResizeHandsOutRoomForAllBytes) {
  Value value{"before"};
  for (const std::size_t size : kSizes) {
    const std::string bytes = bytes_of(size, 'q');
    char* room = value.resize(size);
    std::memcpy(room, bytes.data(), size);
    EXPECT_EQ(room, value.data());
    EXPECT_TRUE(value == bytes) << size;
  }
}

TEST(Value, HoldsNulBytes) {
  using std::string_view_literals::operator""sv;
  const Value value{"a\0b\0"sv};
  EXPECT_EQ(value.size(), 4U);
  EXPECT_EQ(std::string_view(value), "a\0b\0"sv);
}

}  // namespace
}  // namespace ashlar
