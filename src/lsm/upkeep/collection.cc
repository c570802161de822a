#include "lsm/upkeep/collection.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "engine/value_reference.h"
#include "lsm/open_table.h"
#include "table/table_walk.h"

namespace ashlar::lsm {
namespace {

using engine::ValuePiece;

/// A kept piece and what of it the tables of a version refer to.
struct Weighed {
  ValuePiece piece;
  std::uint64_t live_bytes = 0;

  std::uint64_t bytes() const noexcept { return value_bytes_of(piece); }
  std::uint64_t garbage_bytes() const noexcept { return bytes() - std::min(bytes(), live_bytes); }
  std::uint64_t garbage_percent() const noexcept { return 100 * garbage_bytes() / bytes(); }
};

template <typename Visit>
void visit_tables(const Version& version, Visit visit) {
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : version.tables(level)) visit(level, table);
  }
}

/// The kept pieces that something refers to, the one with most garbage first.
std::vector<Weighed> weigh(const Version& version, std::span<const ValuePiece> pieces) {
  std::map<std::uint64_t, std::uint64_t> live;
  visit_tables(version, [&](std::uint32_t, const TableRef& table) {
    for (const table::ValueShare& share : opened(*table).shares()) live[share.first] += share.bytes;
  });
  std::vector<Weighed> weighed;
  for (const ValuePiece& piece : pieces) {
    const auto found = live.find(piece.first);
    // What only snapshots refer to goes with them, and cannot be moved.
    if (!piece.is_kept || found == live.end()) continue;
    weighed.push_back({.piece = piece, .live_bytes = found->second});
  }
  std::ranges::sort(weighed, [](const Weighed& left, const Weighed& right) {
    if (left.garbage_percent() != right.garbage_percent()) {
      return left.garbage_percent() > right.garbage_percent();
    }
    return left.piece.first < right.piece.first;
  });
  return weighed;
}

bool overlaps(const ValuePiece& piece, const engine::ValueReference& value) noexcept {
  return value.position < piece.end && piece.first < value.end();
}

/// The tables of `version` that refer to one of the pieces of `plan`.
void add_sources(const Version& version, CollectionPlan& plan) {
  visit_tables(version, [&](std::uint32_t level, const TableRef& table) {
    const bool refers =
        std::ranges::any_of(opened(*table).shares(), [&](const table::ValueShare& share) {
          return std::ranges::binary_search(plan.pieces, share.first, {}, &ValuePiece::first);
        });
    if (refers) plan.sources.push_back({.level = level, .table = table});
  });
}

/// One collection on its way.
class Run {
 public:
  Run(TableStore& store, const CollectionPlan& plan, const EngineSettings& settings,
      engine::TimeMs now_ms) noexcept
      : store_(store), plan_(plan), settings_(settings), now_ms_(now_ms) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Nothing is left of what was not handed out.
  ~Run() {
    if (is_done_) return;
    for (const auto& table : tables_) table->mark_obsolete();
    tables_.clear();
    if (writer_ == nullptr) return;
    writer_.reset();
    store_.values()->give_up(number_);
  }

  Result<std::optional<CollectionResult>> operator()(const std::stop_token& stop) {
    for (const CollectionPlan::Source& source : plan_.sources) {
      ASHLAR_TRY_ASSIGN(const bool is_written, write_anew(source, stop));
      if (!is_written) return std::nullopt;
    }
    if (writer_ != nullptr) {
      ASHLAR_TRY(writer_->finish());
      ASHLAR_TRY(store_.sync_names());  // Before anything durable refers to it (V43).
      ASHLAR_TRY(store_.values()->add(number_));
    }
    is_done_ = true;
    return std::move(result_);
  }

 private:
  /// Writes one table anew. Returns: false when it was stopped
  Result<bool> write_anew(const CollectionPlan::Source& source, const std::stop_token& stop) {
    const TableInfo& info = source.table->info();
    const bool is_last_level = source.level == kLastLevel;
    TableOutput output(store_, {.table = settings_.table_options(source.level, is_last_level),
                                .table_bytes_max = ~std::uint64_t{0},
                                .now_ms = now_ms_,
                                .age_rank = info.age_rank});
    table::TableWalk walk(opened(*source.table).file());
    for (walk.seek_to_first(); walk.is_valid(); walk.next()) {
      if (stop.stop_requested()) return false;
      ASHLAR_TRY(add(output, *walk.row()));
    }
    ASHLAR_TRY(walk.status());
    ASHLAR_TRY_ASSIGN(auto written, output.finish());
    ASHLAR_ASSERT(written.size() == 1, "V47: one table takes the place of one");
    result_.edit.removals.push_back({.level = source.level, .number = info.number});
    result_.edit.additions.push_back({.level = source.level, .table = TableRef(written.front())});
    tables_.push_back(std::move(written.front()));
    return true;
  }

