// A sound directory of the disk engine with any bytes written over any of its files, under
// checksums that are left as they are or made right again: it is opened, read both ways, written
// to, compacted, checked and repaired. Nothing crashes; and where the checksums were left alone and
// only tables and their manifest changed, every answer is the one that was, or an error.
//
//     input := form (1 byte) (file (1 byte) offset from its end (2 bytes) count (1 byte) bytes…)…
//     form  := compression, modulo 3, plus 4 where checksums are made right

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/db.h"
#include "base/coding.h"
#include "base/hash.h"
#include "db/access.h"
#include "db/calling_thread_test.h"
#include "db/inspection/repair.h"
#include "lsm/engine/tiny_settings_test.h"
#include "lsm/manifest.h"
#include "lsm/table_store.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"
#include "table/table_file.h"

namespace {

using ashlar::os::SimulatedDisk;

constexpr const char* kPath = "/data";
constexpr const char* kTables = "/data/tables";
constexpr std::size_t kManifestChecksumBytes = 8;

void must(bool condition) {
  if (!condition) std::abort();
}

using Rows = std::map<std::string, std::string>;

/// Where a table's sections and blocks begin and end, trailers included.
struct Piece {
  std::uint64_t begin;
  std::uint64_t end;
};

/// A directory, what is in it, and how its tables are divided.
struct Sound {
  std::unique_ptr<SimulatedDisk> disk = std::make_unique<SimulatedDisk>();
  Rows rows;
  std::vector<std::string> paths;
  std::map<std::string, std::vector<Piece>> pieces;
  std::map<std::string, ashlar::table::TableIdentity> identities;
};

ashlar::Result<ashlar::Db> open_at(SimulatedDisk& disk, ashlar::TableCompression compression = {}) {
  static const ashlar::os::ManualClock clock;
  const ashlar::Options options{.directory = kPath,
                                .engine = ashlar::Engine::kDisk,
                                .table_compression = compression,
                                .memory_budget_bytes = ashlar::kDiskMemoryBudgetBytesMin};
  ashlar::db::Environment environment = ashlar::db::in_calling_thread(
      disk, clock, {.segment_bytes = std::size_t{32} << 10U, .ring_bytes = std::size_t{16} << 10U});
  environment.disk_engine = ashlar::lsm::tiny_settings(options);
  return ashlar::db::Access::open(options, environment);
}

void write_rows(ashlar::Db& db, Rows& rows, int round) {
  for (int i = 0; i < 40; ++i) {
    const std::string key = "key:" + std::to_string((i * 7 + round * 13) % 90);
    if (i % 9 == 4) {
      must(db.erase(key).has_value());
      rows.erase(key);
      continue;
    }
    const std::string value(static_cast<std::size_t>(i * 11), static_cast<char>('a' + round));
    const auto expiry =
        i % 5 == 0 ? ashlar::Expiry::at_ms(1'000'000'000'000) : ashlar::Expiry::never();
    must(db.put(key, value, expiry).has_value());
    rows[key] = value;
  }
}

void divide(Sound& sound, const std::string& path, const ashlar::table::TableIdentity& identity) {
  const auto table = ashlar::table::TableFile::open(*sound.disk, path, identity);
  must(table.has_value());
  std::vector<Piece>& pieces = sound.pieces[path];
  for (std::size_t block = 0; block < (*table)->block_count(); ++block) {
    pieces.push_back({.begin = (*table)->offset(block), .end = (*table)->offset(block + 1)});
  }
  const std::string bytes = sound.disk->read_all(path);
  const std::uint64_t footer_offset = bytes.size() - ashlar::table::kFooterBytes;
  const auto footer = ashlar::table::decode_footer(std::string_view(bytes).substr(footer_offset),
                                                   identity, path, footer_offset);
  must(footer.has_value());
  for (const auto& section : footer->sections) {
    pieces.push_back({.begin = section.offset,
                      .end = section.offset + section.bytes + ashlar::table::kTrailerBytes});
  }
  sound.identities[path] = identity;
}

/// Tables in several levels, the newest rows in the log alone, killed.
Sound make_sound(ashlar::TableCompression compression) {
  Sound sound;
  {
    auto db = open_at(*sound.disk, compression);
    must(db.has_value());
    for (int round = 0; round < 6; ++round) {
      write_rows(*db, sound.rows, round);
      if (round < 5) must(db->checkpoint().has_value());
      if (round == 3) ashlar::db::Access::engine(*db).maintain();
    }
    sound.disk->crash_process();
  }
  ashlar::lsm::Manifest manifest;
  sound.paths.push_back(std::string(kPath) + "/FORMAT");
  for (const char* folder : {"/data/tables", "/data/log"}) {
    const auto names = ashlar::os::list_directory(*sound.disk, folder);
    for (const std::string& name : *names) sound.paths.push_back(std::string(folder) + "/" + name);
  }
  std::ranges::sort(sound.paths);
  for (const std::string& path : sound.paths) {
    if (!path.ends_with(".manifest")) continue;
    const auto decoded = ashlar::lsm::decode_manifest(sound.disk->read_all(path), path);
    must(decoded.has_value());
    for (const auto& entry : decoded->tables) {
      divide(sound, std::string(kTables) + "/" + ashlar::lsm::table_name(entry.table.number),
             {.database_id = decoded->database_id,
              .number = entry.table.number,
              .hash_seed = decoded->hash_seed});
    }
  }
  must(!sound.pieces.empty());
  return sound;
}

/// Makes the checksums of a table or manifest right. Its length is what it was.
void seal(SimulatedDisk& disk, const Sound& sound, const std::string& path) {
  std::string bytes = disk.read_all(path);
  if (path.ends_with(".manifest")) {
    ashlar::base::store_number(bytes.data() + 16, std::uint64_t{bytes.size()});
    const auto covered = std::string_view(bytes).substr(0, bytes.size() - kManifestChecksumBytes);
    ashlar::base::store_number(bytes.data() + covered.size(), ashlar::base::hash_key(covered, 0));
  } else if (sound.pieces.contains(path)) {
    const ashlar::table::TableIdentity& identity = sound.identities.at(path);
    for (const Piece& piece : sound.pieces.at(path)) {
      const std::uint64_t end = piece.end - ashlar::table::kTrailerBytes;
      std::string sealed = bytes.substr(piece.begin, end - piece.begin);
      const auto kind = static_cast<ashlar::table::Compression>(bytes[end] & 3);
      ashlar::table::append_trailer(sealed, sealed.size(), kind, identity, piece.begin);
      bytes.replace(piece.begin, sealed.size(), sealed);
    }
  }
  disk.overwrite(path, 0, bytes);
}

struct Damaged {
  bool is_sealed = false;
  bool is_in_tables_only = true;
};

Damaged damage(SimulatedDisk& disk, const Sound& sound, std::string_view edits, bool is_sealed) {
  Damaged damaged{.is_sealed = is_sealed};
  std::uint8_t file = 0;
  std::uint16_t place = 0;
  std::uint8_t count = 0;
  while (ashlar::base::take_number(edits, file) && ashlar::base::take_number(edits, place) &&
         ashlar::base::take_number(edits, count)) {
    const std::string& path = sound.paths[file % sound.paths.size()];
    const std::size_t bytes = disk.read_all(path).size();
    const std::string_view written = edits.substr(0, std::min<std::size_t>(count, bytes));
    edits.remove_prefix(written.size());
    // From the end: the sections of a table lie there, and small numbers come soonest.
    const std::size_t end = bytes == 0 ? 0 : bytes - place % bytes;
    if (end < written.size()) continue;
    disk.overwrite(path, end - written.size(), written);
    if (!path.starts_with(kTables)) damaged.is_in_tables_only = false;
    if (is_sealed) seal(disk, sound, path);
  }
  return damaged;
}

/// Reads all that can be read. Where it has to be right, it is.
void read(const ashlar::Db& db, const Rows& rows, bool must_be_right) {
  for (const auto& [key, value] : rows) {
    const auto got = db.get(key);
    if (!got || !must_be_right) continue;
    must(got->has_value() && (*got)->view() == value);
  }
  const std::array<std::string_view, 3> keys{"key:1", "key:88", "absent"};
  (void)db.multi_get(keys);
  auto scan = db.scan();
  if (!scan) return;
  auto expected = rows.begin();
  std::string last;
  for (scan->seek_to_first(); scan->is_valid(); scan->next()) {
    must(last < scan->key());
    last = scan->key();
    if (!must_be_right) continue;
    must(expected != rows.end() && scan->key() == expected->first);
    // One that stands apart from its row and is damaged is empty, and the walk tells of it.
    if (scan->value() != expected->second) {
      must(!scan->status());
      break;
    }
    ++expected;
  }
  if (scan->status() && must_be_right) must(expected == rows.end());
  std::size_t count = 0;
  for (scan->seek_to_last(); scan->is_valid(); scan->previous()) ++count;
  if (scan->status() && must_be_right) must(count == rows.size());
}

void use(SimulatedDisk& disk, const Sound& sound, const Damaged& damaged) {
  auto db = open_at(disk);
  if (!db) return must(!db.error().message().empty());
  const bool must_be_right = !damaged.is_sealed && damaged.is_in_tables_only;
  read(*db, sound.rows, must_be_right);
  (void)db->stats();
  (void)db->put("key:1", "another value");
  (void)db->erase("key:2");
  (void)db->persist("key:5");
  (void)db->checkpoint();
  (void)db->compact();
  read(*db, sound.rows, false);
  (void)db->close();
}

void repair(SimulatedDisk& disk) {
  {
    const auto directory = ashlar::db::Directory::open_as_is(disk, kPath);
    must(directory.has_value());
    const auto inspection = ashlar::db::inspect(disk, **directory);
    if (!inspection && inspection.error().code() != ashlar::ErrorCode::kCorruption) return;
    if (inspection && inspection->report.is_sound()) {
      must(open_at(*disk.clone()).has_value());
      return;
    }
  }
  const auto repaired = ashlar::db::repair(disk, kPath, ashlar::db::RepairMode::kApply, 99);
  if (!repaired) return must(!repaired.error().message().empty());
  const auto directory = ashlar::db::Directory::open_as_is(disk, kPath);
  const auto inspection = ashlar::db::inspect(disk, **directory);
  must(inspection.has_value() && inspection->report.is_sound());
  must(open_at(*disk.clone()).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array<Sound, 3> all{make_sound(ashlar::TableCompression::kNone),
                                        make_sound(ashlar::TableCompression::kLz4),
                                        make_sound(ashlar::TableCompression::kZstd)};
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::uint8_t form = 0;
  if (!ashlar::base::take_number(input, form)) return 0;
  const Sound& sound = all[(form & 3U) % all.size()];
  const auto disk = sound.disk->clone();
  const Damaged damaged = damage(*disk, sound, input, (form & 4U) != 0);
  repair(*disk->clone());
  use(*disk, sound, damaged);
  return 0;
}
