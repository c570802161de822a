// What tests of recovery rely on: a power cut takes what was not made durable, sector by sector and
// in every combination, and nothing else. A model that knows of each sector what may become of it
// judges long random histories.

#include "os/simulated_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string>
#include <string_view>

#include "os/disk.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::os {
namespace {

constexpr std::array kCuts = {PowerCut::kKeepNothing, PowerCut::kKeepEverything,
                              PowerCut::kKeepRandom, PowerCut::kTorn, PowerCut::kTorn4K};

std::string content(const SimulatedFile& file) {
  std::string all(file.bytes(), '?');
  EXPECT_EQ(file.read(0, all), all.size());
  return all;
}

std::string after_cut(SimulatedFile& file, PowerCut how, std::uint64_t seed) {
  CutRandom random(seed);
  const auto twin = file.clone();
  twin->cut_power(how, random);
  twin->check();
  return content(*twin);
}

std::string sectors(std::string_view letters) {
  std::string all;
  for (const char letter : letters) all.append(kSectorBytes, letter);
  return all;
}

// The first byte of each sector.
std::string letters(const std::string& all) {
  std::string first;
  for (std::size_t at = 0; at < all.size(); at += kSectorBytes) first.push_back(all[at]);
  return first;
}

// F1, F2
TEST(SimulatedFile, NoPowerCutTakesWhatIsDurable) {
  for (const PowerCut how : kCuts) {
    SimulatedFile file;
    file.write(0, std::string("synced"));
    file.sync();
    EXPECT_EQ(after_cut(file, how, 1), "synced");
    file.write_durable(kSectorBytes, sectors("ab"));
    EXPECT_EQ(after_cut(file, how, 1).substr(kSectorBytes), sectors("ab"));
    file.resize(3);
    file.sync();
    EXPECT_EQ(after_cut(file, how, 1), "syn");
  }
}

// F4: of three sectors that were overwritten each combination of old and new comes up.
TEST(SimulatedFile, EachSectorIsKeptOrLostOnItsOwn) {
  SimulatedFile file;
  file.write_durable(0, sectors("abc"));
  file.write(0, sectors("xyz"));
  std::set<std::string> seen;
  testing::Random random(testing::seed());
  for (int i = 0; i < 2'000; ++i) {
    const std::string left = after_cut(file, PowerCut::kKeepRandom, random.next());
    EXPECT_EQ(left, sectors(letters(left))) << "no sector is torn inside";
    seen.insert(letters(left));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"abc", "xbc", "ayc", "abz", "xyc", "xbz", "ayz", "xyz"}));
}

