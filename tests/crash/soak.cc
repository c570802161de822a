// The campaign `soak`: a database that is twenty times as large as its memory is loaded, read,
// walked, overwritten, erased from, compacted and opened again, and every answer is looked at. Then
// another one is filled and emptied again and again, and must not have grown.
//
//     soak [--size=GiB] [--mebibytes=instead of it] [--seed=] [--cycles=] [--open_ms_max=0 for any]
//     [--resident=judged|printed]
//     [--plant=lost-write|open-files|left-files|kept-memory]
//
// The memory budget is a twentieth of the data, or the smallest there is. What is resident beside
// what the campaign itself had before (and beside pages of files, see process_figures.h) may be a
// tenth more; of a small budget as much more as buffers of compactions and the allocator take of
// any.

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "ashlar/db.h"
#include "campaign_arguments.h"
#include "process_figures.h"
#include "soak_rows.h"
#include "soak_table.h"
#include "testing/random.h"
#include "testing/temporary_directory.h"

namespace ashlar::crash {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;
constexpr std::uint64_t kDataPerBudget = 20;

// The log has one segment more or less, depending on where in it the last commit lies.
constexpr std::uint64_t kLogSlackFiles = 1;
constexpr std::uint64_t kLogSlackBytes = 65 * kMebibyte;
// A manifest may be a little longer or shorter.
constexpr std::uint64_t kTablesSlackBytes = std::uint64_t{64} << 10U;

// What is not on the budget and does not grow with it: blocks that compactions have read ahead,
// some 0.5 MiB for each table or level, and what the allocator keeps for each of six threads.
constexpr std::uint64_t kOverheadBytes = 32 * kMebibyte;

/// Bugs that can be planted, each of which the campaign must find.
enum class Plant : std::uint8_t { kNone, kLostWrite, kOpenFiles, kLeftFiles, kKeptMemory };

enum class Resident : std::uint8_t { kJudged, kPrinted };

struct Campaign {
  std::uint64_t bytes = 1024 * kMebibyte;
  std::uint64_t seed = 1;
  std::uint64_t cycle_count = 10;
  std::uint64_t open_ms_max = 2000;
  Resident resident = Resident::kJudged;
  Plant plant = Plant::kNone;

  std::uint64_t budget_bytes() const noexcept {
    return std::max<std::uint64_t>(bytes / kDataPerBudget, kDiskMemoryBudgetBytesMin);
  }
};

class Stopwatch {
 public:
  std::uint64_t ms() const {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now() - begin_)
                                          .count());
  }

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

class Run {
 public:
  explicit Run(const Campaign& campaign)
      : campaign_(campaign),
        random_(campaign.seed),
        rows_(campaign.bytes / SoakRows::kRowBytes),
        own_bytes_(resident_bytes()),
        directory_(temporary_.path() / "data") {}

  int operator()() {
    std::vector<char> kept;
    if (campaign_.plant == Plant::kKeptMemory) kept.assign(2 * campaign_.budget_bytes(), 'k');
    const std::uint64_t files_before = open_file_count();
    if (const auto done = live(); !done) findings_.add(std::string(done.error().message()));
    if (open_file_count() != files_before) findings_.add("files are open after it was closed");
    std::filesystem::remove_all(directory_);
    if (const auto done = fill_and_empty(); !done) {
      findings_.add(std::string(done.error().message()));
    }
    judge_memory();
    print();
    return findings_.count() == 0 ? 0 : 1;
  }

 private:
  Result<Db> open() const {
    return Db::open({.directory = directory_.string(),
                     .engine = Engine::kDisk,
                     .memory_budget_bytes = campaign_.budget_bytes()});
  }

  SoakTable table_in(Db& db, SoakRows& rows) {
    constexpr std::uint64_t kLostWriteStride = 10'007;
    return {db, rows, findings_, counts_,
            campaign_.plant == Plant::kLostWrite ? kLostWriteStride : 0};
  }

  /// The whole life of the large one.
  Result<void> live() {
    {
      ASHLAR_TRY_ASSIGN(Db db, open());
      SoakTable table = table_in(db, rows_);
      ASHLAR_TRY(load(table, db));
      ASHLAR_TRY(read_at_random(table, db, "read"));
      ASHLAR_TRY(walk_parts(table, db));
      ASHLAR_TRY(churn(table, db));
      ASHLAR_TRY(walk_parts(table, db));
      ASHLAR_TRY(db.compact());
      tell("compact", 1, 1, db);
      ASHLAR_TRY(table.walk_forward(0, rows_.row_count()));
      tell("walk through all", 1, 1, db);
      ASHLAR_TRY(db.close());
    }
    const Stopwatch watch;
    ASHLAR_TRY_ASSIGN(Db db, open());
    open_ms_ = watch.ms();
    if (campaign_.open_ms_max != 0 && open_ms_ > campaign_.open_ms_max) {
      findings_.add("opening took " + std::to_string(open_ms_) + " ms");
    }
    SoakTable table = table_in(db, rows_);
    ASHLAR_TRY(read_at_random(table, db, "read again"));
    return db.close();
  }

