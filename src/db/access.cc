#include "db/access.h"

#include <sys/random.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "db/impl.h"
#include "lsm/disk_engine.h"
#include "memory/memory_engine.h"

namespace ashlar::db {
namespace {

/// Damage is something that a command can deal with: says which.
Error with_remedy(const Error& error, const std::string& directory) {
  if (error.code() != ErrorCode::kCorruption) return error;
  return {error.code(), std::string(error.message()) + "; see `ashlar check " + directory +
                            "` and `ashlar repair " + directory + "`"};
}

}  // namespace

Result<std::uint64_t> random_seed() {
  std::uint64_t seed = 0;
  while (seed == 0) {  // 0 stands for "none given".
    const ssize_t filled_bytes = getrandom(&seed, sizeof(seed), 0);
    if (filled_bytes == static_cast<ssize_t>(sizeof(seed))) continue;
    if (filled_bytes < 0 && errno != EINTR) {
      return std::unexpected(
          Error::of_literal(ErrorCode::kUnavailable, "the system has no randomness to give"));
    }
    seed = 0;
  }
  return seed;
}

/// Makes the engine of `impl`; one with files opens those.
Result<void> Access::make_engine(Db::Impl& impl, const Environment& environment,
                                 std::uint64_t seed) {
  if (impl.options.engine == Engine::kMemory) {
    ASHLAR_TRY_ASSIGN(impl.engine, memory::make_memory_engine(impl.options, impl.clock, seed));
    return {};
  }
  ASHLAR_TRY_ASSIGN(impl.values,
                    ValueStore::open(*environment.disk, {.log = impl.directory->log_path(),
                                                         .values = impl.directory->value_path()}));
  const lsm::DiskEngineWorld world{
      .disk = *environment.disk,
      .clock = impl.clock,
      .directory = impl.directory->table_path(),
      .seed = seed,
      .settings = environment.disk_engine.value_or(lsm::EngineSettings::of(impl.options)),
      .values = impl.values.get()};
  ASHLAR_TRY_ASSIGN(auto made, lsm::open_disk_engine(world));
  impl.persistent = made.get();
  impl.values->serve(*made);
  impl.engine = std::move(made);
  return {};
}

/// Replays what is in the directory of `impl` into its engine.
Result<void> Access::open_journal(Db::Impl& impl, const Environment& environment,
                                  std::uint64_t seed) {
  const Journal::World world{.disk = *environment.disk,
                             .directory = *impl.directory,
                             .clock = impl.real_clock,
                             .replay_clock = impl.replay_clock,
                             .engine = *impl.engine,
                             .persistent = impl.persistent,
                             .background = environment.has_background
                                               ? engine::Background::kThreads
                                               : engine::Background::kCallers,
                             .values = impl.values.get(),
                             .history = {.bytes_max = impl.options.history_bytes_max,
                                         .age_ms_max = impl.options.history_age_ms_max}};
  log::LocalLogOptions options = environment.log;
  options.new_log_id = seed;
  if (environment.hash_seed == 0) {
    ASHLAR_TRY_ASSIGN(options.new_log_id, random_seed());
  }
  ASHLAR_TRY_ASSIGN(impl.journal, Journal::open(world, options));
  return {};
}

/// Opens what `impl` consists of, from the directory up.
Result<void> Access::open_parts(Db::Impl& impl, const Environment& environment,
                                std::uint64_t seed) {
  ASHLAR_ASSERT(environment.disk != nullptr, "the environment is complete");
  const bool has_directory = !impl.options.directory.empty();
  if (has_directory) {
    ASHLAR_TRY_ASSIGN(impl.directory, Directory::open(*environment.disk, impl.options.directory,
                                                      impl.options.engine));
  }
  ASHLAR_TRY(make_engine(impl, environment, seed));
  ASHLAR_ASSERT(impl.engine != nullptr, "an engine that was made is there");
  impl.conflicts =
      std::make_unique<txn::Conflicts>(*impl.engine, impl.options.memory_budget_bytes, seed);
  return has_directory ? open_journal(impl, environment, seed) : Result<void>();
}

Result<Db> Access::open(const Options& options, const Environment& environment) {
  return at_border([&]() -> Result<Db> {
    ASHLAR_TRY(check_options(options));
    std::uint64_t seed = environment.hash_seed;
    if (seed == 0) {
      ASHLAR_TRY_ASSIGN(seed, random_seed());
    }
    auto impl = std::make_unique<Db::Impl>(options, environment.clock);
    Environment complete = environment;
    if (complete.disk == nullptr) complete.disk = &impl->system_disk;
    if (Result<void> opened = open_parts(*impl, complete, seed); !opened) {
      return std::unexpected(with_remedy(opened.error(), options.directory));
    }
    if (environment.has_background) {
      ASHLAR_TRY(impl->background.start(*impl->engine));
      if (impl->journal != nullptr) ASHLAR_TRY(impl->journal->start_checkpoints());
    }
    return Db(std::move(impl));
  });
}

engine::StorageEngine& Access::engine(Db& database) noexcept {
  ASHLAR_ASSERT(database.impl_ != nullptr, "a moved-from Db has no engine");
  return *database.impl_->engine;
}

}  // namespace ashlar::db
