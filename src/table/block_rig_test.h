/// \file
/// Rows for tests of blocks and tables, and blocks made of them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "engine/operation.h"
#include "table/block.h"
#include "table/block_builder.h"
#include "testing/random.h"

namespace ashlar::table {

struct TestRow {
  engine::OperationKind kind = engine::OperationKind::kPut;
  std::string value = {};  // Said, so that g++ 12 lets it be left out of a list.
  engine::TimeMs deadline_ms = engine::kNever;

  bool operator==(const TestRow&) const = default;
};
using TestRows = std::map<std::string, TestRow>;

inline constexpr std::uint64_t kTestHashSeed = 7;

inline std::uint64_t test_hash(std::string_view key) noexcept {
  return base::hash_key(key, kTestHashSeed);
}

inline engine::Operation operation_of(const TestRows::value_type& row) {
  return {.kind = row.second.kind,
          .key = row.first,
          .value = row.second.value,
          .deadline_ms = row.second.deadline_ms};
}

inline TestRow row_of(const Block& block, std::uint32_t row) {
  return {.kind = block.kind(row),
          .value = std::string(block.value(row)),
          .deadline_ms = block.deadline_ms(row)};
}

/// Keys that are hard to tell apart: shared beginnings, prefixes of each other, NUL and 0xff bytes.
inline std::string hard_key(testing::Random& random) {
  static constexpr std::string_view kBytes(
      "\0\x01\x7f\x80\xff"
      "ab",
      7);
  std::string key = random.chance(50) ? "shared:" : "";
  const std::uint64_t bytes = random.between(1, random.chance(90) ? 9 : 40);
  for (std::uint64_t i = 0; i < bytes; ++i) key += kBytes[random.below(kBytes.size())];
  return key;
}

/// What a test draws rows by.
struct RowForm {
  std::uint64_t value_bytes_max = 60;
  std::uint64_t erase_percent = 10;
  std::uint64_t deadline_percent = 10;
};

inline TestRow random_row(testing::Random& random, const RowForm& form) {
  if (random.chance(form.erase_percent)) return {.kind = engine::OperationKind::kErase};
  TestRow row;
  row.value = random.bytes(random.below(form.value_bytes_max + 1));
  if (random.chance(form.deadline_percent)) {
    row.deadline_ms = static_cast<engine::TimeMs>(random.next() >> 2U);
  }
  return row;
}

/// As many of `rows` from `from` on as fit into one block; `from` goes behind them.
inline std::string block_of_rows(TestRows::const_iterator& from, const TestRows& rows) {
  BlockBuilder builder;
  while (from != rows.end() && builder.fits(operation_of(*from))) {
    builder.add(operation_of(*from), tag_of(test_hash(from->first)));
    ++from;
  }
  std::string raw;
  builder.finish(raw);
  return raw;
}

inline std::string block_of_rows(const TestRows& rows) {
  auto from = rows.begin();
  return block_of_rows(from, rows);
}

}  // namespace ashlar::table
