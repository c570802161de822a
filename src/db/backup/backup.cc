#include "db/backup/backup.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "db/backup/backup_store.h"
#include "db/backup/file_copy.h"
#include "db/inspection/table_survey.h"
#include "log/closed_segment.h"
#include "lsm/manifest_store.h"
#include "lsm/table_store.h"
#include "lsm/values/collected_file.h"
#include "table/table_file.h"

namespace ashlar::db {
namespace {

using Kind = BackupFile::Kind;

Error refusal(const std::string& path, const std::string& what) {
  return {ErrorCode::kInvalidArgument, path + ": " + what};
}

Error damage(const std::string& path, std::uint64_t offset, const std::string& what) {
  return {ErrorCode::kCorruption, path + " at " + std::to_string(offset) + ": " + what};
}

/// One backup of one database.
class Run {
 public:
  Run(os::Disk& disk, BackupStore& store, const BackupSource& source,
      const BackupObserver& observer) noexcept
      : disk_(disk), store_(store), source_(source), observer_(observer) {}

  Result<BackupReport> operator()() {
    list_.number = store_.newest_number() + 1;
    list_.engine = source_.manifest.empty() ? Engine::kMemory : Engine::kDisk;
    list_.log_id = source_.log_id;
    list_.moment_ms = source_.moment_ms;
    list_.begin = source_.begin;
    ASHLAR_TRY(list_.engine == Engine::kDisk ? add_tables() : add_checkpoint());
    ASHLAR_TRY(add_log());
    std::ranges::sort(list_.files, {},
                      [](const BackupFile& file) { return std::pair(file.kind, file.number); });
    ASHLAR_TRY(store_.install(list_));
    const BackupReport whole = report_of(list_);
    figures_.number = whole.number;
    figures_.engine = whole.engine;
    figures_.moment_ms = whole.moment_ms;
    figures_.last_commit = whole.last_commit;
    figures_.file_count = whole.file_count;
    figures_.file_bytes = whole.file_bytes;
    return figures_;
  }

 private:
  PieceObserver on_piece() {
    return [this](std::uint64_t bytes) {
      progress_.bytes_done += bytes;
      if (observer_) observer_(progress_);
    };
  }

  /// Whether the backup before is one of the same database, and not of a later state of it.
  Result<void> check_before() const {
    const BackupList* const before = store_.newest();
    if (before == nullptr) return {};
    if (before->log_id != list_.log_id || before->engine != list_.engine) {
      return std::unexpected(
          refusal(store_.path(),
                  "holds a backup of another database, or of what this one was restored"
                  " from: choose another directory"));
    }
    if (before->begin.position <= list_.begin.position) return {};
    return std::unexpected(
        refusal(store_.path(), "holds a backup of a later state of the database, up to commit " +
                                   std::to_string(before->last_commit)));
  }

  Result<void> add_checkpoint() {
    ASHLAR_TRY(check_before());
    {
      ASHLAR_TRY_ASSIGN(const auto file,
                        os::File::open(disk_, source_.checkpoint_path, os::OpenMode::kRead));
      if (file != nullptr) {
        ASHLAR_TRY_ASSIGN(progress_.bytes_total, file->size());
      }
    }
    return take({.kind = Kind::kCheckpoint, .number = list_.number}, source_.checkpoint_path);
  }

  Result<void> add_tables() {
    ASHLAR_TRY_ASSIGN(const lsm::Manifest manifest,
                      lsm::decode_manifest(source_.manifest, source_.directory.table_path()));
    list_.begin = start_of(manifest);
    ASHLAR_TRY(check_before());
    ASHLAR_TRY(load_tables_before());
    for (const auto& entry : manifest.tables) {
      if (!tables_before_.contains(entry.table.number)) {
        progress_.bytes_total += entry.table.file_bytes;
      }
    }
    for (const auto& entry : manifest.tables) {
      ASHLAR_TRY(add_table(manifest, entry));
      ASHLAR_TRY(note_values_of(manifest, entry.table.number));
    }
    for (const log::Position first : value_firsts_) ASHLAR_TRY(add_values(first));
    return add_manifest();
  }

  /// The tables of the backup before, as its manifest tells of them.
  Result<void> load_tables_before() {
    const BackupList* const before = store_.newest();
    if (before == nullptr) return {};
    ASHLAR_TRY_ASSIGN(lsm::Manifest manifest,
                      lsm::read_manifest(disk_, store_.path_of(before->only(Kind::kManifest))));
    for (auto& entry : manifest.tables) {
      const std::uint64_t number = entry.table.number;
      if (before->find_table(number) != nullptr) {
        tables_before_.emplace(number, std::move(entry.table));
      }
    }
    return {};
  }

