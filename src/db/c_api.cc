#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ashlar/c.h"
#include "ashlar/db.h"
#include "base/assert.h"
#include "db/access.h"
#include "os/clock.h"

// The names are those of the C face.
// NOLINTBEGIN(readability-identifier-naming)

struct ashlar_db {
  // Shared with the database, so that deadlines mean the same; before it, since it must outlive it.
  std::unique_ptr<const ashlar::os::SystemClock> clock;
  ashlar::Db db;
};

struct ashlar_batch {
  ashlar::WriteBatch batch;
};

struct ashlar_snapshot {
  ashlar::Snapshot snapshot;
};

struct ashlar_iterator {
  ashlar::Iterator iterator;
};

namespace {

using ashlar::ErrorCode;
using ashlar::Expiry;
using ashlar::Result;

using ashlar::Durability;

constexpr ashlar_code to_code(ErrorCode code) {
  return static_cast<ashlar_code>(static_cast<int>(code) + 1);
}

static_assert(to_code(ErrorCode::kInvalidArgument) == ASHLAR_INVALID_ARGUMENT);
static_assert(to_code(ErrorCode::kOutOfSpace) == ASHLAR_OUT_OF_SPACE);
static_assert(to_code(ErrorCode::kConflict) == ASHLAR_CONFLICT);
static_assert(to_code(ErrorCode::kBusy) == ASHLAR_BUSY);
static_assert(to_code(ErrorCode::kUnavailable) == ASHLAR_UNAVAILABLE);
static_assert(to_code(ErrorCode::kClosed) == ASHLAR_CLOSED);
static_assert(to_code(ErrorCode::kIo) == ASHLAR_IO);
static_assert(to_code(ErrorCode::kCorruption) == ASHLAR_CORRUPTION);
static_assert(ASHLAR_NEVER == Expiry::kNeverMs);
static_assert(ASHLAR_DURABLE_NONE == static_cast<int>(Durability::kNone));
static_assert(ASHLAR_DURABLE_PROCESS == static_cast<int>(Durability::kProcess));
static_assert(ASHLAR_DURABLE_DISK == static_cast<int>(Durability::kDisk));

// Same fields in the same order: the ends and some between would move if one were added or lost.
static_assert(sizeof(ashlar_stats) == sizeof(ashlar::Stats));
static_assert(offsetof(ashlar_stats, put_count) == offsetof(ashlar::Stats, put_count));
static_assert(offsetof(ashlar_stats, sequence) == offsetof(ashlar::Stats, sequence));
static_assert(offsetof(ashlar_stats, torn_bytes) == offsetof(ashlar::Stats, torn_bytes));
static_assert(offsetof(ashlar_stats, kept_version_count) ==
              offsetof(ashlar::Stats, kept_version_count));

std::string_view view_of(ashlar_bytes bytes) {
  return {bytes.data, bytes.size};
}

ashlar_bytes bytes_of(std::string_view view) {
  return {.data = view.data(), .size = view.size()};
}

const ashlar::Snapshot* snapshot_of(const ashlar_snapshot* snapshot) {
  return snapshot == nullptr ? nullptr : &snapshot->snapshot;
}

void store_flag(bool* flag, bool value) {
  if (flag != nullptr) *flag = value;
}

ashlar_code fail(ErrorCode code, std::string_view message, ashlar_error* error) {
  if (error != nullptr) {
    const std::size_t bytes = std::min(message.size(), sizeof(error->message) - 1);
    ASHLAR_ASSERT(bytes < sizeof(error->message), "a message leaves room for its NUL");
    error->code = to_code(code);
    std::memcpy(error->message, message.data(), bytes);
    error->message[bytes] = '\0';
  }
  return to_code(code);
}

/// Runs `call`, which returns a `Result<void>`, and hands its failure to C. What this file itself
/// allocates can fail too.
template <typename Call>
ashlar_code at_border(ashlar_error* error, Call&& call) {
  try {
    const Result<void> result = std::forward<Call>(call)();
    if (result) return ASHLAR_OK;
    return fail(result.error().code(), result.error().message(), error);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kOutOfSpace, "the process is out of memory", error);
  }
}

/// As `at_border`, of a call that takes a durability.
template <typename Call>
ashlar_code write_at_border(ashlar_durability durability, ashlar_error* error, Call&& call) {
  if (durability < ASHLAR_DURABLE_NONE || durability > ASHLAR_DURABLE_DISK) {
    return fail(ErrorCode::kInvalidArgument, "the durability is not one of its three names", error);
  }
  return at_border(error,
                   [&] { return std::forward<Call>(call)(static_cast<Durability>(durability)); });
}

