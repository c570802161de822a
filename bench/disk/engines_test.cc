// What every row relies on: an engine keeps what it acknowledged, tells right values from wrong
// ones, walks in order both ways, and has it all when it is opened again.

#include "disk/engines.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "bench_directory.h"
#include "disk/disk_values.h"
#include "keys.h"

namespace ashlar::bench {
namespace {

constexpr std::uint64_t kCount = 2'000;

class Engines : public testing::TestWithParam<DiskEngine> {
 protected:
  Engines() { open(); }

  void open() {
    store_.reset();  // Two stores never share a directory.
    store_ = GetParam().open({.directory = directory_.path(),
                              .memory_bytes = std::size_t{64} << 20U,
                              .value_place = GetParam().value_place});
  }

  void fill() {
    DiskValueMaker values(kValueBytes);
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const AscendingKey key(i);
      ASSERT_TRUE(store_->put(key.view(), values.make(key.view(), 0))) << i;
    }
  }

  std::uint64_t right_count() {
    const auto reader = store_->make_reader();
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i < kCount; ++i) {
      count += reader->get(AscendingKey(i).view()) == Found::kRight ? 1U : 0U;
    }
    return count;
  }

  BenchDirectory directory_{std::string("engines-test-") + std::to_string(::getpid())};
  std::unique_ptr<DiskStore> store_;
};

TEST_P(Engines, WhatWasPutIsFoundAndNothingElse) {
  fill();
  EXPECT_EQ(right_count(), kCount);
  EXPECT_EQ(store_->make_reader()->get(AscendingKey(kCount).view()), Found::kAbsent);
}

TEST_P(Engines, AValueOfAnotherKeyIsSeen) {
  fill();
  DiskValueMaker values(kValueBytes);
  ASSERT_TRUE(store_->put(AscendingKey(7).view(), values.make(AscendingKey(8).view(), 0)));
  const auto reader = store_->make_reader();
  EXPECT_EQ(reader->get(AscendingKey(7).view()), Found::kWrong);
  const std::array<AscendingKey, 3> keys = {AscendingKey(6), AscendingKey(7), AscendingKey(8)};
  const std::array<std::string_view, 3> views = {keys[0].view(), keys[1].view(), keys[2].view()};
  EXPECT_FALSE(reader->multi_get(views));
  EXPECT_TRUE(reader->multi_get(std::span(views).first(1)));
}

TEST_P(Engines, ABatchIsStored) {
  DiskValueMaker first(kValueBytes);
  DiskValueMaker second(kValueBytes);
  const AscendingKey one(1);
  const AscendingKey two(2);
  const std::array<Pair, 2> pairs = {Pair{.key = one.view(), .value = first.make(one.view(), 3)},
                                     Pair{.key = two.view(), .value = second.make(two.view(), 3)}};
  ASSERT_TRUE(store_->write(pairs));
  const std::array<std::string_view, 2> keys = {one.view(), two.view()};
  EXPECT_TRUE(store_->make_reader()->multi_get(keys));
}

TEST_P(Engines, WhatWasErasedIsAbsent) {
  fill();
  ASSERT_TRUE(store_->erase(AscendingKey(5).view()));
  EXPECT_EQ(store_->make_reader()->get(AscendingKey(5).view()), Found::kAbsent);
  EXPECT_EQ(right_count(), kCount - 1);
}

TEST_P(Engines, AWalkSeesAllRowsInOrderBothWays) {
  fill();
  const auto reader = store_->make_reader();
  std::uint64_t count = 0;
  for (const auto* row = reader->seek_to_first(); row != nullptr; row = reader->next()) {
    ASSERT_EQ(row->key, AscendingKey(count).view());
    ASSERT_TRUE(DiskValueMaker::is_value_of(row->key, row->value, kValueBytes));
    ++count;
  }
  EXPECT_EQ(count, kCount);
  for (const auto* row = reader->seek_to_last(); row != nullptr; row = reader->previous()) {
    ASSERT_EQ(row->key, AscendingKey(--count).view());
  }
  EXPECT_EQ(count, 0U);
  ASSERT_TRUE(store_->erase(AscendingKey(500).view()));
  reader->refresh();
  const auto* row = reader->seek(AscendingKey(500).view());
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->key, AscendingKey(501).view());
  EXPECT_FALSE(reader->has_failed());
}

TEST_P(Engines, AReaderSeesWhatIsWrittenAfterIt) {
  fill();
  const auto reader = store_->make_reader();
  EXPECT_EQ(reader->get(AscendingKey(kCount).view()), Found::kAbsent);
  DiskValueMaker values(kValueBytes);
  const AscendingKey late(kCount);
  ASSERT_TRUE(store_->put(late.view(), values.make(late.view(), 0)));
  EXPECT_EQ(reader->get(late.view()), Found::kRight);
  reader->refresh();
  const auto* row = reader->seek_to_last();
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->key, late.view());
}

TEST_P(Engines, AllIsThereAfterCompactingAndOpeningAgain) {
  fill();
  ASSERT_TRUE(store_->compact());
  EXPECT_EQ(right_count(), kCount);
  open();
  EXPECT_EQ(right_count(), kCount);
}

INSTANTIATE_TEST_SUITE_P(All, Engines,
                         testing::ValuesIn(disk_engines().begin(), disk_engines().end()),
                         [](const auto& engine) {
                           std::string name(engine.param.name);
                           std::erase_if(name, [](char c) { return c == ' ' || c == ','; });
                           return name;
                         });

}  // namespace
}  // namespace ashlar::bench