  Result<void> add_table(const lsm::Manifest& manifest, const lsm::Manifest::Entry& entry) {
    const std::uint64_t number = entry.table.number;
    if (const auto before = tables_before_.find(number); before != tables_before_.end()) {
      return keep(*store_.newest()->find_table(number), before->second == entry.table);
    }
    const std::string from = source_.directory.table_path() + "/" + lsm::table_name(number);
    ASHLAR_TRY(take({.kind = Kind::kTable, .number = number}, from));
    ASHLAR_TRY_ASSIGN(const SurveyedTable table,
                      survey_table(disk_, store_.path(), manifest, entry));
    if (table.is_sound()) return {};
    return std::unexpected(damage(from, table.damages.front().offset, table.damages.front().what));
  }

  /// Notes what the rows of a table refer to, as the table in the backup tells.
  Result<void> note_values_of(const lsm::Manifest& manifest, std::uint64_t number) {
    const BackupFile file{.kind = Kind::kTable, .number = number};
    ASHLAR_TRY_ASSIGN(const auto table, table::TableFile::open(disk_, store_.path_of(file),
                                                               identity_of(manifest, number),
                                                               table::FilterUse::kIgnore));
    for (const auto& share : table->properties().shares) value_firsts_.insert(share.first);
    return {};
  }

  /// Adds the piece, or the file of collected values, that begins at `first`. Those never change,
  /// but for the piece in which the log goes on.
  Result<void> add_values(log::Position first) {
    if (lsm::is_collected(first)) {
      const BackupFile file{.kind = Kind::kCollected, .number = lsm::collected_number_of(first)};
      return add_unchanging(file, source_.directory.table_path() + "/" + file.name());
    }
    const std::vector<engine::ValuePiece> pieces = source_.values->pieces();
    const auto piece = std::ranges::find(pieces, first, &engine::ValuePiece::first);
    if (piece == pieces.end()) {
      return std::unexpected(damage(source_.values->place_of(first), 0, "the file is missing"));
    }
    const log::Position begin = list_.begin.position;
    if (piece->end > begin) {
      const log::Position end = (begin + os::kBlockBytes - 1) / os::kBlockBytes * os::kBlockBytes;
      return copy_piece({.kind = Kind::kTail, .number = list_.number},
                        {.first = first, .end = end});
    }
    const BackupFile file{.kind = Kind::kPiece, .number = first};
    if (piece->is_kept) return add_unchanging(file, source_.values->kept_path(first));
    const BackupFile* const before = find_before(file);
    return before != nullptr ? keep(*before, true) : copy_piece(file, *piece);
  }

  const BackupFile* find_before(const BackupFile& file) const {
    const BackupList* const before = store_.newest();
    return before == nullptr ? nullptr : before->find(file.kind, file.number);
  }

  Result<void> add_unchanging(const BackupFile& file, const std::string& from) {
    if (const BackupFile* const before = find_before(file)) return keep(*before, true);
    {
      ASHLAR_TRY_ASSIGN(const auto there, os::File::open(disk_, from, os::OpenMode::kRead));
      if (there == nullptr) return std::unexpected(damage(from, 0, "the file is missing"));
      ASHLAR_TRY_ASSIGN(const std::uint64_t bytes, there->size());
      progress_.bytes_total += bytes;  // Known only now that all tables are.
    }
    return take(file, from);
  }

  /// Writes what the log has of `piece`, which it may still give away or use again, as a piece that
  /// is kept: up to where the log of the backup begins.
  Result<void> copy_piece(const BackupFile& file, const engine::ValuePiece& piece) {
    constexpr std::size_t kCopiedBytes = std::size_t{1} << 20U;
    ASHLAR_TRY_ASSIGN(const auto to,
                      os::File::open(disk_, store_.path_of(file), os::OpenMode::kCreate));
    ASHLAR_TRY(to->write(0, log::encode_segment_header({.log_id = list_.log_id,
                                                        .number = 1,
                                                        .first = piece.first,
                                                        .log_bytes = piece.end - piece.first})));
    ASHLAR_TRY(to->truncate(os::kBlockBytes + (piece.end - piece.first)));
    const log::Position end = std::min(piece.end, list_.begin.position);
    std::string bytes;
    for (log::Position at = piece.first; at < end; at += bytes.size()) {
      bytes.resize(std::min<std::uint64_t>(end - at, kCopiedBytes));
      ASHLAR_TRY(source_.values->read(at, bytes));
      ASHLAR_TRY(to->write(os::kBlockBytes + (at - piece.first), bytes));
    }
    ASHLAR_TRY(to->sync());
    return add_made(file);
  }

