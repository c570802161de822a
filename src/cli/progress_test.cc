// What somebody sees who waits: that it goes on, and how far it is, without a flood of lines.

#include "cli/progress.h"

#include <gtest/gtest.h>

namespace ashlar::cli {
namespace {

constexpr std::uint64_t kTotal = std::uint64_t{200} << 20U;

TEST(Progress, DrawsABarOverTheOneBefore) {
  Progress progress("shop", ProgressForm::kBar);
  EXPECT_EQ(progress.next(0, kTotal),
            "\rshop [........................................]   0 % of 200 MiB");
  EXPECT_EQ(progress.next(kTotal / 2, kTotal),
            "\rshop [####################....................]  50 % of 200 MiB");
  EXPECT_EQ(progress.next(kTotal, kTotal),
            "\rshop [########################################] 100 % of 200 MiB");
  EXPECT_EQ(progress.end(), "\r" + std::string(64, ' ') + "\r");
}

TEST(Progress, WritesALineForEachTenth) {
  Progress progress("shop", ProgressForm::kLines);
  EXPECT_EQ(progress.next(0, kTotal), "");
  EXPECT_EQ(progress.next(kTotal / 100 * 9, kTotal), "");
  EXPECT_EQ(progress.next(kTotal / 100 * 35, kTotal), "shop: 30 % of 200 MiB\n");
  EXPECT_EQ(progress.next(kTotal / 100 * 36, kTotal), "");
  EXPECT_EQ(progress.next(kTotal, kTotal), "shop: 100 % of 200 MiB\n");
  EXPECT_EQ(progress.next(kTotal, kTotal), "");
  EXPECT_EQ(progress.end(), "");
}

TEST(Progress, SaysNothingWhereNothingIsToDo) {
  Progress progress("shop", ProgressForm::kBar);
  EXPECT_EQ(progress.next(0, 0), "");
  EXPECT_EQ(progress.end(), "");
}

TEST(Progress, CountsAsManyBytesAsThereAre) {
  Progress progress("shop", ProgressForm::kLines);
  EXPECT_EQ(progress.next(UINT64_MAX / 2, UINT64_MAX), "shop: 50 % of 17592186044415 MiB\n");
}

}  // namespace
}  // namespace ashlar::cli