  /// Even rows in order; odd ones in none, so that they fall among all that is there.
  Result<void> load(SoakTable& table, const Db& db) {
    const std::uint64_t half = rows_.row_count() / 2;
    std::uint64_t stride = half / 2 + half / 8 + random_.below(1000) + 1;
    while (std::gcd(stride, half) != 1) ++stride;
    for (std::uint64_t i = 0; i < half; ++i) {
      ASHLAR_TRY(table.put(2 * i));
      tell("load in order", i + 1, half, db);
    }
    for (std::uint64_t i = 0; i < half; ++i) {
      ASHLAR_TRY(table.put(2 * (i * stride % half) + 1));
      tell("load in no order", i + 1, half, db);
    }
    return {};
  }

  /// Half of them alone, half in groups.
  Result<void> read_at_random(SoakTable& table, const Db& db, const char* name) {
    constexpr std::uint64_t kGroup = 32;
    const std::uint64_t group_count = rows_.row_count() / 100 / (2 * kGroup);
    for (std::uint64_t i = 0; i < group_count && !findings_.is_enough(); ++i) {
      std::vector<std::uint64_t> numbers(kGroup);
      for (std::uint64_t& number : numbers) {
        number = random_.below(rows_.row_count());
        ASHLAR_TRY(table.read(random_.below(rows_.row_count())));
      }
      ASHLAR_TRY(table.read_many(numbers));
      tell(name, i + 1, group_count, db);
    }
    return {};
  }

  Result<void> walk_parts(SoakTable& table, const Db& db) {
    constexpr std::uint64_t kParts = 40;
    const std::uint64_t length = rows_.row_count() / 200;
    for (std::uint64_t i = 0; i < kParts && !findings_.is_enough(); ++i) {
      const std::uint64_t from = random_.below(rows_.row_count());
      if (i % 2 == 0) {
        ASHLAR_TRY(table.walk_forward(from, length));
      } else {
        ASHLAR_TRY(table.walk_backward(from, length));
      }
      tell("walk", i + 1, kParts, db);
    }
    return {};
  }

  Result<void> churn(SoakTable& table, const Db& db) {
    constexpr std::uint64_t kStepsPerWalk = 100'000;
    const std::uint64_t step_count = rows_.row_count() / 8;
    for (std::uint64_t i = 0; i < step_count && !findings_.is_enough(); ++i) {
      const std::uint64_t number = random_.below(rows_.row_count());
      const std::uint64_t kind = random_.below(100);
      if (kind < 60) {
        ASHLAR_TRY(table.put(number));
      } else if (kind < 90) {
        ASHLAR_TRY(table.erase(number));
      } else {
        ASHLAR_TRY(table.read(number));
      }
      if (i % kStepsPerWalk == 0) ASHLAR_TRY(table.walk_forward(number, 1000));
      tell("overwrite and erase", i + 1, step_count, db);
    }
    return {};
  }

  /// What one that was filled and emptied holds on to.
  struct Held {
    std::uint64_t file_count = 0;
    std::uint64_t log_bytes = 0;
    std::uint64_t other_bytes = 0;
    bool operator==(const Held&) const = default;
  };

  Held held() const {
    const std::uint64_t log_bytes = bytes_on_disk(directory_ / "log");
    return {.file_count = open_file_count(),
            .log_bytes = log_bytes,
            .other_bytes = bytes_on_disk(directory_) - log_bytes};
  }

  /// Waits until what is held has not changed for a while: what goes in the background has gone.
  Held settled() const {
    constexpr int kMillisecondsApart = 200;
    constexpr int kLooksMax = 100;
    constexpr int kLooksEqual = 5;
    Held last = held();
    for (int look = 0, equal = 0; look < kLooksMax && equal < kLooksEqual; ++look) {
      poll(nullptr, 0, kMillisecondsApart);
      const Held now = held();
      equal = now == last ? equal + 1 : 0;
      last = now;
    }
    return last;
  }

  Result<void> fill_and_empty() {
    ASHLAR_TRY_ASSIGN(Db db, open());
    SoakRows rows(rows_.row_count() / kDataPerBudget);
    SoakTable table = table_in(db, rows);
    std::optional<Held> first;
    for (std::uint64_t cycle = 0; cycle < campaign_.cycle_count; ++cycle) {
      for (std::uint64_t i = 0; i < rows.row_count(); ++i) ASHLAR_TRY(table.put(i));
      ASHLAR_TRY(table.walk_forward(0, rows.row_count()));
      for (std::uint64_t i = 0; i < rows.row_count(); ++i) ASHLAR_TRY(table.erase(i));
      ASHLAR_TRY(db.checkpoint());
      ASHLAR_TRY(db.compact());
      ASHLAR_TRY(table.walk_forward(0, 1));
      leak(cycle);
      const Held now = settled();
      if (!first) first = now;
      judge_cycle(cycle, *first, now);
      tell("fill and empty", cycle + 1, campaign_.cycle_count, db);
    }
    return db.close();
  }