  Result<void> add(TableOutput& output, const engine::StoredRow& row) {
    engine::Operation kept{
        .kind = row.kind, .key = row.key, .value = row.value, .deadline_ms = row.deadline_ms};
    std::array<char, engine::ValueReference::kBytes> moved{};
    if (row.kind == engine::OperationKind::kPutApart && row.deadline_ms > now_ms_) {
      ASHLAR_TRY_ASSIGN(const bool is_moved, try_move(row.value, moved));
      if (is_moved) kept.value = {moved.data(), moved.size()};
    }
    return output.add(kept);
  }

  /// Moves the value that `reference` refers to, if it stands in a piece of the plan, and writes
  /// what refers to it then to `moved`.
  Result<bool> try_move(std::string_view reference, std::span<char> moved) {
    const auto value = engine::decode_value_reference(reference);
    ASHLAR_ASSERT(value.has_value(), "P9: a value that stands apart is referred to");
    const auto piece = std::ranges::find_if(
        plan_.pieces, [&](const ValuePiece& candidate) { return overlaps(candidate, *value); });
    if (piece == plan_.pieces.end()) return false;
    if (Result<void> read = store_.values()->read_from_disk(reference, value_); !read) {
      if (read.error().code() != ErrorCode::kCorruption) return std::unexpected(read.error());
      result_.damaged.push_back(piece->first);
      return false;
    }
    if (writer_ == nullptr) ASHLAR_TRY(begin_file());
    ASHLAR_TRY_ASSIGN(const engine::ValueReference now,
                      writer_->add(value_.view(), engine::value_hash(value_.view())));
    engine::encode_value_reference(now, moved.data());
    result_.moved_bytes += now.bytes;
    return true;
  }

  Result<void> begin_file() {
    number_ = store_.take_number();
    ASHLAR_TRY_ASSIGN(writer_, store_.values()->begin(number_));
    return {};
  }

  TableStore& store_;
  const CollectionPlan& plan_;
  const EngineSettings& settings_;
  const engine::TimeMs now_ms_;
  std::unique_ptr<CollectedWriter> writer_;  // Null while no value was moved.
  std::uint64_t number_ = 0;                 // Of its file.
  std::vector<base::Ref<const OpenTable>> tables_;
  Value value_;  // Kept for its memory.
  CollectionResult result_;
  bool is_done_ = false;
};

}  // namespace

std::uint64_t value_bytes_of(const ValuePiece& piece) noexcept {
  const std::uint64_t header_bytes = is_collected(piece.first) ? CollectedFile::kHeaderBytes : 0;
  ASHLAR_ASSERT(piece.first + header_bytes <= piece.end, "a piece has its header");
  return std::max<std::uint64_t>(piece.end - piece.first - header_bytes, 1);
}

std::optional<CollectionPlan> pick_collection(const Version& version,
                                              std::span<const ValuePiece> pieces,
                                              const CollectionSettings& settings,
                                              const std::set<std::uint64_t>& except) {
  const std::vector<Weighed> weighed = weigh(version, pieces);
  std::uint64_t bytes = 0;
  std::uint64_t garbage_bytes = 0;
  for (const Weighed& one : weighed) {
    bytes += one.bytes();
    garbage_bytes += one.garbage_bytes();
  }
  CollectionPlan plan;
  std::uint64_t moved_bytes = 0;
  for (const Weighed& one : weighed) {
    const bool is_too_much = 100 * garbage_bytes > settings.total_percent_max * bytes;
    const bool is_bad = one.garbage_percent() >= settings.piece_percent_max;
    if ((!is_too_much && !is_bad) || one.garbage_bytes() == 0) break;
    if (except.contains(one.piece.first)) continue;
    if (!plan.pieces.empty() && moved_bytes + one.live_bytes > settings.moved_bytes_max) break;
    plan.pieces.push_back(one.piece);
    moved_bytes += one.live_bytes;
    bytes -= one.garbage_bytes();
    garbage_bytes -= one.garbage_bytes();
  }
  if (plan.pieces.empty()) return std::nullopt;
  std::ranges::sort(plan.pieces, {}, &ValuePiece::first);
  add_sources(version, plan);
  return plan;
}

Result<std::optional<CollectionResult>> collect(TableStore& store, const CollectionPlan& plan,
                                                const EngineSettings& settings,
                                                engine::TimeMs now_ms,
                                                const std::stop_token& stop) {
  ASHLAR_ASSERT(!plan.sources.empty(), "a piece with live values has a table that refers to it");
  ASHLAR_ASSERT(store.values() != nullptr, "values that stand apart can be read");
  return Run(store, plan, settings, now_ms)(stop);
}

}  // namespace ashlar::lsm
