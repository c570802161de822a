#include <algorithm>
#include <optional>
#include <vector>

#include "steps.h"

namespace demo {
namespace {

/// The records that the database must hold, in the order of their keys.
std::vector<const Record*> sorted_records(const Catalogue& catalogue) {
  std::vector<const Record*> records;
  records.reserve(catalogue.key_count());
  for (const auto& record : catalogue.records) {
    if (!record.is_superseded) records.push_back(&record);
  }
  std::ranges::sort(records, {},
                    [](const Record* record) -> std::string_view { return record->key; });
  return records;
}

/// Says where `found` and `source` part.
std::string difference(std::string_view found, std::string_view source) {
  const auto place = std::ranges::mismatch(found, source).in1 - found.begin();
  return "differs from the source at byte " + std::to_string(place) + " (" + grouped(found.size()) +
         " bytes stored, " + grouped(source.size()) + " in the source)";
}

ashlar::Result<void> verify_by_points(const Stage& stage) {
  const auto& records = stage.catalogue.records;
  const Stopwatch watch;
  for (std::size_t index = 0; index < records.size(); ++index) {
    const auto& record = records[index];
    stage.terminal.progress(index + 1, records.size());
    if (record.is_superseded) continue;

    ASHLAR_TRY_ASSIGN(const auto value, stage.db.get(record.key));
    if (!value) return wrong(record.key + ": is in the source, but not in the database");
    const auto source = stage.catalogue.text_of(record);
    if (*value != source) return wrong(record.key + ": " + difference(*value, source));
  }
  stage.terminal.good({grouped(stage.catalogue.key_count()),
                       " records are equal byte for byte, by point reads, ", watch.elapsed()});
  return {};
}

/// Compares the row that `rows` stands on with the record that must stand there.
ashlar::Result<void> verify_row(const Stage& stage, const ashlar::Iterator& rows,
                                const Record& record) {
  if (rows.key() != record.key) {
    return wrong(record.key + ": expected, but the scan came to " + std::string(rows.key()));
  }
  const auto source = stage.catalogue.text_of(record);
  if (rows.value() != source) return wrong(record.key + ": " + difference(rows.value(), source));
  return {};
}

ashlar::Result<void> verify_by_scan(const Stage& stage) {
  const auto expected = sorted_records(stage.catalogue);
  const Stopwatch watch;
  ASHLAR_TRY_ASSIGN(auto rows, stage.db.scan());

  std::size_t count = 0;
  std::string previous_key;  // No key is empty, so all keys stand behind it.
  for (rows.seek_to_first(); rows.is_valid(); rows.next(), ++count) {
    const auto key = rows.key();
    if (key <= previous_key) return wrong(std::string(key) + ": does not stand in order");
    if (count == expected.size()) return wrong(std::string(key) + ": is not in the source");
    ASHLAR_TRY(verify_row(stage, rows, *expected[count]));
    previous_key = key;
  }
  ASHLAR_TRY(rows.status());
  if (count != expected.size()) return wrong(expected[count]->key + ": the scan left it out");

  stage.terminal.good(
      {grouped(count), " records are equal byte for byte, by one ordered scan, ", watch.elapsed()});
  return {};
}

}  // namespace

ashlar::Result<void> corrupt_one(const Stage& stage) {
  const auto records = sorted_records(stage.catalogue);
  const auto& record = *records[records.size() / 2];
  std::string text(stage.catalogue.text_of(record));
  text.back() = text.back() == '!' ? '?' : '!';
  stage.terminal.heading("Corrupt one: this run must fail");
  stage.terminal.line({"the last byte of ", record.key, " is changed"});
  return stage.db.put(record.key, text);
}

ashlar::Result<void> verify_records(const Stage& stage) {
  stage.terminal.heading("Verify: every record against its source");
  ASHLAR_TRY(verify_by_points(stage));
  ASHLAR_TRY(verify_by_scan(stage));
  return {};
}

}  // namespace demo
