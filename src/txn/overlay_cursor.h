/// \file
/// A walk over a snapshot with a transaction's own writes laid over it, noting what it passes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/iterator.h"
#include "engine/cursor.h"
#include "txn/read_set.h"
#include "txn/write_set.h"

namespace ashlar::txn {

/// Sees the writes that were made before it was opened. The contracts are those of `Iterator`.
///
/// Threads:  externally synchronised.
/// Lifetime: `passed` and `open_count` outlive it.
class OverlayCursor final : public engine::Cursor {
 public:
  struct World {
    Range range;
    PassedRange* passed = nullptr;      ///< Null: nobody asks.
    std::size_t* open_count = nullptr;  ///< Of cursors; counted up here, and down in the end.
  };

  /// Input: below  over `world.range`
  OverlayCursor(World world, std::unique_ptr<engine::Cursor> below, const WriteSet& writes);
  ~OverlayCursor() override { --*world_.open_count; }

  void seek_to_first() override;
  void seek_to_last() override;
  void seek(std::string_view key) override;
  void seek_for_previous(std::string_view key) override;
  void next() override;
  void previous() override;
  bool is_valid() const noexcept override { return stand_ != Stand::kNowhere; }
  std::string_view key() const noexcept override;
  std::string_view value() const noexcept override;
  Result<void> status() const override { return below_->status(); }

 private:
  struct Row {
    std::string key;
    std::optional<std::string> value;  // Nullopt: erased.
  };
  enum class Stand : std::uint8_t { kNowhere, kOver, kBelow };

  // Where own rows are told by their index, walking backward it is one more: 0 is in front of all.
  void begin_forward(std::string_view from);
  void begin_backward(std::string_view from);
  void settle_forward();
  void settle_backward();
  void pass_forward(std::string_view from);
  void pass_backward(std::string_view from);
  void pass_from_end();
  bool is_below_at(std::string_view key) const noexcept {
    return below_->is_valid() && below_->key() == key;
  }

  const World world_;
  const std::unique_ptr<engine::Cursor> below_;
  std::vector<Row> rows_;  // Ascending.
  std::size_t next_row_ = 0;
  Stand stand_ = Stand::kNowhere;
  bool is_forward_ = true;
  std::string key_;  // Of the row stood on.
};

}  // namespace ashlar::txn