ashlar_value hand_out(std::unique_ptr<ashlar::Value> value) {
  ASHLAR_ASSERT(value->data() != nullptr, "a value that is there has an address");
  return {.data = value->data(), .size = value->size(), .owner = value.release()};
}

ashlar_code scan(const ashlar_db* db, const ashlar_snapshot* snapshot, ashlar_iterator** iterator,
                 ashlar_error* error, auto&& make_range) {
  *iterator = nullptr;
  return at_border(error, [&]() -> Result<void> {
    ASHLAR_TRY_ASSIGN(auto rows, db->db.scan(make_range(), snapshot_of(snapshot)));
    *iterator = new ashlar_iterator{std::move(rows)};
    return {};
  });
}

}  // namespace

const char* ashlar_code_name(ashlar_code code) {
  if (code == ASHLAR_OK) return "Ok";
  if (code < ASHLAR_OK || code > ASHLAR_CORRUPTION) return "Unknown";
  return ashlar::error_code_name(static_cast<ErrorCode>(code - 1)).data();  // Of a literal.
}

ashlar_bytes ashlar_text(const char* text) {
  return bytes_of(text);
}

void ashlar_value_free(ashlar_value* value) {
  if (value == nullptr) return;
  delete static_cast<ashlar::Value*>(value->owner);
  *value = {};
}

void ashlar_options_init(ashlar_options* options) {
  const ashlar::Options defaults;
  *options = {
      .directory = nullptr,
      .key_bytes_max = defaults.key_bytes_max,
      .value_bytes_max = defaults.value_bytes_max,
      .memory_budget_bytes = defaults.memory_budget_bytes,
      .memory_policy = static_cast<ashlar_memory_policy>(defaults.memory_policy),
      .engine = static_cast<ashlar_engine>(defaults.engine),
      .table_compression = static_cast<ashlar_table_compression>(defaults.table_compression)};
}

ashlar_code ashlar_open(const ashlar_options* options, ashlar_db** db, ashlar_error* error) {
  *db = nullptr;
  return at_border(error, [&]() -> Result<void> {
    ashlar::Options given;
    if (options != nullptr) {
      if (options->memory_policy != ASHLAR_REFUSE && options->memory_policy != ASHLAR_EVICT) {
        return std::unexpected(ashlar::Error::of_literal(
            ErrorCode::kInvalidArgument, "option memory_policy is not one of its two names"));
      }
      given = {
          .directory = options->directory != nullptr ? options->directory : "",
          .engine = static_cast<ashlar::Engine>(options->engine),
          .table_compression = static_cast<ashlar::TableCompression>(options->table_compression),
          .key_bytes_max = options->key_bytes_max,
          .value_bytes_max = options->value_bytes_max,
          .memory_budget_bytes = options->memory_budget_bytes,
          .memory_policy = static_cast<ashlar::MemoryPolicy>(options->memory_policy)};
    }
    auto clock = std::make_unique<ashlar::os::SystemClock>();
    ASHLAR_TRY_ASSIGN(auto opened, ashlar::db::Access::open(given, {.clock = clock.get()}));
    *db = new ashlar_db{std::move(clock), std::move(opened)};
    return {};
  });
}

ashlar_code ashlar_close(ashlar_db* db, ashlar_error* error) {
  return at_border(error, [&]() -> Result<void> {
    if (db == nullptr) return {};
    ASHLAR_TRY(db->db.close());
    delete db;
    return {};
  });
}

int64_t ashlar_now_ms(const ashlar_db* db) {
  return db->clock->now_ms();
}

ashlar_code ashlar_put(ashlar_db* db, ashlar_bytes key, ashlar_bytes value, int64_t deadline_ms,
                       ashlar_durability durability, ashlar_error* error) {
  return write_at_border(durability, error, [&](Durability chosen) {
    return db->db.put(view_of(key), view_of(value), Expiry::at_ms(deadline_ms), chosen);
  });
}

ashlar_code ashlar_get(const ashlar_db* db, ashlar_bytes key, const ashlar_snapshot* snapshot,
                       ashlar_value* value, ashlar_error* error) {
  *value = {};
  return at_border(error, [&]() -> Result<void> {
    auto result = db->db.get(view_of(key), snapshot_of(snapshot));
    if (!result) return std::unexpected(std::move(result).error());
    if (*result) *value = hand_out(std::make_unique<ashlar::Value>(std::move(**result)));
    return {};
  });
}

