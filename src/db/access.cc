#include "db/access.h"

#include <sys/random.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "db/impl.h"
#include "memory/memory_engine.h"

namespace ashlar::db {
namespace {

/// A number that nobody can know who chooses keys.
///
/// Errors: kUnavailable  the system has no randomness to give
Result<std::uint64_t> random_seed() {
  std::uint64_t seed = 0;
  while (seed == 0) {  // 0 stands for "none given".
    const ssize_t filled_bytes = getrandom(&seed, sizeof(seed), 0);
    if (filled_bytes == static_cast<ssize_t>(sizeof(seed))) continue;
    if (filled_bytes < 0 && errno != EINTR) {
      return std::unexpected(Error::of_literal(ErrorCode::kUnavailable,
                                               "the system has no randomness for a hash seed"));
    }
    seed = 0;
  }
  return seed;
}

/// Damage is something that a command can deal with: says which.
Error with_remedy(const Error& error, const std::string& directory) {
  if (error.code() != ErrorCode::kCorruption) return error;
  return {error.code(), std::string(error.message()) + "; see `ashlar check " + directory +
                            "` and `ashlar repair " + directory + "`"};
}

}  // namespace

/// Opens the directory of `impl` and replays what is there into its engine.
Result<void> Access::open_journal(Db::Impl& impl, const Environment& environment,
                                  std::uint64_t seed) {
  const Journal::World world{
      .disk = environment.disk != nullptr ? *environment.disk : impl.system_disk,
      .clock = impl.real_clock,
      .replay_clock = impl.replay_clock,
      .engine = *impl.engine};
  log::LocalLogOptions options = environment.log;
  options.new_log_id = seed;
  if (environment.hash_seed == 0) {
    ASHLAR_TRY_ASSIGN(options.new_log_id, random_seed());
  }
  auto opened = Journal::open(world, impl.options.directory, options);
  if (!opened) return std::unexpected(with_remedy(opened.error(), impl.options.directory));
  impl.journal = std::move(*opened);
  return {};
}

Result<Db> Access::open(const Options& options, const Environment& environment) {
  return at_border([&]() -> Result<Db> {
    ASHLAR_TRY(check_options(options));
    if (options.engine == Engine::kDisk) {
      return std::unexpected(
          Error::of_literal(ErrorCode::kUnavailable, "the disk engine is not joined yet"));
    }
    std::uint64_t seed = environment.hash_seed;
    if (seed == 0) {
      ASHLAR_TRY_ASSIGN(seed, random_seed());
    }
    auto impl = std::make_unique<Db::Impl>(options, environment.clock);
    ASHLAR_TRY_ASSIGN(impl->engine, memory::make_memory_engine(impl->options, impl->clock, seed));
    ASHLAR_ASSERT(impl->engine != nullptr, "an engine that was made is there");
    if (!options.directory.empty()) ASHLAR_TRY(open_journal(*impl, environment, seed));
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
