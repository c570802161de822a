#include "lsm/open_table.h"

#include <span>
#include <utility>

#include "base/assert.h"
#include "os/file.h"
#include "table/block.h"

namespace ashlar::lsm {

const char* find_difference(const TableInfo& info,
                            const table::TableProperties& properties) noexcept {
  if (info.file_bytes != properties.file_bytes) return "its length";
  if (info.row_count != properties.row_count) return "how many rows it has";
  if (info.erase_count != properties.erase_count) return "how many erases it has";
  if (info.expiring_count != properties.expiring_count) return "how many rows expire";
  if (info.earliest_deadline_ms != properties.earliest_deadline_ms) return "its first deadline";
  if (info.smallest != properties.smallest_key) return "its first key";
  if (info.largest != properties.largest_key) return "its last key";
  return nullptr;
}

Result<base::Ref<const OpenTable>> OpenTable::open(const TableWorld& world, const std::string& path,
                                                   const table::TableIdentity& identity,
                                                   TableInfo info) {
  ASHLAR_ASSERT(info.number == identity.number, "a table is opened under its own number");
  ASHLAR_TRY_ASSIGN(auto file, table::TableFile::open(world.disk, path, identity));
  if (const char* const what = find_difference(info, file->properties())) {
    return std::unexpected(
        Error(ErrorCode::kCorruption, path + ": the manifest tells differently of " + what));
  }
  ASHLAR_TRY_ASSIGN(auto slots, table::CacheSlots::make(world.cache, file->block_count()));
  // Last, so that from here on the destructor gives it back.
  if (!world.budget.try_take(file->pinned_bytes())) {
    return std::unexpected(
        Error(ErrorCode::kOutOfSpace, path + ": the memory budget has no room for " +
                                          std::to_string(file->pinned_bytes()) +
                                          " bytes of filter and index"));
  }
  base::Ref<const OpenTable> table(
      new OpenTable(world, std::move(info), std::move(file), std::move(slots)));
  ASHLAR_TRY(table->refer());
  return table;
}

/// From here on the destructor takes it back.
Result<void> OpenTable::refer() const {
  if (shares().empty()) return {};
  if (world_.values == nullptr) {
    return std::unexpected(
        Error(ErrorCode::kCorruption, file_->path() + ": it refers to values, and there are none"));
  }
  world_.values->ledger().add(shares());
  has_referred_ = true;
  return {};
}

OpenTable::OpenTable(const TableWorld& world, TableInfo info,
                     std::unique_ptr<table::TableFile> file, table::CacheSlots slots) noexcept
    : Table(std::move(info)), world_(world), file_(std::move(file)), slots_(std::move(slots)) {
  if (world_.shares != nullptr) world_.shares->rows().note_table(this->info().number);
}

// A file that cannot be removed now is one that no manifest names: the next opening removes it.
OpenTable::~OpenTable() {
  if (world_.shares != nullptr) world_.shares->rows().forget_table(info().number);
  world_.budget.give_back(file_->pinned_bytes());
  if (has_referred_) world_.values->ledger().remove(shares());
  if (is_obsolete()) (void)os::remove_file(world_.disk, file_->path());
}

void OpenTable::read_ahead(std::size_t index, Walk& walk) const {
  const bool is_walk = index == walk.missed + 1;
  if (is_walk && index >= walk.ahead_end) walk.ahead_end = file_->read_ahead(index);
  walk.missed = index;
}

Result<std::string_view> OpenTable::block(std::size_t index, Walk* walk) const {
  const std::size_t bytes = file_->raw_bytes(index);
  ASHLAR_TRY_ASSIGN(const char* const raw,
                    world_.cache.get_or_load(slots_, index, bytes, [&](std::span<char> to) {
                      if (walk != nullptr) read_ahead(index, *walk);
                      return file_->load_block(index, to);
                    }));
  return std::string_view(raw, bytes);
}

Result<std::optional<OpenTable::Found>> OpenTable::get(std::string_view key,
                                                       std::uint64_t hash) const {
  // The filter's line and the first lines of the block are on their way at the same time. Where the
  // filter says no, or the row is kept by itself, the index was searched in vain; as a rule it is
  // in the processor's cache.
  file_->prefetch_filter(hash);
  const std::size_t index = file_->block_of(key);
  world_.cache.prefetch_block(slots_, index);
  if (!file_->may_contain(hash)) return std::nullopt;
  if (const auto kept = find_kept(key, hash)) return kept;
  const std::string_view at_hand = cached(index);
  if (!at_hand.empty()) [[likely]]
    return search(at_hand, key, hash);
  ASHLAR_TRY_ASSIGN(const std::string_view raw, block(index));
  const std::optional<Found> found = search(raw, key, hash);
  if (found) keep(key, hash, *found);
  return found;
}

std::optional<OpenTable::Found> OpenTable::find_kept(std::string_view key,
                                                     std::uint64_t hash) const noexcept {
  if (world_.shares == nullptr) return std::nullopt;
  const auto row = world_.shares->rows().find(row_key(key, hash));
  if (!row) return std::nullopt;
  return Found{.kind = row->kind, .deadline_ms = row->deadline_ms, .value = row->value};
}

void OpenTable::keep(std::string_view key, std::uint64_t hash, const Found& found) const noexcept {
  if (world_.shares == nullptr) return;
  world_.shares->offer(
      row_key(key, hash),
      {.kind = found.kind, .deadline_ms = found.deadline_ms, .value = found.value});
}

std::optional<OpenTable::Found> OpenTable::search(std::string_view block, std::string_view key,
                                                  std::uint64_t hash) noexcept {
  const table::Block rows(block);
  const std::optional<std::uint32_t> row = rows.find(key, table::tag_of(hash));
  if (!row) return std::nullopt;
  return Found{
      .kind = rows.kind(*row), .deadline_ms = rows.deadline_ms(*row), .value = rows.value(*row)};
}

}  // namespace ashlar::lsm