ashlar_code ashlar_multi_get(const ashlar_db* db, const ashlar_bytes* keys, size_t count,
                             const ashlar_snapshot* snapshot, ashlar_value* values,
                             ashlar_error* error) {
  std::fill_n(values, count, ashlar_value{});
  const ashlar_code code = at_border(error, [&]() -> Result<void> {
    std::vector<std::string_view> views(count);
    std::transform(keys, keys + count, views.begin(), view_of);
    ASHLAR_TRY_ASSIGN(auto found, db->db.multi_get(views, snapshot_of(snapshot)));
    ASHLAR_ASSERT(found.size() == count, "there is one answer for each key");
    for (std::size_t i = 0; i < count; ++i) {
      if (found[i]) values[i] = hand_out(std::make_unique<ashlar::Value>(*std::move(found[i])));
    }
    return {};
  });
  if (code != ASHLAR_OK)
    std::for_each(values, values + count, [](ashlar_value& value) { ashlar_value_free(&value); });
  return code;
}

ashlar_code ashlar_exists(const ashlar_db* db, ashlar_bytes key, const ashlar_snapshot* snapshot,
                          bool* is_found, ashlar_error* error) {
  return at_border(error, [&]() -> Result<void> {
    ASHLAR_TRY_ASSIGN(const bool found, db->db.exists(view_of(key), snapshot_of(snapshot)));
    store_flag(is_found, found);
    return {};
  });
}

ashlar_code ashlar_erase(ashlar_db* db, ashlar_bytes key, bool* is_found,
                         ashlar_durability durability, ashlar_error* error) {
  return write_at_border(durability, error, [&](Durability chosen) -> Result<void> {
    ASHLAR_TRY_ASSIGN(const bool found, db->db.erase(view_of(key), chosen));
    store_flag(is_found, found);
    return {};
  });
}

ashlar_code ashlar_expire(ashlar_db* db, ashlar_bytes key, int64_t deadline_ms, bool* is_found,
                          ashlar_durability durability, ashlar_error* error) {
  return write_at_border(durability, error, [&](Durability chosen) -> Result<void> {
    ASHLAR_TRY_ASSIGN(const bool found,
                      db->db.expire(view_of(key), Expiry::at_ms(deadline_ms), chosen));
    store_flag(is_found, found);
    return {};
  });
}

ashlar_code ashlar_persist(ashlar_db* db, ashlar_bytes key, bool* had_deadline,
                           ashlar_durability durability, ashlar_error* error) {
  return write_at_border(durability, error, [&](Durability chosen) -> Result<void> {
    ASHLAR_TRY_ASSIGN(const bool had, db->db.persist(view_of(key), chosen));
    store_flag(had_deadline, had);
    return {};
  });
}

ashlar_code ashlar_time_to_live(const ashlar_db* db, ashlar_bytes key, int64_t* left_ms,
                                ashlar_error* error) {
  return at_border(error, [&]() -> Result<void> {
    // One read for both questions, whether it is there and for how long.
    ASHLAR_TRY_ASSIGN(const auto expiry, db->db.expiry_of(view_of(key)));
    if (!expiry) {
      *left_ms = 0;
    } else if (expiry->is_never()) {
      *left_ms = ASHLAR_NEVER;
    } else {
      *left_ms = std::max<int64_t>(1, expiry->resolve_ms(0) - db->clock->now_ms());
    }
    return {};
  });
}

ashlar_batch* ashlar_batch_new(void) {
  return new (std::nothrow) ashlar_batch;
}
void ashlar_batch_free(ashlar_batch* batch) {
  delete batch;
}

void ashlar_batch_put(ashlar_batch* batch, ashlar_bytes key, ashlar_bytes value,
                      int64_t deadline_ms) {
  batch->batch.put(view_of(key), view_of(value), Expiry::at_ms(deadline_ms));
}

void ashlar_batch_erase(ashlar_batch* batch, ashlar_bytes key) {
  batch->batch.erase(view_of(key));
}
void ashlar_batch_clear(ashlar_batch* batch) {
  batch->batch.clear();
}
size_t ashlar_batch_count(const ashlar_batch* batch) {
  return batch->batch.count();
}