  /// Planted.
  void leak(std::uint64_t cycle) const {
    if (campaign_.plant == Plant::kOpenFiles) {
      for (int i = 0; i < 3; ++i) (void)::open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    if (campaign_.plant == Plant::kLeftFiles) {
      std::ofstream(directory_ / ("left" + std::to_string(cycle))) << std::string(kMebibyte, 'l');
    }
  }

  void judge_cycle(std::uint64_t cycle, const Held& first, const Held& now) {
    std::printf("soak: cycle %" PRIu64 ": %" PRIu64 " files open, %" PRIu64 " KiB of log, %" PRIu64
                " KiB beside it\n",
                cycle + 1, now.file_count, now.log_bytes / 1024, now.other_bytes / 1024);
    if (now.file_count > first.file_count + kLogSlackFiles) findings_.add("files stay open");
    if (now.log_bytes > first.log_bytes + kLogSlackBytes) findings_.add("the log has grown");
    if (now.other_bytes > first.other_bytes + kTablesSlackBytes) findings_.add("files are left");
  }

  std::uint64_t resident_max() const {
    return std::max(watch_.bytes_max(), own_bytes_) - own_bytes_;
  }

  void judge_memory() {
    if (campaign_.resident == Resident::kPrinted) return;
    if (watch_.look_count() == 0 || watch_.bytes_max() == 0) findings_.add("nobody saw the memory");
    const std::uint64_t bytes_max =
        campaign_.budget_bytes() + std::max(campaign_.budget_bytes() / 10, kOverheadBytes);
    if (resident_max() > bytes_max) {
      findings_.add(std::to_string(resident_max()) + " bytes were resident, more than " +
                    std::to_string(bytes_max));
    }
  }

  /// Prints, in each part, every twentieth of the way.
  void tell(const char* part, std::uint64_t done, std::uint64_t total, const Db& db) {
    if (done != total && done % std::max<std::uint64_t>(total / 20, 1) != 0) return;
    std::printf("soak: %s %" PRIu64 " of %" PRIu64 ", %" PRIu64 " s, %" PRIu64 " of %" PRIu64
                " MiB counted, %" PRIu64 " resident, at most %" PRIu64 "\n",
                part, done, total, since_begin_.ms() / 1000, db.approximate_memory() / kMebibyte,
                campaign_.budget_bytes() / kMebibyte,
                (std::max(resident_bytes(), own_bytes_) - own_bytes_) / kMebibyte,
                resident_max() / kMebibyte);
    std::fflush(stdout);
    if (db.approximate_memory() > campaign_.budget_bytes()) findings_.add("M1: over the budget");
  }

  void print() const {
    std::printf("campaign soak: written_mib=%" PRIu64 " puts=%" PRIu64 " erases=%" PRIu64
                " reads=%" PRIu64 " walked=%" PRIu64 " budget_mib=%" PRIu64
                " resident_mib_max=%" PRIu64 " looks=%" PRIu64 " open_ms=%" PRIu64
                " cycles=%" PRIu64 " seconds=%" PRIu64 " violations=%" PRIu64 " skipped=0\n",
                counts_.written_bytes / kMebibyte, counts_.put_count, counts_.erase_count,
                counts_.read_count, counts_.walked_count, campaign_.budget_bytes() / kMebibyte,
                resident_max() / kMebibyte, watch_.look_count(), open_ms_, campaign_.cycle_count,
                since_begin_.ms() / 1000, findings_.count());
  }

  const Campaign campaign_;
  testing::Random random_;
  SoakRows rows_;
  const std::uint64_t own_bytes_;  // What the campaign holds itself, mostly the rows.
  testing::TemporaryDirectory temporary_;
  const std::filesystem::path directory_;
  const Stopwatch since_begin_;
  SoakFindings findings_;
  SoakCounts counts_;
  std::uint64_t open_ms_ = 0;
  ResidentWatch watch_;
};

}  // namespace
}  // namespace ashlar::crash

int main(int argument_count, char** argument_list) {
  using ashlar::crash::Plant;
  using ashlar::crash::Resident;
  ashlar::crash::CampaignArguments arguments(argument_count, argument_list);
  ashlar::crash::Campaign campaign;
  const std::uint64_t mebibytes = arguments.number("size", 1) * 1024;
  campaign.bytes = arguments.number("mebibytes", mebibytes) * ashlar::crash::kMebibyte;
  campaign.seed = arguments.number("seed", campaign.seed);
  campaign.cycle_count = arguments.number("cycles", campaign.cycle_count);
  campaign.open_ms_max = arguments.number("open_ms_max", campaign.open_ms_max);
  campaign.resident =
      arguments.choice("resident", campaign.resident,
                       {{"judged", Resident::kJudged}, {"printed", Resident::kPrinted}});
  campaign.plant = arguments.choice("plant", campaign.plant,
                                    {{"lost-write", Plant::kLostWrite},
                                     {"open-files", Plant::kOpenFiles},
                                     {"left-files", Plant::kLeftFiles},
                                     {"kept-memory", Plant::kKeptMemory}});
  arguments.expect_nothing_left();
  return ashlar::crash::Run(campaign)();
}
