// Writes inputs to begin from, one folder a fuzzer: `make_seeds FOLDER`. What chance would not find
// soon: whole frames, checkpoints and dumps with their checksums. Run it again when a format
// changes, and keep what is there of the earlier one under another name.
//
//     build/debug/fuzz/make_seeds fuzz/corpus

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "cli/dump_form.h"
#include "db/backup/backup_list.h"
#include "db/inspection/repair_steps.h"
#include "engine/operation_codec.h"
#include "log/frame.h"
#include "log/segment.h"
#include "lsm/manifest.h"
#include "memory/checkpoint/checkpoint_file.h"
#include "os/posix_disk.h"
#include "os/simulated_disk.h"
#include "table/block_builder.h"
#include "table/table_writer.h"

namespace {

using std::string_view_literals::operator""sv;

constexpr std::int64_t kDeadlineMs = 4'000'000'000'000;

/// The folders of seeds.
class Seeds {
 public:
  explicit Seeds(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void write(const std::string& fuzzer, const std::string& name, std::string_view bytes) {
    std::filesystem::create_directories(folder_ / fuzzer);
    const std::string path = (folder_ / fuzzer / name).string();
    ASHLAR_ASSERT(ashlar::os::remove_file(disk_, path).has_value(), "an old seed can go");
    const auto file = ashlar::os::File::open(disk_, path, ashlar::os::OpenMode::kCreate);
    ASHLAR_ASSERT(file.has_value() && (*file)->write(0, bytes).has_value(), "seeds can be written");
  }

 private:
  const std::filesystem::path folder_;
  ashlar::os::PosixDisk disk_;
};

/// A commit with each kind of operation.
std::string payload() {
  std::string bytes;
  ashlar::engine::PayloadWriter writer(bytes, 1'000'000);
  writer.add({.key = "key", .value = "value"});
  writer.add({.key = "\0binary\xff"sv, .value = "", .deadline_ms = kDeadlineMs});
  writer.add({.kind = ashlar::engine::OperationKind::kErase, .key = "key", .value = {}});
  writer.add_expire("\0binary\xff"sv, kDeadlineMs + 1);
  writer.add_reclaimed(ashlar::engine::Reclaimed::kExpired, "expired");
  writer.add_reclaimed(ashlar::engine::Reclaimed::kEvicted, "evicted");
  return bytes;
}

/// A frame where fuzz_frame looks for one.
std::string frame(ashlar::log::FrameKind kind, std::string_view payload) {
  ashlar::log::FrameHeader header;
  header.kind = kind;
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  header.commit = 1;
  std::string bytes(header.frame_bytes(), '\0');
  payload.copy(bytes.data() + ashlar::log::FrameHeader::kBytes, payload.size());
  ashlar::log::encode_frame_header(header, ashlar::log::payload_hash(payload), 4096, 1,
                                   bytes.data());
  return bytes;
}

std::string checkpoint(int row_count) {
  ashlar::os::SimulatedDisk disk;
  auto writer = ashlar::memory::CheckpointWriter::create(
      disk, "/c", {.position = 4096, .chain = 1, .commit = 7}, 1'000'000);
  for (int i = 0; i < row_count; ++i) {
    const std::string key = "key:" + std::to_string(i);
    const auto added = (*writer)->add(
        {.key = key, .value = "value", .deadline_ms = i % 2 == 0 ? kDeadlineMs : INT64_MAX});
    ASHLAR_ASSERT(added.has_value(), "a disk in memory takes a row");
  }
  ASHLAR_ASSERT((*writer)->finish(8192).has_value(), "a disk in memory takes a checkpoint");
  return disk.read_all("/c");
}

std::string dump(ashlar::cli::DumpWriter& writer) {
  std::string bytes;
  writer.append_begin(bytes);
  writer.append_row(bytes, {.key = "\0\xff"sv, .value = ""});
  writer.append_row(bytes, {.key = "a \"key\"", .value = "back\\slash\n"});
  writer.append_row(bytes, {.key = "b", .value = "v", .deadline_ms = kDeadlineMs});
  writer.append_end(bytes);
  return bytes;
}

/// Steps without the line of the checksum, which fuzz_repair_steps adds.
std::string repair_steps(ashlar::Engine engine, const std::string& removed) {
  using Kind = ashlar::db::RepairStep::Kind;
  const std::string text =
      ashlar::db::encode_repair_steps({.engine = engine,
                                       .list = {{.name = "log/0000000003.log"},
                                                {.name = "log/ring"},
                                                {.kind = Kind::kRemove, .name = removed}}});
  return text.substr(0, text.rfind("checksum "));
}

/// A table that fuzz_table takes for its own: rows of three blocks, an erase and a deadline.
std::string table(ashlar::table::Compression compression) {
  constexpr ashlar::table::TableIdentity kIdentity{.database_id = 1, .number = 2, .hash_seed = 3};
  ashlar::os::SimulatedDisk disk;
  const auto writer =
      ashlar::table::TableWriter::create(disk, "/t", kIdentity, {.compression = compression});
  const std::string value(500, 'v');
  for (int i = 100; i < 140; ++i) {
    const std::string key = "key:" + std::to_string(i);
    ashlar::engine::Operation row{.key = key, .value = value};
    if (i == 110) row.deadline_ms = kDeadlineMs;
    if (i == 120) row = {.kind = ashlar::engine::OperationKind::kErase, .key = key, .value = {}};
    const auto added = (*writer)->add(row, ashlar::base::hash_key(key, kIdentity.hash_seed));
    ASHLAR_ASSERT(added.has_value(), "a disk in memory takes a row");
  }
  ASHLAR_ASSERT((*writer)->finish().has_value(), "a disk in memory takes a table");
  return disk.read_all("/t");
}

/// A block with every column.
std::string block() {
  ashlar::table::BlockBuilder builder;
  builder.add({.key = "key:1", .value = "value"}, 0x4141);
  builder.add({.kind = ashlar::engine::OperationKind::kErase, .key = "key:22", .value = {}}, 1);
  builder.add({.key = "key:3", .value = "", .deadline_ms = kDeadlineMs}, 0x4141);
  std::string raw;
  builder.finish(raw);
  return raw;
}

/// A manifest with a table in level 0 and two below.
std::string manifest() {
  const ashlar::lsm::TableInfo table{.number = 3,
                                     .age_rank = 3,
                                     .file_bytes = 300,
                                     .row_count = 10,
                                     .erase_count = 1,
                                     .expiring_count = 1,
                                     .earliest_deadline_ms = kDeadlineMs,
                                     .smallest = "a",
                                     .largest = "bc"};
  ashlar::lsm::TableInfo lower = table;
  lower.number = 2;
  ashlar::lsm::TableInfo next = table;
  next.number = 1;
  next.smallest = "c";
  next.largest = "\0binary\xff"sv.substr(7);
  return ashlar::lsm::encode_manifest({.next_file_number = 4,
                                       .tables = {{.level = 0, .table = table},
                                                  {.level = 6, .table = lower},
                                                  {.level = 6, .table = next}}});
}

/// The list of a backup of either engine.
std::string backup(ashlar::Engine engine) {
  using Kind = ashlar::db::BackupFile::Kind;
  ashlar::db::BackupList list{.number = 2,
                              .engine = engine,
                              .log_id = 1,
                              .moment_ms = 1'000'000,
                              .begin = {.position = 4104, .chain = 7, .commit = 9},
                              .end = 8192,
                              .last_commit = 12,
                              .files = {}};
  if (engine == ashlar::Engine::kDisk) {
    list.files = {
        {Kind::kTable, 3, 300, 1}, {Kind::kTable, 4, 300, 2}, {Kind::kManifest, 2, 99, 3}};
  } else {
    list.files = {{Kind::kCheckpoint, 2, 100, 4}};
  }
  list.files.push_back({Kind::kLog, 2, 8192, 5});
  return ashlar::db::encode_backup_list(list);
}

void write_seeds(Seeds seeds) {
  using ashlar::log::FrameKind;
  seeds.write("fuzz_payload", "every_kind", payload());
  seeds.write("fuzz_frame", "commit", frame(FrameKind::kCommit, payload()));
  seeds.write("fuzz_frame", "close", frame(FrameKind::kClose, {}));
  seeds.write("fuzz_segment", "header",
              ashlar::log::encode_segment_header(
                  {.log_id = 1, .number = 42, .first = 8192, .log_bytes = 65536})
                  .substr(0, 64));
  seeds.write("fuzz_segment", "name", ashlar::log::segment_name(42));
  seeds.write("fuzz_checkpoint", "empty", checkpoint(0));
  seeds.write("fuzz_checkpoint", "rows", checkpoint(50));
  seeds.write("fuzz_backup", "memory", backup(ashlar::Engine::kMemory));
  seeds.write("fuzz_backup", "disk", backup(ashlar::Engine::kDisk));
  seeds.write("fuzz_block", "columns", block());
  seeds.write("fuzz_table", "plain", table(ashlar::table::Compression::kNone));
  seeds.write("fuzz_table", "lz4", table(ashlar::table::Compression::kLz4));
  seeds.write("fuzz_manifest", "empty", ashlar::lsm::encode_manifest({}));
  seeds.write("fuzz_manifest", "tables", manifest());
  seeds.write("fuzz_dump", "text", dump(*ashlar::cli::make_text_writer()));
  seeds.write("fuzz_dump", "binary", dump(*ashlar::cli::make_binary_writer()));
  seeds.write("fuzz_repair_steps", "steps",
              repair_steps(ashlar::Engine::kMemory, "checkpoint/0000000001.checkpoint"));
  seeds.write("fuzz_repair_steps", "steps_of_tables",
              repair_steps(ashlar::Engine::kDisk, "tables/0000000004.table"));
  // Form, then file, offset from its end, count, bytes: see fuzz_tables.cc.
  seeds.write("fuzz_tables", "nothing", "\0"sv);
  seeds.write("fuzz_tables", "manifest", "\4\7\20\0\2zz"sv);
  seeds.write("fuzz_tables", "first_table", "\1\5\300\0\4zzzz"sv);
  seeds.write("fuzz_tables", "sealed_blocks", "\4\5\0\4\4zzzz\6\0\2\2zz"sv);
  seeds.write("fuzz_tables", "sealed_zstd", "\6\5\0\4\4zzzz\6\0\1\2zz"sv);
  // File, offset in units of 16, count, bytes: see fuzz_directory.cc.
  seeds.write("fuzz_directory", "nothing", {});
  seeds.write("fuzz_directory", "format", "\0\0\0\3xyz"sv);
  seeds.write("fuzz_directory", "first_of_log", "\1\1\0\4zzzz"sv);
  seeds.write("fuzz_directory", "second_of_log", "\2\1\200\4zzzz"sv);
  seeds.write("fuzz_directory", "third_of_log_and_checkpoint", "\3\0\2\4zzzz\5\0\4\4zzzz"sv);
}

}  // namespace

int main(int argument_count, char** argument_list) {
  if (argument_count != 2) {
    std::fprintf(stderr, "usage: make_seeds FOLDER\n");
    return 2;
  }
  write_seeds(Seeds(argument_list[1]));
  return 0;
}
