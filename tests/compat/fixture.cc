#include "fixture.h"

#include <utility>

#include "base/assert.h"

namespace ashlar::compat {
namespace {

constexpr int kCompactAt = 30;
constexpr int kCheckpointAt = 60;
constexpr int kRowCount = 120;
constexpr int kBatchCount = 20;     // Then so many in one batch,
constexpr int kRingOnlyCount = 10;  // and these when it is killed.

bool has_deadline(int i) {
  return i % 5 == 0;
}

Expiry expiry_of(int i) {
  return has_deadline(i) ? Expiry::at_ms(kFarMs + i) : Expiry::never();
}

Stored stored(int i) {
  return {.value = value_of(i), .deadline_ms = has_deadline(i) ? kFarMs + i : Expiry::kNeverMs};
}

template <typename T>
void expect(const Result<T>& result) {
  ASHLAR_ASSERT(result.has_value(), "a fixture is written on a disk that works");
}

Db open_at(const std::filesystem::path& directory, Engine engine, const os::Clock& clock) {
  Options options;
  options.directory = directory.string();
  options.engine = engine;
  db::Environment environment;
  environment.clock = &clock;
  environment.hash_seed = 7;
  environment.has_background = false;
  // Small files: they are kept for ever.
  environment.log.segment_bytes = std::size_t{16} << 10U;
  environment.log.ring_bytes = std::size_t{16} << 10U;
  environment.log.has_thread = false;
  auto db = db::Access::open(options, environment);
  expect(db);
  return std::move(*db);
}

/// Each kind of operation that the log has, before and behind a checkpoint; on disk with tables in
/// more than one level.
void write_rows(Db& db) {
  for (int i = 0; i < kRowCount; ++i) {
    if (i == kCompactAt) expect(db.compact());
    if (i == kCheckpointAt) expect(db.checkpoint());
    expect(db.put(key_of(i), i % 7 == 0 ? "an earlier value" : value_of(i), expiry_of(i)));
    if (i % 7 == 0) expect(db.put(key_of(i), value_of(i), expiry_of(i)));
  }
  for (int i = 0; i < kRowCount; i += 10) expect(db.erase(key_of(i)));
  for (int i = 1; i < kRowCount; i += 10) expect(db.expire(key_of(i), Expiry::at_ms(kFarMs)));
  for (int i = 5; i < kRowCount; i += 20) expect(db.persist(key_of(i)));
  WriteBatch batch;
  for (int i = kRowCount; i < kRowCount + kBatchCount; ++i) {
    batch.put(key_of(i), value_of(i), expiry_of(i));
  }
  batch.erase(key_of(2));
  expect(db.write(batch));
  expect(db.put("gone by now", "x", Expiry::at_ms(kWrittenMs + 1)));
}

void write_last_rows(Db& db, Durability durability) {
  for (int i = kRowCount + kBatchCount; i < kRowCount + kBatchCount + kRingOnlyCount; ++i) {
    expect(db.put(key_of(i), value_of(i), expiry_of(i), durability));
  }
}

}  // namespace

std::string key_of(int i) {
  std::string key = "key:" + std::to_string(1000 + i);
  if (i % 3 == 0) key.append({'\0', static_cast<char>(i * 2), '\xff', '"'});
  return key;
}

std::string value_of(int i) {
  if (i % 11 == 0) return {};
  std::string value = std::to_string(i) + ":";
  for (int byte = 0; byte < i * 3; ++byte) value.push_back(static_cast<char>(byte * 7 + i));
  if (i % 50 == 1) value.append(5000, 'v');
  return value;
}

Rows expected_rows(Ending ending) {
  Rows rows;
  const int count = kRowCount + kBatchCount + (ending == Ending::kKilled ? kRingOnlyCount : 0);
  for (int i = 0; i < count; ++i) {
    Stored row = stored(i);
    if (i < kRowCount && (i % 10 == 0 || i == 2)) continue;  // Erased.
    if (i < kRowCount && i % 10 == 1) row.deadline_ms = kFarMs;
    if (i < kRowCount && i % 20 == 5) row.deadline_ms = Expiry::kNeverMs;
    rows.emplace(key_of(i), std::move(row));
  }
  return rows;
}

void write_directory(const std::filesystem::path& directory, Engine engine, Ending ending,
                     const std::filesystem::path& to) {
  os::ManualClock clock(kWrittenMs);
  Db db = open_at(directory, engine, clock);
  write_rows(db);
  clock.advance(1000);
  if (ending == Ending::kClosed) expect(db.close());
  if (ending == Ending::kKilled) write_last_rows(db, Durability::kProcess);
  // The ring is mapped shared: a copy has what a killed process leaves.
  std::filesystem::copy(directory, to, std::filesystem::copy_options::recursive);
  std::filesystem::remove(to / "LOCK");
}

void write_backup(const std::filesystem::path& directory, Engine engine,
                  const std::filesystem::path& to) {
  os::ManualClock clock(kWrittenMs);
  Db db = open_at(directory, engine, clock);
  write_rows(db);
  clock.advance(1000);
  const std::string copy = directory.string() + ".copy";
  // The last rows come while it is being made.
  bool is_over = false;
  expect(db.backup(copy, [&](const BackupProgress&) {
    if (!std::exchange(is_over, true)) write_last_rows(db, Durability::kDisk);
  }));
  // As a copy, which links no file to the database.
  std::filesystem::copy(copy, to, std::filesystem::copy_options::recursive);
  std::filesystem::remove(to / "LOCK");
}

Rows read_rows(const Db& db) {
  Rows rows;
  auto found = db.scan();
  expect(found);
  for (found->seek_to_first(); found->is_valid(); found->next()) {
    const auto expiry = db.expiry_of(found->key());
    ASHLAR_ASSERT(expiry.has_value() && expiry->has_value(), "what a scan shows is there");
    rows.emplace(found->key(), Stored{.value = std::string(found->value()),
                                      .deadline_ms = (*expiry)->resolve_ms(0)});
  }
  expect(found->status());
  return rows;
}

}  // namespace ashlar::compat
