// Opening, starting, ending, and what the engine says of itself.

#include "lsm/engine/engine_core.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "os/file.h"

namespace ashlar::lsm {

Result<std::unique_ptr<engine::PersistentEngine>> open_disk_engine(const DiskEngineWorld& world) {
  ASHLAR_TRY_ASSIGN(std::unique_ptr<engine::PersistentEngine> engine, DiskEngine::open(world));
  return engine;
}

DiskEngine::DiskEngine(const DiskEngineWorld& world)
    : clock_(world.clock),
      disk_(world.disk),
      directory_(world.directory),
      settings_(world.settings),
      budget_(world.settings.budget_bytes),
      // An arena can hold whatever the budget has room for.
      spares_(budget_, std::min(settings_.budget_bytes, kPlaceBytesMax),
              settings_.memtable_kept_bytes()),
      values_(world.disk, world.directory, world.values) {
  ASHLAR_ASSERT(settings_.memtable_share_bytes() < settings_.budget_bytes,
                "memtables leave something of the budget for tables");
}

Result<std::unique_ptr<DiskEngine>> DiskEngine::open(const DiskEngineWorld& world) {
  std::unique_ptr<DiskEngine> engine(new DiskEngine(world));
  const TableStore::Identity identity{.database_id = world.seed,
                                      .hash_seed = base::hash_key(world.directory, world.seed)};
  ASHLAR_TRY(engine->load(identity));
  return engine;
}

Result<void> DiskEngine::load(const TableStore::Identity& identity) {
  ASHLAR_TRY(os::make_directory(disk_, directory_));
  const std::size_t cache_bytes = settings_.budget_bytes - settings_.memtable_share_bytes();
  ASHLAR_TRY_ASSIGN(cache_, table::BlockCache::make(budget_, domain_, cache_bytes));
  ASHLAR_TRY_ASSIGN(rows_, table::RowCache::make(budget_, domain_));
  shares_ = std::make_unique<table::CacheShares>(*cache_, *rows_, settings_.row_chunk_count);
  cached_values_ = std::make_unique<CachedValues>(*cache_, domain_, settings_.large_value_bytes);
  values_.keep_in(cached_values_.get());
  const base::MutexLock lock(write_mutex_);
  ASHLAR_TRY_ASSIGN(active_, make_memtable(0));
  const TableWorld world{.disk = disk_,
                         .budget = budget_,
                         .domain = domain_,
                         .cache = *cache_,
                         .shares = shares_.get(),
                         .values = &values_};
  ASHLAR_TRY_ASSIGN(catalog_, Catalog::open(world, directory_, identity, active_));
  ASHLAR_TRY(values_.open(catalog_->identity().database_id));
  ASHLAR_TRY(expect_values());
  active_->begin_values_at(catalog_->flushed_place());
  hash_seed_ = catalog_->identity().hash_seed;
  visible_.store(catalog_->last_sequence(), std::memory_order_relaxed);
  upkeep_ = std::make_unique<Upkeep>(*catalog_, settings_, clock_, *shares_);
  upkeep_->fit_cache();
  return {};
}

DiskEngine::~DiskEngine() {
  upkeep_.reset();
  {
    const base::MutexLock lock(write_mutex_);
    active_ = {};
  }
  catalog_.reset();
  // States lead to tables, and tables to the cache.
  while (domain_.retired_count() > 0) domain_.collect();
}

/// Whether everything is there that tables refer to.
Result<void> DiskEngine::expect_values() const {
  const base::Ref<const State> state = catalog_->states().hold();
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : state->version->tables(level)) {
      const OpenTable& open = opened(*table);
      ASHLAR_TRY(values_.expect(open.shares(), open.file().path()));
    }
  }
  return {};
}

/// One for commits that are in the log from `log_begin` on.
Result<MemtableRef> DiskEngine::make_memtable(std::uint64_t log_begin) {
  ASHLAR_TRY_ASSIGN(auto memtable, Memtable::make(spares_));
  std::unique_ptr<LogRangeHold> range;
  if (values_.has_log()) range = std::make_unique<LogRangeHold>(values_.ledger(), log_begin);
  return base::make_ref<SharedMemtable>(std::move(memtable), std::move(range));
}

engine::LogPlace DiskEngine::flushed_place() const {
  return catalog_->flushed_place();
}

Result<void> DiskEngine::start(engine::LogControl& log, engine::Background background) {
  {
    const base::MutexLock lock(write_mutex_);
    ASHLAR_ASSERT(log_ == nullptr, "an engine is started once");
    log_ = &log;
  }
  background_ = background;
  return upkeep_->start(log, background);
}

