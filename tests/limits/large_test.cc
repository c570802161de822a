// What the largest sizes promise: a value of 512 MiB and a batch of 1 GiB work, one byte more is
// refused with the limit in the message.

#include <gtest/gtest.h>

#include "store.h"

namespace ashlar::limits {
namespace {

constexpr Options kWide{.value_bytes_max = kValueBytesHardMax,
                        .memory_budget_bytes = std::size_t{3} << 30U};

TEST(HardLimit, LetsAValueOf512MebibytesThroughAndNoByteMore) {
  Store store(kWide);
  std::string value(kValueBytesHardMax + 1, 'v');
  const auto refused = store->put("key", value);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(says(refused.error(), {"key", "536870913", "536870912"}))
      << refused.error().message();
  value.pop_back();
  value.back() = 'e';
  ASSERT_TRUE(store->put("key", value).has_value());
  const auto got = store->get("key").value();
  ASSERT_TRUE(got.has_value());
  EXPECT_TRUE(got->view() == value);
  EXPECT_LE(store->approximate_memory(), kWide.memory_budget_bytes) << "M1";
  EXPECT_TRUE(store->erase("key").value());
  store.settle();
  EXPECT_LT(store->approximate_memory(), std::size_t{64} << 20U) << "its memory came back";
}

// C1
TEST(HardLimit, LetsABatchOfOneGibibyteThroughAndNoByteMore) {
  Store store(kWide);
  WriteBatch batch;
  {
    const std::string half(kValueBytesHardMax - 1, 'v');
    batch.put("a", half);
    batch.put("b", half);  // Now full to the byte.
  }
  ASSERT_EQ(batch.bytes(), kBatchBytesHardMax);
  ASSERT_TRUE(store->write(batch).has_value());
  EXPECT_TRUE(store->exists("a").value());
  EXPECT_EQ(store->get("b").value()->size(), kValueBytesHardMax - 1);

  batch.erase("c");
  EXPECT_TRUE(batch.is_overfull());
  const auto refused = store->write(batch);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(says(refused.error(), {"1073741824"})) << refused.error().message();
}

}  // namespace
}  // namespace ashlar::limits
