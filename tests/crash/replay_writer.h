/// \file
/// The writer of the campaign `replay`: random commits of every kind, and what each of them does to
/// the rows, told beforehand.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ashlar/db.h"
#include "testing/random.h"

namespace ashlar::crash {

struct ReplayRow {
  std::string value;
  std::int64_t deadline_ms = Expiry::kNeverMs;

  bool is_there(std::int64_t now_ms) const noexcept { return now_ms < deadline_ms; }
  bool operator==(const ReplayRow&) const = default;
};

/// What a commit leaves of a key; nullopt: nothing.
using ReplayEffect = std::pair<std::string, std::optional<ReplayRow>>;

/// All rows as the commits have left them. A row whose deadline has passed stays: no commit tells
/// that it goes.
class ReplayRows {
 public:
  void apply(const std::vector<ReplayEffect>& effects);
  void set(std::string_view key, std::optional<ReplayRow> row);

  /// Null when it is not there at all.
  const ReplayRow* find(std::string_view key) const;

  /// A number that two different sets of rows do not share. Cost: none, it is kept up to date
  std::uint64_t fingerprint() const noexcept { return fingerprint_; }

  const std::map<std::string, ReplayRow, std::less<>>& rows() const noexcept { return rows_; }

  /// Those that are there at a moment.
  ReplayRows at(std::int64_t now_ms) const;

 private:
  std::map<std::string, ReplayRow, std::less<>> rows_;
  std::uint64_t fingerprint_ = 0;  // The sum of those of the rows.
};

/// Threads: confined.
class ReplayWriter {
 public:
  explicit ReplayWriter(std::uint64_t seed) noexcept : random_(seed, 11) {}

  enum class Kind : std::uint8_t { kPut, kErase, kExpire, kPersist, kBatch, kTransaction };

  /// A call, and what it does: without an effect it finds nothing to do and commits nothing.
  struct Step {
    Kind kind = Kind::kPut;
    Durability durability = Durability::kProcess;
    std::string key;  ///< Of the first four kinds.
    std::vector<ReplayEffect> effects;
  };

  Step next(const ReplayRows& rows, std::int64_t now_ms);

 private:
  std::string some_key() { return "key" + std::to_string(random_.below(kKeyCount)); }
  ReplayRow some_row(std::int64_t now_ms);
  std::vector<ReplayEffect> some_puts_and_erases(std::int64_t now_ms);
  std::vector<ReplayEffect> some_of_every_kind(const ReplayRows& rows, std::int64_t now_ms);

  static constexpr std::uint64_t kKeyCount = 200;

  testing::Random random_;
};

/// Makes `step` in `db`. Returns: whether it found something to do
///
/// Errors: those of the database
Result<bool> run_step(Db& db, const ReplayWriter::Step& step);

/// Reads all rows of `db`, with their deadlines.
///
/// Errors: those of the database
Result<ReplayRows> read_rows(Db& db);

}  // namespace ashlar::crash
