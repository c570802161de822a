#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "steps.h"

namespace demo {
namespace {

constexpr std::size_t kTouchedMax = 3000;
constexpr std::size_t kRowsShown = 6;
constexpr std::size_t kKeyColumns = 36;
constexpr std::size_t kContentColumns = 30;

using Records = std::vector<const Record*>;

/// Up to `kTouchedMax` records from all over the catalogue, each with a key of its own.
Records choose_records(const Catalogue& catalogue) {
  Records chosen;
  const std::size_t stride = std::max<std::size_t>(1, catalogue.records.size() / kTouchedMax);
  for (std::size_t index = 0; index < catalogue.records.size(); index += stride) {
    const auto& record = catalogue.records[index];
    if (!record.is_superseded) chosen.push_back(&record);
  }
  return chosen;
}

/// Every third record goes, the others get new content.
bool is_removed(std::size_t index) {
  return index % 3 == 2;
}

std::string new_content(const Record& record) {
  return "rewritten: " + record.key;
}

/// What the second thread does, one commit a record.
ashlar::Result<void> rewrite(ashlar::Db& db, const Records& records) {
  for (std::size_t index = 0; index < records.size(); ++index) {
    const auto& record = *records[index];
    if (!is_removed(index)) {
      ASHLAR_TRY(db.put(record.key, new_content(record)));
      continue;
    }
    ASHLAR_TRY_ASSIGN(const bool was_there, db.erase(record.key));
    if (!was_there) return wrong(record.key + ": was gone before it was removed");
  }
  return {};
}

/// Reads all `records` at `snapshot` and compares them with the source.
ashlar::Result<void> compare(const Stage& stage, const Records& records,
                             const ashlar::Snapshot& snapshot) {
  for (const auto* record : records) {
    ASHLAR_TRY_ASSIGN(const auto value, stage.db.get(record->key, &snapshot));
    if (!value) return wrong(record->key + ": vanished from the snapshot");
    if (*value != stage.catalogue.text_of(*record)) {
      return wrong(record->key + ": changed under the snapshot");
    }
  }
  return {};
}

/// The first line of `text`, cut to `columns`.
std::string_view shortened(std::string_view text, std::size_t columns) {
  return text.substr(0, std::min(text.find('\n'), columns));
}

/// The same, filled up to stand in a column.
std::string cell(std::string_view text, std::size_t columns) {
  std::string cut(shortened(text, columns - 2));
  cut.resize(columns, ' ');
  return cut;
}

ashlar::Result<void> show_side_by_side(const Stage& stage, const Records& records,
                                       const ashlar::Snapshot& snapshot) {
  stage.terminal.line({cell("key", kKeyColumns), cell("at the snapshot", kContentColumns), "now"});
  for (std::size_t index = 0; index < std::min(kRowsShown, records.size()); ++index) {
    const auto& key = records[index]->key;
    ASHLAR_TRY_ASSIGN(const auto before, stage.db.get(key, &snapshot));
    ASHLAR_TRY_ASSIGN(const auto now, stage.db.get(key));
    stage.terminal.line({cell(key, kKeyColumns),
                         before ? cell(*before, kContentColumns) : "(absent)",
                         now ? shortened(*now, kContentColumns) : std::string_view("(removed)")});
    const bool is_as_written =
        is_removed(index) ? !now : now && *now == new_content(*records[index]);
    if (!is_as_written) return wrong(key + ": is not what was written last");
  }
  return {};
}

ashlar::Result<std::size_t> count_rows(const Stage& stage, const ashlar::Snapshot* snapshot) {
  ASHLAR_TRY_ASSIGN(auto rows, stage.db.scan(ashlar::Range::all(), snapshot));
  std::size_t count = 0;
  for (rows.seek_to_first(); rows.is_valid(); rows.next()) ++count;
  ASHLAR_TRY(rows.status());
  return count;
}

/// Compares over and over until the writer is done, and once more.
ashlar::Result<std::size_t> compare_while_writing(const Stage& stage, const Records& records,
                                                  const ashlar::Snapshot& snapshot) {
  ashlar::Result<void> written;
  std::atomic<bool> is_done = false;
  std::jthread writer([&] {
    written = rewrite(stage.db, records);
    is_done = true;
  });

  std::size_t rounds = 0;
  for (bool is_last = false; !is_last; ++rounds) {
    is_last = is_done;
    ASHLAR_TRY(compare(stage, records, snapshot));
  }
  writer.join();
  ASHLAR_TRY(std::move(written));
  return rounds;
}

/// Stores what the source has, in one batch.
ashlar::Result<void> put_back(const Stage& stage, const Records& records) {
  ashlar::WriteBatch batch;
  for (const auto* record : records) batch.put(record->key, stage.catalogue.text_of(*record));
  return stage.db.write(batch);
}

}  // namespace

ashlar::Result<void> hold_snapshot(const Stage& stage) {
  auto& terminal = stage.terminal;
  terminal.heading("Snapshot: held while a second thread rewrites and removes keys");
  const auto records = choose_records(stage.catalogue);

  const Stopwatch watch;
  ASHLAR_TRY_ASSIGN(auto snapshot, stage.db.snapshot());
  ASHLAR_TRY_ASSIGN(const auto rounds, compare_while_writing(stage, records, snapshot));
  const std::size_t removed_count = records.size() / 3;
  terminal.figure("rewritten", {grouped(records.size() - removed_count), " keys"});
  terminal.figure("removed", {grouped(removed_count), " keys"});
  terminal.figure("time", {watch.elapsed(), " with the reads at the snapshot"});
  ASHLAR_TRY(show_side_by_side(stage, records, snapshot));

  ASHLAR_TRY_ASSIGN(const auto rows_then, count_rows(stage, &snapshot));
  ASHLAR_TRY_ASSIGN(const auto rows_now, count_rows(stage, nullptr));
  terminal.figure("keys at the snapshot", {grouped(rows_then)});
  terminal.figure("keys now", {grouped(rows_now)});
  if (rows_then != stage.catalogue.key_count() || rows_now + removed_count != rows_then) {
    return wrong("a scan over everything saw a wrong number of keys");
  }
  terminal.good({"the snapshot is unchanged: ", grouped(records.size()), " records compared ",
                 grouped(rounds), " times"});

  snapshot.release();
  ASHLAR_TRY(put_back(stage, records));
  terminal.line({"released, and all keys put back in one batch"});
  return {};
}

}  // namespace demo
