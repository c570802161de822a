/// \file
/// Writes rows in the order of their keys to as many tables as they fill: what flushes and
/// compactions end in.
///
/// Invariants:
///   V16  Rows in are rows out, in their order, but for those that the rule lets go of; tables come
///       in the order of their keys and none overlaps another.
///   V17  When it is given up, or goes without `finish`, none of its files is left.
///   V44  A table tells of each piece exactly the bytes that its rows refer to.
///   V20  A block that is added whole leaves the rows that adding each of them would leave.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "engine/large_values.h"
#include "engine/row_cursor.h"
#include "lsm/table_store.h"
#include "table/table_walk.h"
#include "table/table_writer.h"

namespace ashlar::lsm {

/// What becomes of rows that no reader would be shown.
struct OutputRule {
  table::TableOptions table = {};
  std::uint64_t table_bytes_max = std::uint64_t{64} << 20U;  ///< About; a row may go beyond it.
  bool is_bottom_most = false;  ///< No older row of any key is left below (V11).
  engine::TimeMs now_ms = 0;    ///< What expired by then is gone for every reader to come.
  std::optional<std::uint64_t> age_rank =
      {};  ///< Of a table that is written anew; else its number.

  /// Tables that outputs are cut along, ascending: so that one output overlaps with few of them.
  std::vector<TableRef> cut_along = {};
  std::uint64_t cut_bytes_max = std::uint64_t{640} << 20U;  ///< Of them, for one output.
};

/// Threads:  externally synchronised.
/// Lifetime: the store must outlive it.
class TableOutput {
 public:
  TableOutput(TableStore& store, OutputRule rule);
  TableOutput(const TableOutput&) = delete;
  TableOutput& operator=(const TableOutput&) = delete;
  ~TableOutput();

  /// Adds a row behind all others.
  ///
  /// Errors: kIo, kOutOfSpace  the output is of no use any more
  Result<void> add(const engine::Operation& row);

  /// Adds up to `count_max` rows from where `rows` stands, and leaves it behind them, so that the
  /// caller can look at other things in between. The caller asks `rows` for its status.
  ///
  /// Errors: as add
  Result<void> add_some(engine::RowCursor& rows, std::uint64_t count_max);

  /// Whether the block that `at` stands at the beginning of may be added whole: as it is stored it
  /// is what this output wants, the rule changes none of its rows (V20), and it leaves no more
  /// short blocks than there may be.
  ///
  /// Cost: a look at each of its rows, if all else is right
  bool may_add_block(const table::TableWalk& at) const;

  /// Adds that block behind all others.
  ///
  /// Errors: as add
  /// Cost:   a hash for each row; it is not compressed again
  Result<void> add_block(const table::TableWalk& at);

  /// Makes the tables durable, their names included, and opens them.
  ///
  /// Returns: none when no row was left
  Result<std::vector<base::Ref<const OpenTable>>> finish();

 private:
  bool is_expired(engine::TimeMs deadline_ms) const noexcept { return deadline_ms <= rule_.now_ms; }
  bool is_let_go(engine::OperationKind kind) const noexcept;
  bool changes_a_row_of(const table::Block& rows) const noexcept;
  bool may_end_block() const noexcept;
  bool is_table_full(std::string_view key);
  Result<void> make_room_for(std::string_view key);
  Result<void> begin_table();
  Result<void> count_reference(std::string_view reference);
  Result<void> count_bytes(std::uint64_t position, std::uint64_t bytes);
  Result<void> finish_table();

  TableStore& store_;
  const OutputRule rule_;
  std::unique_ptr<table::TableWriter> writer_;  // Null between two tables.
  std::uint64_t number_ = 0;                    // Of its file.
  std::uint64_t short_block_index_ = 0;         // Of the last that was ended early in it, plus one.
  std::vector<TableInfo> written_;
  std::vector<engine::ValuePiece> pieces_;         // Known so far; ascending.
  std::map<std::uint64_t, std::uint64_t> shares_;  // Of the table at hand: bytes of each piece.
  std::size_t cut_index_ = 0;    // The tables to cut along before it end before the key at hand.
  std::uint64_t cut_bytes_ = 0;  // Of those that the table at hand has passed.
  bool is_finished_ = false;
};

}  // namespace ashlar::lsm