ashlar_code ashlar_write(ashlar_db* db, const ashlar_batch* batch, ashlar_durability durability,
                         ashlar_error* error) {
  return write_at_border(durability, error,
                         [&](Durability chosen) { return db->db.write(batch->batch, chosen); });
}

ashlar_code ashlar_checkpoint(ashlar_db* db, ashlar_error* error) {
  return at_border(error, [&] { return db->db.checkpoint(); });
}

ashlar_code ashlar_compact(ashlar_db* db, ashlar_error* error) {
  return at_border(error, [&] { return db->db.compact(); });
}

ashlar_code ashlar_backup(ashlar_db* db, const char* path, ashlar_error* error) {
  return at_border(error, [&]() -> Result<void> {
    ASHLAR_TRY(db->db.backup(path != nullptr ? path : ""));
    return {};
  });
}

ashlar_code ashlar_snapshot_take(const ashlar_db* db, ashlar_snapshot** snapshot,
                                 ashlar_error* error) {
  *snapshot = nullptr;
  return at_border(error, [&]() -> Result<void> {
    ASHLAR_TRY_ASSIGN(auto taken, db->db.snapshot());
    *snapshot = new ashlar_snapshot{std::move(taken)};
    return {};
  });
}

void ashlar_snapshot_release(ashlar_snapshot* snapshot) {
  delete snapshot;
}

uint64_t ashlar_snapshot_sequence(const ashlar_snapshot* snapshot) {
  return snapshot->snapshot.sequence();
}

int64_t ashlar_snapshot_taken_at_ms(const ashlar_snapshot* snapshot) {
  return snapshot->snapshot.taken_at_ms();
}

ashlar_code ashlar_scan(const ashlar_db* db, ashlar_bytes from, ashlar_bytes to,
                        const ashlar_snapshot* snapshot, ashlar_iterator** iterator,
                        ashlar_error* error) {
  return scan(db, snapshot, iterator, error, [&] {
    ashlar::Range range{.from = std::string(view_of(from)), .to = std::nullopt};
    if (to.data != nullptr) range.to = view_of(to);
    return range;
  });
}

ashlar_code ashlar_scan_prefix(const ashlar_db* db, ashlar_bytes prefix,
                               const ashlar_snapshot* snapshot, ashlar_iterator** iterator,
                               ashlar_error* error) {
  return scan(db, snapshot, iterator, error,
              [&] { return ashlar::Range::prefix(view_of(prefix)); });
}

void ashlar_iterator_free(ashlar_iterator* iterator) {
  delete iterator;
}

void ashlar_iterator_seek_to_first(ashlar_iterator* iterator) {
  iterator->iterator.seek_to_first();
}

void ashlar_iterator_seek_to_last(ashlar_iterator* iterator) {
  iterator->iterator.seek_to_last();
}

void ashlar_iterator_seek(ashlar_iterator* iterator, ashlar_bytes key) {
  iterator->iterator.seek(view_of(key));
}

void ashlar_iterator_seek_for_previous(ashlar_iterator* iterator, ashlar_bytes key) {
  iterator->iterator.seek_for_previous(view_of(key));
}

void ashlar_iterator_next(ashlar_iterator* iterator) {
  iterator->iterator.next();
}
void ashlar_iterator_previous(ashlar_iterator* iterator) {
  iterator->iterator.previous();
}

bool ashlar_iterator_is_valid(const ashlar_iterator* iterator) {
  return iterator->iterator.is_valid();
}

ashlar_bytes ashlar_iterator_key(const ashlar_iterator* iterator) {
  return bytes_of(iterator->iterator.key());
}

ashlar_bytes ashlar_iterator_value(const ashlar_iterator* iterator) {
  return bytes_of(iterator->iterator.value());
}

ashlar_code ashlar_iterator_status(const ashlar_iterator* iterator, ashlar_error* error) {
  return at_border(error, [&] { return iterator->iterator.status(); });
}

ashlar_code ashlar_get_stats(const ashlar_db* db, ashlar_stats* stats, ashlar_error* error) {
  return at_border(error, [&]() -> Result<void> {
    ASHLAR_TRY_ASSIGN(const ashlar::Stats now, db->db.stats());
    *stats = std::bit_cast<ashlar_stats>(now);
    return {};
  });
}

size_t ashlar_approximate_memory(const ashlar_db* db) {
  return db->db.approximate_memory();
}

// NOLINTEND(readability-identifier-naming)