TEST(SimulatedFile, ALengthIsTheDurableOneOrTheCurrent) {
  SimulatedFile file;
  file.write(0, std::string("ab"));
  file.sync();
  file.resize(1'000);
  EXPECT_EQ(after_cut(file, PowerCut::kKeepNothing, 1), "ab");
  EXPECT_EQ(after_cut(file, PowerCut::kKeepEverything, 1), "ab" + std::string(998, '\0'));
  std::set<std::size_t> lengths;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    lengths.insert(after_cut(file, PowerCut::kKeepRandom, seed).size());
  }
  EXPECT_EQ(lengths, (std::set<std::size_t>{2, 1'000}));
}

TEST(SimulatedFile, WhatWasNeverWrittenReadsAsZero) {
  SimulatedFile file;
  file.write(5 * kSectorBytes, std::string("end"));
  EXPECT_EQ(content(file).substr(0, 5 * kSectorBytes), std::string(5 * kSectorBytes, '\0'));
  EXPECT_EQ(content(file).substr(5 * kSectorBytes), "end");
  file.resize(1);
  file.resize(6 * kSectorBytes);
  EXPECT_EQ(content(file), std::string(6 * kSectorBytes, '\0'));
  file.check();
}

TEST(SimulatedFile, ATornCutTakesOnlyOfTheLastWrite) {
  SimulatedFile file;
  file.write_durable(0, sectors("aaaaaaaaaaaaaaaa"));
  file.write(0, sectors("xxxx"));
  file.write(4 * kSectorBytes, sectors("yyyyyyyyyyyy"));
  std::set<std::string> by_sector;
  std::set<std::string> by_block;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    by_sector.insert(letters(after_cut(file, PowerCut::kTorn, seed)));
    by_block.insert(letters(after_cut(file, PowerCut::kTorn4K, seed)));
  }
  EXPECT_GT(by_sector.size(), 50U);
  for (const std::string& left : by_sector) EXPECT_EQ(left.substr(0, 4), "xxxx");
  EXPECT_EQ(by_block, (std::set<std::string>{"xxxxaaaaaaaaaaaa", "xxxxyyyyaaaaaaaa",
                                             "xxxxaaaayyyyyyyy", "xxxxyyyyyyyyyyyy"}));
}

TEST(SimulatedFile, AnInterruptedWriteIsNotSeenUntilThePowerIsCut) {
  SimulatedFile file;
  file.write_durable(0, sectors("abc"));
  file.interrupt(0, sectors("xyz"));
  EXPECT_EQ(content(file), sectors("abc"));
  EXPECT_EQ(after_cut(file, PowerCut::kKeepNothing, 1), sectors("abc"));
  EXPECT_EQ(after_cut(file, PowerCut::kKeepEverything, 1), sectors("xyz"));
  std::set<std::string> torn;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    torn.insert(letters(after_cut(file, PowerCut::kTorn, seed)));
  }
  EXPECT_EQ(torn.size(), 8U);
  file.forget_interrupted();
  EXPECT_EQ(after_cut(file, PowerCut::kKeepEverything, 1), sectors("abc"));
}

// The sync after a failed one answers well and makes nothing durable that the failed one dropped.
TEST(SimulatedFile, WhatAFailedSyncDroppedStaysReadableAndIsNeverDurable) {
  SimulatedFile file;
  file.write_durable(0, sectors("abc"));
  file.write(0, sectors("xy"));
  file.drop_dirty();
  file.write(kSectorBytes, sectors("z"));
  file.sync();
  EXPECT_EQ(content(file), sectors("xzc"));
  for (const PowerCut how : kCuts) EXPECT_EQ(after_cut(file, how, 1), sectors("azc"));
}

TEST(SimulatedFile, AMappingIsTheFileItself) {
  SimulatedFile file;
  const SimulatedFile::Memory memory = file.map(8 * kBlockBytes);
  file.write(0, std::string("written"));
  EXPECT_EQ(std::string_view(memory->begin(), 7), "written");
  file.resize(8 * kBlockBytes);
  file.sync();
  std::memcpy(memory->begin() + 5 * kBlockBytes, "stored", 6);
  EXPECT_EQ(content(file).substr(5 * kBlockBytes, 6), "stored");
  EXPECT_EQ(after_cut(file, PowerCut::kKeepNothing, 1).substr(5 * kBlockBytes, 6),
            std::string(6, '\0'));
  file.sync();
  EXPECT_EQ(after_cut(file, PowerCut::kKeepNothing, 1).substr(5 * kBlockBytes, 6), "stored");
}

// F8
TEST(SimulatedFile, StoresAfterItWentOnWithoutItsMappingsDoNotCount) {
  SimulatedFile file;
  file.resize(kBlockBytes);
  const SimulatedFile::Memory memory = file.map(kBlockBytes);
  std::memcpy(memory->begin(), "before", 6);
  file.detach();
  std::memcpy(memory->begin(), "beyond", 6);
  EXPECT_EQ(content(file).substr(0, 6), "before");
  EXPECT_EQ(after_cut(file, PowerCut::kKeepNothing, 1), "");
  file.check();
}

TEST(SimulatedFile, DamageIsSeenByReadersAndSurvives) {
  SimulatedFile file;
  file.write(0, std::string("some"));
  file.sync();
  file.overwrite(1, std::string("XY"));
  EXPECT_EQ(content(file), "sXYe");
  EXPECT_EQ(after_cut(file, PowerCut::kKeepNothing, 1), "sXYe");
}

// Of each sector what a cut may leave, by plain strings that are as long as any file gets here.
class Model {
 public:
  static constexpr std::size_t kSpace = std::size_t{16} << 10U;

  std::string seen() const { return now_.substr(0, bytes_); }
  std::size_t bytes() const { return bytes_; }

  void write(std::size_t offset, const std::string& from) {
    before_last_write_ = bytes_;
    bytes_ = std::max(bytes_, offset + from.size());
    store(offset, from);
  }
  // Through a mapping: no write call, and inside the length.
  void store(std::size_t offset, const std::string& from) {
    now_.replace(offset, from.size(), from);
    mark(offset, offset + from.size());
  }
  void write_durable(std::size_t offset, const std::string& from) {
    write(offset, from);
    durable_.replace(offset, from.size(), from);
    for (std::size_t at = offset; at < offset + from.size(); at += kSectorBytes) dirty_.erase(at);
    durable_bytes_ = std::max(durable_bytes_, offset + from.size());
    before_last_write_ = bytes_;
  }
  void resize(std::size_t bytes) {
    if (bytes < bytes_) {
      mark(bytes, bytes_);
      now_.replace(bytes, kSpace - bytes, kSpace - bytes, '\0');
    }
    bytes_ = bytes;
    before_last_write_ = bytes_;
  }
  void sync() {
    for (const std::size_t at : dirty_) {
      durable_.replace(at, kSectorBytes, now_, at, kSectorBytes);
    }
    dirty_.clear();
    durable_bytes_ = before_last_write_ = bytes_;
    durable_.replace(bytes_, kSpace - bytes_, kSpace - bytes_, '\0');
  }
  void drop_dirty() {
    dirty_.clear();
    before_last_write_ = bytes_;
  }

  void expect_possible(const std::string& left, PowerCut how) const {
    const std::set<std::size_t> lengths = lengths_after(how);
    EXPECT_TRUE(lengths.contains(left.size())) << left.size();
    for (std::size_t at = 0; at < left.size(); at += kSectorBytes) {
      const std::size_t bytes = std::min(kSectorBytes, left.size() - at);
      const std::string sector = left.substr(at, bytes);
      const bool is_new = sector == now_.substr(at, bytes) && dirty_.contains(at);
      const bool is_old = sector == durable_.substr(at, bytes);
      EXPECT_TRUE((is_old && how != PowerCut::kKeepEverything) || is_new || !dirty_.contains(at));
      EXPECT_TRUE(is_old || (is_new && how != PowerCut::kKeepNothing)) << "sector at " << at;
    }
  }

 private:
  void mark(std::size_t begin, std::size_t end) {
    for (std::size_t at = begin / kSectorBytes * kSectorBytes; at < end; at += kSectorBytes) {
      dirty_.insert(at);
    }
  }
  std::set<std::size_t> lengths_after(PowerCut how) const {
    if (how == PowerCut::kKeepNothing) return {durable_bytes_};
    if (how == PowerCut::kKeepEverything) return {bytes_};
    if (how == PowerCut::kKeepRandom) return {durable_bytes_, bytes_};
    return {before_last_write_, bytes_};
  }

  std::string now_ = std::string(kSpace, '\0');
  std::string durable_ = std::string(kSpace, '\0');
  std::size_t bytes_ = 0;
  std::size_t durable_bytes_ = 0;
  std::size_t before_last_write_ = 0;
  std::set<std::size_t> dirty_;  // Offsets of sectors.
};

void store_mapped(testing::Random& random, char* memory, Model& model) {
  if (model.bytes() == 0) return;
  const std::size_t offset = random.below(model.bytes());
  const std::string bytes =
      random.bytes(random.between(1, std::min<std::size_t>(100, model.bytes() - offset)));
  std::memcpy(memory + offset, bytes.data(), bytes.size());
  model.store(offset, bytes);
}

void step(testing::Random& random, SimulatedFile& file, Model& model, char* memory) {
  const std::uint64_t dice = random.below(100);
  if (dice < 40) {
    const std::size_t offset = random.below(Model::kSpace - 3'000);
    const std::string bytes = random.bytes(random.between(1, 3'000));
    file.write(offset, bytes);
    model.write(offset, bytes);
  } else if (dice < 55) {
    const std::size_t offset = random.below(3) * kBlockBytes;
    const std::string bytes = random.bytes(kBlockBytes);
    file.write_durable(offset, bytes);
    model.write_durable(offset, bytes);
  } else if (dice < 70) {
    const std::size_t bytes = random.below(Model::kSpace);
    file.resize(bytes);
    model.resize(bytes);
  } else if (dice < 80 && memory != nullptr) {
    store_mapped(random, memory, model);
  } else if (dice < 95) {
    file.sync();
    model.sync();
  } else {
    file.drop_dirty();
    model.drop_dirty();
  }
}

void run_history(std::uint64_t stream, bool is_mapped) {
  testing::Random random(testing::seed(), stream);
  SimulatedFile file;
  Model model;
  const SimulatedFile::Memory memory = is_mapped ? file.map(Model::kSpace) : nullptr;
  for (int i = 0; i < 60; ++i) {
    step(random, file, model, is_mapped ? memory->begin() : nullptr);
    ASSERT_EQ(content(file), model.seen());
    file.check();
    const PowerCut how = kCuts[random.below(kCuts.size())];
    model.expect_possible(after_cut(file, how, random.next()), how);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "history " << stream << ", step " << i;
  }
}

// F1, F2, F4, F5, F6
TEST(SimulatedFile, AgreesWithItsModelOverRandomHistories) {
  for (std::uint64_t stream = 0; stream < 40; ++stream) {
    ASSERT_NO_FATAL_FAILURE(run_history(stream, false));
  }
}

// The same with stores through a mapping, which the file learns of only by comparing.
TEST(SimulatedFile, AgreesWithItsModelWhenItIsMapped) {
  for (std::uint64_t stream = 100; stream < 130; ++stream) {
    ASSERT_NO_FATAL_FAILURE(run_history(stream, true));
  }
}

TEST(SimulatedFileDeathTest, RefusesToTearItsOwnContract) {
  SimulatedFile file;
  EXPECT_DEATH(file.write_durable(1, sectors("a")), "a durable write begins with a sector");
  EXPECT_DEATH(file.resize(SimulatedFile::kBytesMax + 1), "no file exceeds the largest");
  EXPECT_DEATH(file.overwrite(0, std::string("x")), "damage ends inside the file");
}

}  // namespace
}  // namespace ashlar::os
