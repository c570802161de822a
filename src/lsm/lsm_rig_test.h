/// \file
/// Tables that are figures only, for the tests of what deals with lists of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "lsm/table.h"
#include "lsm/version.h"

namespace ashlar::lsm {

/// Ends of a table: "from" and "to", both included.
struct Ends {
  std::string from;
  std::string to;
};

inline TableInfo info_of(std::uint64_t number, const Ends& ends, std::uint64_t file_bytes = 100) {
  return {.number = number,
          .age_rank = number,
          .file_bytes = file_bytes,
          .row_count = 10,
          .smallest = ends.from,
          .largest = ends.to};
}

inline TableRef table_of(const TableInfo& info) {
  return TableRef(base::make_ref<Table>(info));
}

/// The version with `table` besides.
inline Version with(const Version& version, std::uint32_t level, const TableInfo& table) {
  const Result<Version> next =
      version.apply({.additions = {{.level = level, .table = table_of(table)}}});
  ASHLAR_ASSERT(next.has_value(), "a test sets up a version that may be");
  return *next;
}

}  // namespace ashlar::lsm
