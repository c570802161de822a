#include "lsm/table_output.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"

namespace ashlar::lsm {
namespace {

// A block that is shorter is a short one. One that is handed through ends the block before it
// early; blocks that are short then are one in so many at most, so that tables do not fall to
// pieces from compaction to compaction.
constexpr std::size_t kBlockBytesMin = table::kBlockBytesMax / 2;
constexpr std::uint64_t kBlocksPerShortOne = 8;

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

TableOutput::TableOutput(TableStore& store, OutputRule rule)
    : store_(store), rule_(std::move(rule)) {}

TableOutput::~TableOutput() {
  if (is_finished_) return;
  if (writer_ != nullptr) {
    writer_.reset();
    store_.give_up(number_);
  }
  for (const TableInfo& table : written_) store_.give_up(table.number);
}

/// Whether a row says nothing to anybody: gone, with nothing older to hide.
bool TableOutput::is_let_go(engine::OperationKind kind) const noexcept {
  return rule_.is_bottom_most && kind == engine::OperationKind::kErase;
}

Result<void> TableOutput::add(const engine::Operation& row) {
  ASHLAR_ASSERT(!is_finished_, "what is finished takes no row");
  const engine::Operation kept = is_expired(row.deadline_ms) ? erase_of(row) : row;
  if (is_let_go(kept.kind)) return {};
  ASHLAR_TRY(make_room_for(kept.key));
  if (kept.kind == engine::OperationKind::kPutApart) ASHLAR_TRY(count_reference(kept.value));
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

bool TableOutput::changes_a_row_of(const table::Block& rows) const noexcept {
  for (std::uint32_t row = 0; row < rows.row_count(); ++row) {
    if (is_expired(rows.deadline_ms(row)) || is_let_go(rows.kind(row))) return true;
  }
  return false;
}

/// Whether the block at hand may end where it is: because it is long enough, or because few others
/// of the table are not.
bool TableOutput::may_end_block() const noexcept {
  if (writer_ == nullptr || writer_->open_block_bytes() == 0) return true;
  if (writer_->open_block_bytes() >= kBlockBytesMin || short_block_index_ == 0) return true;
  return writer_->block_count() >= short_block_index_ + kBlocksPerShortOne;
}

bool TableOutput::may_add_block(const table::TableWalk& at) const {
  ASHLAR_ASSERT(at.is_at_block_begin(), "a block is added from its first row on");
  const table::Compression wanted = rule_.table.compression;
  const table::StoredBlock& stored = at.stored_block();
  // A dictionary is trained on rows that are added one by one.
  return wanted != table::Compression::kZstdDictionary &&
         at.table().properties().compression == wanted &&
         table::TableWriter::can_take(stored.kind) && stored.raw_bytes >= kBlockBytesMin &&
         may_end_block() && !changes_a_row_of(at.rows());
}

Result<void> TableOutput::add_block(const table::TableWalk& at) {
  ASHLAR_ASSERT(!is_finished_, "what is finished takes no row");
  ASHLAR_DEBUG_ASSERT(may_add_block(at), "V20: the rule leaves its rows as they are");
  ASHLAR_TRY(make_room_for(at.key()));
  const std::size_t open_bytes = writer_->open_block_bytes();
  if (open_bytes > 0 && open_bytes < kBlockBytesMin) {
    short_block_index_ = writer_->block_count() + 1;
  }
  const table::Block& rows = at.rows();
  for (std::uint32_t row = 0; row < rows.row_count(); ++row) {
    if (rows.kind(row) != engine::OperationKind::kPutApart) continue;
    ASHLAR_TRY(count_reference(rows.value(row)));
  }
  return writer_->add_stored_block(at.stored_block(), rows);
}

/// A value may go on from one piece of the log into the next: each has its share.
Result<void> TableOutput::count_reference(std::string_view reference) {
  const auto value = engine::decode_value_reference(reference);
  ASHLAR_ASSERT(value.has_value(), "P9: a value that stands apart is referred to");
  if (is_collected(value->position)) {
    shares_[collected_position(collected_number_of(value->position), 0)] += value->bytes;
    return {};
  }
  return count_bytes(value->position, value->bytes);
}

Result<void> TableOutput::count_bytes(std::uint64_t position, std::uint64_t bytes) {
  const auto find = [&] {
    const auto behind = std::ranges::upper_bound(pieces_, position, {}, &engine::ValuePiece::first);
    return behind != pieces_.begin() && position < std::prev(behind)->end ? &*std::prev(behind)
                                                                          : nullptr;
  };
  while (bytes > 0) {
    const engine::ValuePiece* piece = find();
    if (piece == nullptr && store_.values() != nullptr) {
      pieces_ = store_.values()->pieces();
      piece = find();
    }
    if (piece == nullptr) {
      return std::unexpected(
          Error(ErrorCode::kCorruption,
                "a row refers to position " + std::to_string(position) + ", which no file has"));
    }
    const std::uint64_t here = std::min(bytes, piece->end - position);
    shares_[piece->first] += here;
    position += here;
    bytes -= here;
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

/// Makes `writer_` that of the table in which `key` belongs.
Result<void> TableOutput::make_room_for(std::string_view key) {
  if (is_table_full(key)) ASHLAR_TRY(finish_table());
  return writer_ == nullptr ? begin_table() : Result<void>();
}

Result<void> TableOutput::begin_table() {
  number_ = store_.take_number();
  short_block_index_ = 0;
  cut_bytes_ = 0;
  ASHLAR_TRY_ASSIGN(writer_, store_.begin(number_, rule_.table));
  return {};
}

Result<void> TableOutput::finish_table() {
  ASHLAR_ASSERT(writer_ != nullptr, "a table that is finished was begun");
  std::vector<table::ValueShare> shares;
  for (const auto& [first, bytes] : std::exchange(shares_, {})) {
    shares.push_back({.first = first, .bytes = bytes});
  }
  writer_->set_shares(std::move(shares));
  ASHLAR_TRY_ASSIGN(const table::TableProperties properties, writer_->finish());
  writer_.reset();
  written_.push_back(info_of(number_, properties));
  written_.back().age_rank = rule_.age_rank.value_or(number_);
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
