// What a caller who fills a batch may rely on: operations come back in order and byte for byte, and
// one that did not fit is never lost quietly.

#include "ashlar/write_batch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ashlar/options.h"

namespace ashlar {
namespace {

using std::string_view_literals::operator""sv;

TEST(WriteBatch, StartsEmpty) {
  const WriteBatch batch;
  EXPECT_EQ(batch.count(), 0U);
  EXPECT_EQ(batch.bytes(), 0U);
  EXPECT_FALSE(batch.is_overfull());
}

TEST(WriteBatch, KeepsOperationsInOrderByteForByte) {
  WriteBatch batch;
  batch.put("a\0b"sv, "\0"sv, Expiry::at_ms(77));
  batch.erase("gone");
  batch.put("", "");
  batch.put("a\0b"sv, "again");
  ASSERT_EQ(batch.count(), 4U);
  EXPECT_EQ(batch.bytes(), 3U + 1 + 4 + 0 + 3 + 5);

  const auto& entries = batch.entries();
  EXPECT_EQ(entries[0].kind, WriteBatch::Kind::kPut);
  EXPECT_EQ(batch.key_of(entries[0]), "a\0b"sv);
  EXPECT_EQ(batch.value_of(entries[0]), "\0"sv);
  EXPECT_EQ(entries[0].expiry.resolve_ms(0), 77);
  EXPECT_EQ(entries[1].kind, WriteBatch::Kind::kErase);
  EXPECT_EQ(batch.key_of(entries[1]), "gone");
  EXPECT_EQ(batch.value_of(entries[1]), "");
  EXPECT_EQ(batch.key_of(entries[2]), "");
  EXPECT_TRUE(entries[2].expiry.is_never());
  EXPECT_EQ(batch.value_of(entries[3]), "again");
}

TEST(WriteBatch, AnOperationAboveTheHardLimitMakesItOverfull) {
  // Never read, so the length may be larger than what stands behind it.
  const std::string_view huge("x", kBatchBytesHardMax + 1);
  WriteBatch batch;
  batch.put("small", "value");
  batch.put("k", huge);
  EXPECT_TRUE(batch.is_overfull());
  EXPECT_EQ(batch.count(), 1U);
  EXPECT_EQ(batch.bytes(), 10U);
  batch.put("later", "small again");
  EXPECT_TRUE(batch.is_overfull());
  EXPECT_EQ(batch.count(), 1U);
}

TEST(WriteBatch, ASizeThatWouldWrapAroundMakesItOverfull) {
  const std::string_view all_of_memory("x", std::string_view::npos - 1);
  for (const auto& [key, value] : {std::pair(all_of_memory, "v"sv), std::pair("k"sv, all_of_memory),
                                   std::pair(all_of_memory, all_of_memory)}) {
    WriteBatch batch;
    batch.put(key, value);
    EXPECT_TRUE(batch.is_overfull());
    EXPECT_EQ(batch.bytes(), 0U);
  }
}

TEST(WriteBatch, ClearMakesItAsNew) {
  WriteBatch batch;
  batch.erase(std::string_view("x", kBatchBytesHardMax + 1));
  EXPECT_TRUE(batch.is_overfull());
  batch.clear();
  EXPECT_FALSE(batch.is_overfull());
  batch.put("k", "v");
  EXPECT_EQ(batch.count(), 1U);
  EXPECT_EQ(batch.key_of(batch.entries()[0]), "k");
}

TEST(WriteBatch, CopiesAreIndependent) {
  WriteBatch first;
  first.put("k", "v");
  WriteBatch second = first;
  second.erase("other");
  EXPECT_EQ(first.count(), 1U);
  EXPECT_EQ(second.count(), 2U);
}

}  // namespace
}  // namespace ashlar
