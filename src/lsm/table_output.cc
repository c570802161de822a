#include "lsm/table_output.h"

#include <utility>

#include "base/assert.h"
#include "base/hash.h"

namespace ashlar::lsm {
namespace {

TableInfo info_of(std::uint64_t number, const table::TableProperties& properties) {
  return {.number = number,
          .age_rank = number,  // Files of later flushes have larger numbers.
          .file_bytes = properties.file_bytes,
          .row_count = properties.row_count,
          .erase_count = properties.erase_count,
          .expiring_count = properties.expiring_count,
          .earliest_deadline_ms = properties.earliest_deadline_ms,
          .smallest = properties.smallest_key,
          .largest = properties.largest_key};
}

/// An expired row hides the older ones of its key as an erase does.
engine::Operation erase_of(const engine::Operation& row) noexcept {
  return {.kind = engine::OperationKind::kErase, .key = row.key, .value = {}};
}

}  // namespace

TableOutput::TableOutput(TableStore& store, const OutputRule& rule) : store_(store), rule_(rule) {}

TableOutput::~TableOutput() {
  if (is_finished_) return;
  if (writer_ != nullptr) {
    writer_.reset();
    store_.give_up(number_);
  }
  for (const TableInfo& table : written_) store_.give_up(table.number);
}

/// Whether the row says nothing to anybody: gone, with nothing older to hide.
bool TableOutput::is_let_go(const engine::Operation& row) const noexcept {
  return rule_.is_bottom_most && row.kind == engine::OperationKind::kErase;
}

Result<void> TableOutput::add(const engine::Operation& row) {
  ASHLAR_ASSERT(!is_finished_, "what is finished takes no row");
  const bool is_expired =
      row.kind == engine::OperationKind::kPut && row.deadline_ms <= rule_.now_ms;
  const engine::Operation kept = is_expired ? erase_of(row) : row;
  if (is_let_go(kept)) return {};
  if (is_table_full(kept.key)) ASHLAR_TRY(finish_table());
  if (writer_ == nullptr) ASHLAR_TRY(begin_table());
  return writer_->add(kept, base::hash_key(kept.key, store_.identity().hash_seed));
}

Result<void> TableOutput::add_some(engine::RowCursor& rows, std::uint64_t count_max) {
  for (; count_max > 0 && rows.is_valid(); rows.next(), --count_max) {
    ASHLAR_TRY(add({.kind = rows.kind(),
                    .key = rows.key(),
                    .value = rows.value(),
                    .deadline_ms = rows.deadline_ms()}));
  }
  return {};
}

/// Whether `key` begins another table: for the length of the one at hand, or for what that overlaps
/// with a level further down.
bool TableOutput::is_table_full(std::string_view key) {
  while (cut_index_ < rule_.cut_along.size() && rule_.cut_along[cut_index_]->info().largest < key) {
    if (writer_ != nullptr) cut_bytes_ += rule_.cut_along[cut_index_]->info().file_bytes;
    ++cut_index_;
  }
  if (writer_ == nullptr) return false;
  return writer_->file_bytes() >= rule_.table_bytes_max || cut_bytes_ > rule_.cut_bytes_max;
}

Result<void> TableOutput::begin_table() {
  number_ = store_.take_number();
  cut_bytes_ = 0;
  ASHLAR_TRY_ASSIGN(writer_, store_.begin(number_, rule_.table));
  return {};
}

Result<void> TableOutput::finish_table() {
  ASHLAR_ASSERT(writer_ != nullptr, "a table that is finished was begun");
  ASHLAR_TRY_ASSIGN(const table::TableProperties properties, writer_->finish());
  writer_.reset();
  written_.push_back(info_of(number_, properties));
  const std::size_t count = written_.size();
  if (count < 2) return {};
  ASHLAR_ASSERT(written_[count - 2].largest < written_[count - 1].smallest,
                "V16: tables come in the order of their keys");
  return {};
}

Result<std::vector<base::Ref<const OpenTable>>> TableOutput::finish() {
  if (writer_ != nullptr) ASHLAR_TRY(finish_table());
  if (!written_.empty()) ASHLAR_TRY(store_.sync_names());
  std::vector<base::Ref<const OpenTable>> tables;
  for (const TableInfo& info : written_) {
    ASHLAR_TRY_ASSIGN(auto table, store_.open(info));
    tables.push_back(std::move(table));
  }
  is_finished_ = true;
  return tables;
}

}  // namespace ashlar::lsm
