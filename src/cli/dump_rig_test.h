/// \file
/// Rows to dump, and dumps as strings.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/dump_form.h"

namespace ashlar::cli {

struct OwnedRow {
  std::string key;
  std::string value;
  std::int64_t deadline_ms = Expiry::kNeverMs;
  bool operator==(const OwnedRow&) const = default;
};

inline std::string dump_of(DumpWriter& writer, const std::vector<OwnedRow>& rows) {
  std::string bytes;
  writer.append_begin(bytes);
  for (const OwnedRow& row : rows) {
    writer.append_row(bytes, {.key = row.key, .value = row.value, .deadline_ms = row.deadline_ms});
  }
  writer.append_end(bytes);
  return bytes;
}

/// A source that hands `bytes` out in pieces of `piece` bytes.
inline DumpInput::Source pieces_of(std::string_view bytes, std::size_t piece) {
  return [bytes, piece](std::span<char> to) mutable -> Result<std::size_t> {
    const std::size_t count = std::min({piece, bytes.size(), to.size()});
    bytes.copy(to.data(), count);
    bytes.remove_prefix(count);
    return count;
  };
}

struct ReadDump {
  std::vector<OwnedRow> rows;
  std::string error;  ///< Empty when the dump is whole.
};

inline ReadDump read_dump(std::string_view bytes, std::size_t piece = 7) {
  DumpInput input(pieces_of(bytes, piece));
  ReadDump read;
  auto reader = make_reader(input, std::nullopt);
  if (!reader) return {.rows = {}, .error = std::string(reader.error().message())};
  while (true) {
    auto row = (*reader)->next();
    if (!row) {
      EXPECT_EQ(row.error().code(), ErrorCode::kCorruption);
      read.error = row.error().message();
      return read;
    }
    if (!*row) return read;
    read.rows.push_back(
        {std::string((*row)->key), std::string((*row)->value), (*row)->deadline_ms});
  }
}

/// Rows with every byte in keys and values, with and without deadlines.
inline std::vector<OwnedRow> odd_rows() {
  std::vector<OwnedRow> rows{{"a", ""}, {"empty deadline", "", 1}, {" ", "\"quoted\" \\ text"}};
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  rows.push_back({all, all, 1'800'000'000'123});
  rows.push_back({"long", std::string(100'000, '\n')});
  rows.push_back({"\xff", "# end 1 0123456789abcdef", Expiry::kNeverMs - 1});
  return rows;
}

}  // namespace ashlar::cli