  /// Takes a file over from the backup before.
  Result<void> keep(const BackupFile& file, bool is_same) {
    const std::string path = store_.path_of(file);
    if (!is_same) {
      return std::unexpected(
          refusal(path,
                  "is another table than the one of that number in the database, of which"
                  " there must be two copies that were written to: choose another"
                  " directory"));
    }
    ASHLAR_TRY_ASSIGN(const auto there, os::File::open(disk_, path, os::OpenMode::kRead));
    if (there == nullptr) return std::unexpected(damage(path, 0, "the file is missing"));
    ASHLAR_TRY_ASSIGN(const std::uint64_t bytes, there->size());
    if (bytes != file.bytes) {
      return std::unexpected(damage(path, std::min(bytes, file.bytes),
                                    "the file is not as long as it was when it was backed up"));
    }
    list_.files.push_back(file);
    ++figures_.reused_file_count;
    return {};
  }

  /// Gives the file `from`, which never changes, a name in the backup: by a link, or else by a
  /// copy. Either way all of it is read, for its checksum.
  Result<void> take(BackupFile file, const std::string& from) {
    const std::string to = store_.path_of(file);
    ASHLAR_TRY_ASSIGN(const bool is_linked, os::link_file(disk_, from, to));
    FileSum sum;
    if (is_linked) {
      ASHLAR_TRY_ASSIGN(sum, sum_file(disk_, to, on_piece()));
      ++figures_.linked_file_count;
    } else {
      ASHLAR_TRY_ASSIGN(sum, copy_file(disk_, {.from = from, .to = to}, on_piece()));
      figures_.written_bytes += sum.bytes;
    }
    add(file, sum);
    return {};
  }

  void add(BackupFile file, const FileSum& sum) {
    file.bytes = sum.bytes;
    file.checksum = sum.checksum;
    list_.files.push_back(file);
  }

  /// Adds a file that was made here, and is durable.
  Result<void> add_made(const BackupFile& file) {
    ASHLAR_TRY_ASSIGN(const FileSum sum, sum_file(disk_, store_.path_of(file), {}));
    figures_.written_bytes += sum.bytes;
    add(file, sum);
    return {};
  }

  Result<void> add_manifest() {
    const BackupFile manifest{.kind = Kind::kManifest, .number = list_.number};
    {
      ASHLAR_TRY_ASSIGN(const auto file,
                        os::File::open(disk_, store_.path_of(manifest), os::OpenMode::kCreate));
      ASHLAR_TRY(file->write(0, source_.manifest));
      ASHLAR_TRY(file->sync());
    }
    return add_made(manifest);
  }

  /// Adds what the log has behind checkpoint or manifest: with tables nothing.
  Result<void> add_log() {
    const BackupFile log{.kind = Kind::kLog, .number = list_.number};
    ASHLAR_TRY_ASSIGN(const auto writer,
                      log::ClosedSegmentWriter::create(
                          disk_, store_.path_of(log),
                          {.log_id = list_.log_id, .number = list_.number}, list_.begin));
    if (source_.log != nullptr) {
      ASHLAR_TRY(source_.log->read_from(
          list_.begin, [&](const log::Frame& commit) { return writer->add(commit); }));
    }
    ASHLAR_TRY(writer->finish());
    ASHLAR_ASSERT(writer->end().position >= list_.begin.position, "K8: the log goes forward");
    list_.end = writer->end().position;
    list_.last_commit = writer->end().commit;
    return add_made(log);
  }

  os::Disk& disk_;
  BackupStore& store_;
  const BackupSource& source_;
  const BackupObserver& observer_;
  BackupList list_;
  std::map<std::uint64_t, lsm::TableInfo> tables_before_;  // By their numbers.
  std::set<log::Position> value_firsts_;  // Where that begins which tables refer to.
  BackupProgress progress_;
  BackupReport figures_;
};

}  // namespace

BackupReport report_of(const BackupList& list) {
  return {.number = list.number,
          .engine = list.engine,
          .moment_ms = list.moment_ms,
          .last_commit = list.last_commit,
          .file_count = list.files.size(),
          .file_bytes = list.file_bytes()};
}

Result<BackupReport> back_up(Journal& journal, const std::string& to,
                             const BackupObserver& observer) {
  // First, so that a refusal costs nothing.
  ASHLAR_TRY_ASSIGN(const auto store, BackupStore::open(journal.disk(), to));
  BackupReport report;
  const Result<void> done = journal.back_up([&](const BackupSource& source) -> Result<void> {
    ASHLAR_TRY_ASSIGN(report, Run(journal.disk(), *store, source, observer)());
    return {};
  });
  if (!done) {
    store->give_up();
    return std::unexpected(done.error());
  }
  return report;
}

}  // namespace ashlar::db
