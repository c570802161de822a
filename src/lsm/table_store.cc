#include "lsm/table_store.h"

#include <set>
#include <vector>

#include "base/assert.h"
#include "base/numbered_name.h"
#include "os/file.h"

namespace ashlar::lsm {
namespace {

constexpr std::string_view kSuffix = ".table";

}  // namespace

std::string table_name(std::uint64_t number) {
  return base::numbered_name(number, kSuffix);
}

std::optional<std::uint64_t> table_number(std::string_view name) {
  return base::number_in_name(name, kSuffix);
}

TableStore::TableStore(const TableWorld& world, std::string directory, const Identity& identity,
                       std::uint64_t next_number) noexcept
    : world_(world),
      directory_(std::move(directory)),
      identity_(identity),
      next_number_(next_number) {
  ASHLAR_ASSERT(next_number > 0, "numbers of files begin with one");
}

// Relaxed: a number is all that is handed on.
std::uint64_t TableStore::take_number() noexcept {
  return next_number_.fetch_add(1, std::memory_order_relaxed);
}

table::TableIdentity TableStore::identity_of(std::uint64_t number) const noexcept {
  ASHLAR_ASSERT(number < next_number(), "a table's number was taken first");
  return {.database_id = identity_.database_id, .number = number, .hash_seed = identity_.hash_seed};
}

Result<std::unique_ptr<table::TableWriter>> TableStore::begin(
    std::uint64_t number, const table::TableOptions& options) const {
  return table::TableWriter::create(world_.disk, path_of(number), identity_of(number), options);
}

Result<base::Ref<const OpenTable>> TableStore::open(TableInfo info) const {
  const std::uint64_t number = info.number;
  return OpenTable::open(world_, path_of(number), identity_of(number), std::move(info));
}

Result<void> TableStore::sync_names() const {
  return os::sync_directory(world_.disk, directory_);
}

void TableStore::give_up(std::uint64_t number) const {
  (void)os::remove_file(world_.disk, path_of(number));
}

Result<void> TableStore::remove_strangers(const Manifest& manifest) const {
  std::set<std::uint64_t> named;
  for (const Manifest::Entry& entry : manifest.tables) named.insert(entry.table.number);
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names,
                    os::list_directory(world_.disk, directory_));
  for (const std::string& name : names) {
    const std::optional<std::uint64_t> number = table_number(name);
    if (!number || named.contains(*number)) continue;
    ASHLAR_TRY(os::remove_file(world_.disk, directory_ + "/" + name));
  }
  return {};
}

}  // namespace ashlar::lsm
