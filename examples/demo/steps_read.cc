#include <algorithm>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "steps.h"

namespace demo {
namespace {

constexpr std::size_t kReadsMax = 200'000;
constexpr std::size_t kReadsPerRecord = 100;
constexpr std::size_t kGroup = 16;
constexpr std::size_t kRowsShown = 3;
constexpr std::string_view kPrefix = "pkg:libc";

/// Up to `kReadsMax` keys of the catalogue in random order, the same ones in every run.
std::vector<std::string_view> choose_keys(const Catalogue& catalogue) {
  // A fixed seed, so that two runs do the same.
  std::mt19937_64 random(2023);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  std::uniform_int_distribution<std::size_t> pick(0, catalogue.records.size() - 1);
  std::vector<std::string_view> keys(
      std::min(kReadsMax, kReadsPerRecord * catalogue.records.size()));
  for (auto& key : keys) key = catalogue.records[pick(random)].key;
  return keys;
}

/// The first line of a record: its name.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

ashlar::Result<void> read_points(const Stage& stage) {
  auto& terminal = stage.terminal;
  terminal.heading("Point reads: random records");
  const auto keys = choose_keys(stage.catalogue);

  const Stopwatch single;
  std::uint64_t bytes = 0;
  for (const auto key : keys) {
    ASHLAR_TRY_ASSIGN(const auto value, stage.db.get(key));
    if (!value) return wrong(std::string(key) + ": stored, but not found");
    bytes += value->size();
  }
  terminal.figure("one at a time", {grouped(keys.size()), " reads, ", mebibytes(bytes), ", ",
                                    single.elapsed(), ": ", single.rate(keys.size())});

  const Stopwatch several;
  for (std::size_t index = 0; index < keys.size(); index += kGroup) {
    const auto group = std::span(keys).subspan(index, std::min(kGroup, keys.size() - index));
    ASHLAR_TRY_ASSIGN(const auto values, stage.db.multi_get(group));
    if (!std::ranges::all_of(values, [](const auto& value) { return value.has_value(); })) {
      return wrong(std::string(group.front()) + " or one read with it: stored, but not found");
    }
  }
  terminal.figure("16 at a time", {grouped(keys.size()), " reads, ", several.elapsed(), ": ",
                                   several.rate(keys.size())});

  const Stopwatch absent;
  for (const auto key : keys) {
    // Every key in the database begins with "pkg:", so none begins with "kg:".
    ASHLAR_TRY_ASSIGN(const bool is_there, stage.db.exists(key.substr(1)));
    if (is_there) return wrong("a key that was never stored is there");
  }
  terminal.figure("absent keys", {grouped(keys.size()), " questions, ", absent.elapsed(), ": ",
                                  absent.rate(keys.size())});
  return {};
}

ashlar::Result<void> scan_prefix(const Stage& stage) {
  auto& terminal = stage.terminal;
  terminal.heading("Prefix scan: all keys that begin with pkg:libc");

  const Stopwatch opening;
  ASHLAR_TRY_ASSIGN(auto rows, stage.db.scan(ashlar::Range::prefix(kPrefix)));
  rows.seek_to_first();
  ASHLAR_TRY(rows.status());
  terminal.figure("first scan", {opening.elapsed(), ", with the ordered side built for it"});

  const Stopwatch forward;
  std::size_t count = 0;
  for (; rows.is_valid(); rows.next()) {
    if (count < kRowsShown) terminal.line({rows.key(), "  ", first_line(rows.value())});
    ++count;
  }
  ASHLAR_TRY(rows.status());
  terminal.figure("forward",
                  {grouped(count), " rows, ", forward.elapsed(), ": ", forward.rate(count)});

  const Stopwatch backward;
  std::size_t count_back = 0;
  for (rows.seek_to_last(); rows.is_valid(); rows.previous()) ++count_back;
  ASHLAR_TRY(rows.status());
  terminal.figure("backward", {grouped(count_back), " rows, ", backward.elapsed(), ": ",
                               backward.rate(count_back)});

  const auto expected = std::ranges::count_if(stage.catalogue.records, [](const Record& record) {
    return !record.is_superseded && record.key.starts_with(kPrefix);
  });
  if (!std::cmp_equal(count, expected) || count != count_back) {
    return wrong("the scan found " + grouped(count) + " rows forward, " + grouped(count_back) +
                 " backward, and the source has " + grouped(static_cast<std::uint64_t>(expected)));
  }
  terminal.good({"both directions give as many rows as the source has"});
  return {};
}

}  // namespace demo