Result<void> DiskEngine::flush() {
  // First those that are full, which may have failed before: then there is room for another.
  ASHLAR_TRY(upkeep_->flush_all());
  {
    const base::MutexLock lock(write_mutex_);
    if ((*active_)->row_count() > 0) ASHLAR_TRY(rotate_locked());
  }
  return upkeep_->flush_all();
}

std::unique_ptr<engine::HeldFiles> DiskEngine::hold_files() {
  return catalog_->hold();
}

Result<void> DiskEngine::compact() {
  ASHLAR_TRY(flush());
  if (reclaims_ != nullptr) {
    ASHLAR_TRY(tell_all());
    ASHLAR_TRY(flush());
  }
  return upkeep_->compact_all();
}

bool DiskEngine::take_memory(std::size_t bytes) {
  while (!budget_.try_take(bytes)) {
    if (!upkeep_->shrink_cache()) return false;
    domain_.collect();
  }
  return true;
}

void DiskEngine::stop() noexcept {
  upkeep_->stop();
}

/// Flushes and compactions have threads of their own, or are made here where there are none.
std::optional<engine::TimeMs> DiskEngine::maintain() {
  upkeep_->work();
  const auto next_ms = reclaims_ != nullptr ? tell_in_background() : std::nullopt;
  shares_->reclaim();
  domain_.collect();
  return next_ms;
}

void DiskEngine::on_work(void (*wake)(void*), void* context) noexcept {
  wake_context_ = context;
  wake_ = wake;
}

Stats DiskEngine::stats() const {
  Stats stats;
  const base::Ref<const State> state = catalog_->states().hold();
  const auto add = [&](std::uint64_t rows, std::uint64_t erases, std::uint64_t expiring) {
    stats.key_count += rows - std::min(rows, erases);
    stats.expiring_key_count += expiring;
  };
  const auto add_memtable = [&](const Memtable& memtable) {
    add(memtable.row_count(), memtable.erase_count(), 0);
    stats.memtable_bytes += memtable.taken_bytes();
  };
  add_memtable(**state->active);
  for (const MemtableRef& full : state->full) add_memtable(**full);
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : state->version->tables(level)) {
      const TableInfo& info = table->info();
      add(info.row_count, info.erase_count, info.expiring_count);
      ++stats.table_count;
      stats.table_bytes += info.file_bytes;
    }
  }
  stats.level0_table_count = state->version->tables(0).size();
  stats.record_bytes = stats.memtable_bytes;
  add_work(stats);
  stats.memory_bytes = budget_.used_bytes();
  stats.memory_budget_bytes = budget_.limit_bytes();
  stats.put_count = put_count_.load(std::memory_order_relaxed);
  stats.erase_count = erase_count_.load(std::memory_order_relaxed);
  stats.refused_write_count = refused_count_.load(std::memory_order_relaxed);
  if (reclaims_ != nullptr) add_telling(*state, stats);
  stats.sequence = visible();
  stats.snapshot_count = snapshots_.count();
  if (const auto oldest_ms = snapshots_.oldest_ms()) {
    const engine::TimeMs now_ms = clock_.now_ms();
    stats.oldest_snapshot_ms = static_cast<std::uint64_t>(now_ms - std::min(now_ms, *oldest_ms));
  }
  return stats;
}

/// What was done in the background, and by the cache.
void DiskEngine::add_work(Stats& stats) const {
  const table::CacheStats cache = cache_->stats();
  stats.cache_bytes = cache.used_bytes;
  stats.cache_hit_count = cache.hit_count;
  stats.cache_miss_count = cache.miss_count;
  const table::RowCacheStats rows = rows_->stats();
  stats.row_cache_bytes = rows.used_bytes;
  stats.row_cache_hit_count = rows.hit_count;
  stats.row_cache_miss_count = rows.miss_count;
  const UpkeepFigures figures = upkeep_->figures();
  stats.flush_count = figures.flush_count;
  stats.flushed_bytes = figures.flushed_bytes;
  stats.compaction_count = figures.compaction_count;
  stats.compaction_read_bytes = figures.compaction_read_bytes;
  stats.compaction_written_bytes = figures.compaction_written_bytes;
  stats.compact_done_bytes = figures.compact_done_bytes;
  stats.compact_total_bytes = figures.compact_total_bytes;
}

std::size_t DiskEngine::memory_bytes() const noexcept {
  return budget_.used_bytes();
}

std::size_t DiskEngine::snapshot_count() const noexcept {
  return snapshots_.count();
}

void DiskEngine::check() const {
  const base::Ref<const State> state = catalog_->states().hold();
  state->version->check();
  (*state->active)->check();
  for (const MemtableRef& full : state->full) (*full)->check();
  cache_->check();
  rows_->check();
}

}  // namespace ashlar::lsm
