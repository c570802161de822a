#include "lsm/engine/catalog.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "os/file.h"

namespace ashlar::lsm {
namespace {

/// The tables that `edit` brings: not those that only move.
std::vector<TableRef> tables_gained(const VersionEdit& edit) {
  std::vector<TableRef> gained;
  for (const VersionEdit::Addition& addition : edit.additions) {
    const bool is_moved = std::ranges::any_of(edit.removals, [&](const auto& removal) {
      return addition.table->info().number == removal.number;
    });
    if (!is_moved) gained.push_back(addition.table);
  }
  return gained;
}

/// A manifest, and the version that keeps its tables.
class HeldVersion final : public engine::HeldFiles {
 public:
  HeldVersion(Manifest manifest, base::Ref<const SharedVersion> version) noexcept
      : manifest_(std::move(manifest)), version_(std::move(version)) {}

  std::string list() const override { return encode_manifest(manifest_); }

 private:
  const Manifest manifest_;
  const base::Ref<const SharedVersion> version_;
};

void mark_obsolete(const std::vector<TableRef>& tables) noexcept {
  for (const TableRef& table : tables) table->mark_obsolete();
}

/// The tables of `version` that `edit` takes out of it for good: not those that only move.
std::vector<TableRef> tables_lost(const Version& version, const VersionEdit& edit) {
  std::vector<TableRef> lost;
  for (const VersionEdit::Removal& removal : edit.removals) {
    const bool is_moved = std::ranges::any_of(edit.additions, [&](const auto& addition) {
      return addition.table->info().number == removal.number;
    });
    if (is_moved) continue;
    for (const TableRef& table : version.tables(removal.level)) {
      if (table->info().number == removal.number) lost.push_back(table);
    }
  }
  return lost;
}

/// A new directory has no tables: where there are some the manifest was lost, and what they hold
/// must not be taken for leftovers.
Result<void> check_is_empty(os::Disk& disk, const std::string& directory) {
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk, directory));
  for (const std::string& name : names) {
    if (!table_number(name)) continue;
    return std::unexpected(
        Error(ErrorCode::kCorruption,
              directory + " at 0: the manifest is missing, and tables are there"));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Catalog>> Catalog::open(const TableWorld& world,
                                               const std::string& directory,
                                               const TableStore::Identity& identity,
                                               MemtableRef first) {
  std::unique_ptr<Catalog> catalog(new Catalog(world.disk, directory));
  ASHLAR_TRY(catalog->load(world, directory, identity, std::move(first)));
  return catalog;
}

/// A directory without a manifest is new; that it should be one is for the caller to know.
Result<void> Catalog::load(const TableWorld& world, const std::string& directory,
                           const TableStore::Identity& identity, MemtableRef first) {
  const base::MutexLock lock(mutex_);
  ASHLAR_TRY_ASSIGN(std::optional<Manifest> found, manifests_.open());
  if (found) {
    newest_ = std::move(*found);
  } else {
    ASHLAR_TRY(check_is_empty(world.disk, directory));
    newest_.database_id = identity.database_id;
    newest_.hash_seed = identity.hash_seed;
    ASHLAR_TRY(manifests_.write(newest_));
  }
  tables_ = std::make_unique<TableStore>(
      world, directory,
      TableStore::Identity{.database_id = newest_.database_id, .hash_seed = newest_.hash_seed},
      newest_.next_file_number);
  ASHLAR_TRY(tables_->remove_strangers(newest_));

  VersionEdit edit;
  for (Manifest::Entry& entry : newest_.tables) {
    ASHLAR_TRY_ASSIGN(auto table, tables_->open(std::move(entry.table)));
    edit.additions.push_back({.level = entry.level, .table = table});
  }
  newest_.tables.clear();
  ASHLAR_TRY_ASSIGN(Version version, Version().apply(edit));
  states_ = std::make_unique<States>(
      world.domain,
      base::make_ref<State>(std::move(first), base::make_ref<SharedVersion>(std::move(version))));
  return {};
}

/// Makes `next` durable with the tables of the version after `edit`, and that version current with
/// whatever else `change` does to the state.
template <typename Change>
Result<void> Catalog::install_locked(const VersionEdit& edit, Manifest next, Change change) {
  const base::Ref<const State> before = states_->hold();
  ASHLAR_TRY_ASSIGN(Version version, before->version->apply(edit));
  next.next_file_number = tables_->next_number();
  next.set_tables(version);
  if (Result<void> written = manifests_.write(next); !written) {
    // Of no use, unless the next opening finds the manifest that names them (V31).
    if (manifests_.is_sure()) mark_obsolete(tables_gained(edit));
    return written;
  }
  next.tables.clear();
  newest_ = std::move(next);
  const std::vector<TableRef> lost = tables_lost(*before->version, edit);
  const auto shared = base::make_ref<SharedVersion>(std::move(version));
  states_->change([&](State& state) {
    state.version = shared;
    change(state);
  });
  mark_obsolete(lost);
  return {};
}

Result<void> Catalog::install_flush(const std::vector<base::Ref<const OpenTable>>& added,
                                    const SharedMemtable& memtable) {
  const base::MutexLock lock(mutex_);
  VersionEdit edit;
  for (const auto& table : added) edit.additions.push_back({.level = 0, .table = table});
  Manifest next = newest_;
  next.log_place = memtable.end;
  next.last_sequence = std::max(next.last_sequence, memtable->last_sequence());
  return install_locked(edit, std::move(next), [&](State& state) {
    ASHLAR_ASSERT(!state.full.empty() && state.full.front().get() == &memtable,
                  "V14: the oldest memtable is flushed first");
    state.full.erase(state.full.begin());
  });
}

Result<void> Catalog::install(const VersionEdit& edit) {
  const base::MutexLock lock(mutex_);
  return install_locked(edit, newest_, [](State&) {});
}

bool Catalog::is_sure() const {
  const base::MutexLock lock(mutex_);
  return manifests_.is_sure();
}

/// Under the mutex, so that manifest and version are of one moment.
std::unique_ptr<engine::HeldFiles> Catalog::hold() const {
  const base::MutexLock lock(mutex_);
  const base::Ref<const State> state = states_->hold();
  Manifest manifest = newest_;
  manifest.set_tables(*state->version);
  return std::make_unique<HeldVersion>(std::move(manifest), state->version);
}

engine::LogPlace Catalog::flushed_place() const {
  const base::MutexLock lock(mutex_);
  return newest_.log_place;
}

Sequence Catalog::last_sequence() const {
  const base::MutexLock lock(mutex_);
  return newest_.last_sequence;
}

}  // namespace ashlar::lsm
