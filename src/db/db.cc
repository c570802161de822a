#include "ashlar/db.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "db/access.h"
#include "db/backup/backup.h"
#include "db/impl.h"

namespace ashlar {
namespace {

/// A batch up to this many operations is applied without an allocation here.
constexpr std::size_t kOperationsInline = 16;

}  // namespace

Result<Db> Db::open(const Options& options) {
  return db::Access::open(options, {});
}

Db::Db(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {
  ASHLAR_ASSERT(impl_ != nullptr, "a Db is made around something");
}

Db::Db(Db&& other) noexcept = default;
Db& Db::operator=(Db&& other) noexcept = default;
Db::~Db() = default;

Result<void> Db::put(std::string_view key, std::string_view value, Expiry expiry,
                     Durability durability) {
  return db::at_border([&]() -> Result<void> {
    if (!impl_->accepts_write(key, value)) [[unlikely]] {
      return std::unexpected(impl_->write_refusal(key, value));
    }
    const engine::Operation operation = impl_->put_of(key, value, expiry);
    auto applied = impl_->apply(std::span(&operation, 1), durability);
    if (!applied) [[unlikely]]
      return std::unexpected(std::move(applied).error());
    return {};
  });
}

Result<std::optional<Value>> Db::get(std::string_view key, const Snapshot* snapshot) const {
  // One object for all ways out, so that the value is written where the caller will find it: moving
  // it would cost more than finding it.
  Result<std::optional<Value>> result(std::in_place, std::in_place);
  try {
    if (!impl_->accepts_read(key, snapshot)) [[unlikely]] {
      result = std::unexpected(impl_->read_refusal(key, snapshot));
    } else {
      Result<bool> found = impl_->engine->get(key, Impl::view_of(snapshot), &**result, nullptr);
      if (!found) [[unlikely]] {
        result = std::unexpected(std::move(found).error());
      } else if (!*found) {
        result->reset();
      }
    }
  } catch (const std::bad_alloc&) {
    result = std::unexpected(db::out_of_memory());
  }
  return result;
}

Result<bool> Db::exists(std::string_view key, const Snapshot* snapshot) const {
  return db::at_border([&]() -> Result<bool> {
    ASHLAR_TRY(impl_->check_read(key, snapshot));
    return impl_->engine->get(key, Impl::view_of(snapshot), nullptr, nullptr);
  });
}

Result<bool> Db::erase(std::string_view key, Durability durability) {
  return db::at_border([&]() -> Result<bool> {
    ASHLAR_TRY(impl_->check_key(key));
    const engine::Operation operation{
        .kind = engine::OperationKind::kErase, .key = key, .value = {}};
    ASHLAR_TRY_ASSIGN(const std::size_t found_count,
                      impl_->apply(std::span(&operation, 1), durability));
    ASHLAR_ASSERT(found_count <= 1, "one operation finds at most one key");
    return found_count == 1;
  });
}

Result<bool> Db::expire(std::string_view key, Expiry expiry, Durability durability) {
  const engine::TimeMs now_ms = impl_->clock.now_ms();
  const engine::TimeMs deadline_ms = expiry.resolve_ms(now_ms);
  if (deadline_ms <= now_ms) return erase(key, durability);  // Gone at once.
  return db::at_border([&]() -> Result<bool> {
    ASHLAR_TRY(impl_->check_key(key));
    ASHLAR_TRY_ASSIGN(const auto before_ms, impl_->expire(key, deadline_ms, durability));
    return before_ms.has_value();
  });
}

Result<bool> Db::persist(std::string_view key, Durability durability) {
  return db::at_border([&]() -> Result<bool> {
    ASHLAR_TRY(impl_->check_key(key));
    ASHLAR_TRY_ASSIGN(const auto before_ms, impl_->expire(key, engine::kNever, durability));
    return before_ms.has_value() && *before_ms != engine::kNever;
  });
}

Result<std::optional<Expiry>> Db::expiry_of(std::string_view key) const {
  return db::at_border([&]() -> Result<std::optional<Expiry>> {
    ASHLAR_TRY(impl_->check_key(key));
    engine::TimeMs deadline_ms = engine::kNever;
    ASHLAR_TRY_ASSIGN(const bool is_there,
                      impl_->engine->get(key, engine::kLatest, nullptr, &deadline_ms));
    if (!is_there) return std::nullopt;
    return Expiry::at_ms(deadline_ms);
  });
}

Result<std::optional<std::chrono::milliseconds>> Db::time_to_live(std::string_view key) const {
  return db::at_border([&]() -> Result<std::optional<std::chrono::milliseconds>> {
    ASHLAR_TRY(impl_->check_key(key));
    engine::TimeMs deadline_ms = engine::kNever;
    ASHLAR_TRY_ASSIGN(const bool is_there,
                      impl_->engine->get(key, engine::kLatest, nullptr, &deadline_ms));
    if (!is_there) return std::nullopt;
    if (deadline_ms == engine::kNever) return std::nullopt;
    // The key was there a moment ago, so it had something left, even if that is over by now.
    const engine::TimeMs now_ms = std::min(impl_->clock.now_ms(), deadline_ms - 1);
    return std::chrono::milliseconds(deadline_ms - now_ms);
  });
}

Result<void> Db::write(const WriteBatch& batch, Durability durability) {
  return db::at_border([&]() -> Result<void> {
    if (impl_->is_closed()) return std::unexpected(db::closed());
    ASHLAR_TRY(db::check_batch(batch, impl_->options));
    if (batch.count() == 0) return {};

    std::array<engine::Operation, kOperationsInline> few;
    std::vector<engine::Operation> many;
    std::span<engine::Operation> operations(few);
    if (batch.count() > few.size()) {
      many.resize(batch.count());
      operations = many;
    }
    operations = operations.first(batch.count());

    auto next = operations.begin();
    for (const WriteBatch::Entry& entry : batch.entries()) {
      const std::string_view key = batch.key_of(entry);
      *next++ =
          entry.kind == WriteBatch::Kind::kPut
              ? impl_->put_of(key, batch.value_of(entry), entry.expiry)
              : engine::Operation{.kind = engine::OperationKind::kErase, .key = key, .value = {}};
    }
    ASHLAR_TRY(impl_->apply(operations, durability));
    return {};
  });
}

Result<std::vector<std::optional<Value>>> Db::multi_get(std::span<const std::string_view> keys,
                                                        const Snapshot* snapshot) const {
  return db::at_border([&]() -> Result<std::vector<std::optional<Value>>> {
    if (impl_->is_closed() || !impl_->is_readable(snapshot)) {
      return std::unexpected(impl_->read_refusal({}, snapshot));
    }
    for (const std::string_view key : keys) ASHLAR_TRY(impl_->check_read(key, snapshot));
    Result<std::vector<std::optional<Value>>> result(std::in_place, keys.size());
    if (!keys.empty()) {
      ASHLAR_TRY(impl_->engine->multi_get(keys, Impl::view_of(snapshot), *result));
    }
    ASHLAR_ASSERT(result->size() == keys.size(), "there is one answer for each key");
    return result;
  });
}

Result<Iterator> Db::scan(const Range& range, const Snapshot* snapshot) const {
  return db::at_border([&]() -> Result<Iterator> {
    if (impl_->is_closed() || !impl_->is_readable(snapshot)) {
      return std::unexpected(impl_->read_refusal({}, snapshot));
    }
    ASHLAR_TRY_ASSIGN(auto cursor, impl_->engine->scan(range, Impl::view_of(snapshot)));
    if (!impl_->is_open_for_holders()) return std::unexpected(db::closed());
    return Iterator(std::move(cursor));
  });
}

Result<Snapshot> Db::snapshot() const {
  return db::at_border([&]() -> Result<Snapshot> {
    if (impl_->is_closed()) return std::unexpected(db::closed());
    ASHLAR_TRY_ASSIGN(const engine::View view, impl_->engine->acquire_snapshot());
    ASHLAR_ASSERT(!view.is_latest(), "a snapshot stands at a commit");
    Snapshot snapshot(*impl_->engine, view.sequence, view.taken_at_ms);
    if (!impl_->is_open_for_holders()) return std::unexpected(db::closed());
    return snapshot;
  });
}

Result<Stats> Db::stats() const {
  return db::at_border([&]() -> Result<Stats> {
    if (impl_->is_closed()) return std::unexpected(db::closed());
    Stats stats = impl_->engine->stats();
    if (impl_->journal != nullptr) impl_->journal->add_to(stats);
    return stats;
  });
}

Result<void> Db::checkpoint() {
  return db::at_border([&]() -> Result<void> {
    if (impl_->is_closed()) return std::unexpected(db::closed());
    if (impl_->journal == nullptr) return {};
    return impl_->journal->checkpoint();
  });
}

Result<void> Db::compact() {
  return db::at_border([&]() -> Result<void> {
    if (impl_->is_closed()) return std::unexpected(db::closed());
    if (impl_->persistent == nullptr) return {};
    return impl_->persistent->compact();
  });
}

Result<BackupReport> Db::backup(const std::string& path, const BackupObserver& observer) {
  return db::at_border([&]() -> Result<BackupReport> {
    if (impl_->is_closed()) return std::unexpected(db::closed());
    if (impl_->journal == nullptr) {
      return std::unexpected(Error::of_literal(
          ErrorCode::kInvalidArgument, "a database without a directory has no files to back up"));
    }
    const std::string& directory = impl_->options.directory;
    if (path.empty() || path == directory || path.starts_with(directory + "/")) {
      return std::unexpected(Error(ErrorCode::kInvalidArgument,
                                   "\"" + path + "\" is no place outside of the database"));
    }
    return db::back_up(*impl_->journal, path, observer);
  });
}

std::size_t Db::approximate_memory() const noexcept {
  return impl_->engine->memory_bytes();
}

Result<void> Db::close() {
  return db::at_border([&] { return impl_->close(); });
}

}  // namespace ashlar
