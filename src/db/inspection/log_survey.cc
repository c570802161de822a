#include "db/inspection/log_survey.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "engine/operation_codec.h"

namespace ashlar::db {
namespace {

constexpr std::uint64_t kBlock = os::kBlockBytes;

// Where in its file a header has these fields (docs/formats/log.md).
constexpr std::uint64_t kLogIdOffset = 16;
constexpr std::uint64_t kFirstOffset = 32;

/// Bytes of the log that a segment file of this length has room for.
std::uint64_t log_bytes_in(std::uint64_t file_bytes) noexcept {
  return file_bytes < kBlock ? 0 : (file_bytes - kBlock) / kBlock * kBlock;
}

/// Whether a segment can be where `header` has it: no place in the log is beyond all numbers.
bool is_possible(const log::SegmentHeader& header) noexcept {
  return header.first % kBlock == 0 && header.first < UINT64_MAX - header.log_bytes;
}

/// Whether a valid frame lies in the segment `path` when its header is `header`.
Result<bool> has_frame_under(os::Disk& disk, const std::string& path,
                             const log::SegmentHeader& header) {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file == nullptr) return false;
  std::vector<log::FoundSegment> alone;
  alone.push_back({.header = header, .file = std::move(file)});
  const log::SegmentSet set = log::SegmentSet::of(std::move(alone));
  log::LogReader reader(set, {}, header.log_id, {.position = header.first});
  ASHLAR_TRY_ASSIGN(const auto frame, reader.find_from(header.first));
  return frame.has_value();
}

/// Whether a payload is one of operations that make sense.
bool is_understood(std::string_view payload) {
  engine::PayloadReader reader(payload);
  while (reader.next()) {
  }
  return reader.is_good();
}

}  // namespace

Result<LogSurvey> LogSurvey::make(os::Disk& disk, const std::string& directory) {
  LogSurvey survey(directory);
  std::vector<std::string> names;
  if (disk.list(directory, names) == -ENOENT) return survey;
  ASHLAR_TRY(survey.read_segments(disk));
  ASHLAR_TRY_ASSIGN(survey.ring_, log::read_ring(disk, survey.ring_path()));
  return survey;
}

Result<void> LogSurvey::read_segments(os::Disk& disk) {
  ASHLAR_TRY_ASSIGN(std::vector<log::SegmentFile> files, log::list_segments(disk, directory_));
  for (const log::SegmentFile& file : files) {
    SurveyedSegment segment;
    segment.path = file.file->path();
    segment.number = file.number;
    segment.file_bytes = file.file_bytes;
    if (file.is_in_the_making) segment.state = SurveyedSegment::Header::kInTheMaking;
    if (file.header) {
      segment.state = SurveyedSegment::Header::kGood;
      segment.header = *file.header;
      segment.told_bytes = kBlock + file.header->log_bytes;
      segment.header.log_bytes = std::min(file.header->log_bytes, log_bytes_in(file.file_bytes));
      if (segment.header.log_bytes == 0) segment.state = SurveyedSegment::Header::kLost;
    }
    segments_.push_back(std::move(segment));
  }
  ASHLAR_TRY(infer_headers(disk, files));
  join_runs(files);
  return {};
}

/// Finds out what damaged headers were (I2).
Result<void> LogSurvey::infer_headers(os::Disk& disk, std::vector<log::SegmentFile>& files) {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    SurveyedSegment& segment = segments_[i];
    const std::uint64_t log_bytes = log_bytes_in(segment.file_bytes);
    if (segment.state != SurveyedSegment::Header::kLost || log_bytes == 0) continue;
    log::SegmentHeader header = files[i].claimed;
    header.number = segment.number;
    header.log_bytes = log_bytes;
    const SurveyedSegment* before = i > 0 ? &segments_[i - 1] : nullptr;
    const SurveyedSegment* after = i + 1 < segments_.size() ? &segments_[i + 1] : nullptr;
    if (before != nullptr && before->is_known() && before->number + 1 == segment.number) {
      header.log_id = before->header.log_id;
      header.first = before->told_end();
    } else if (after != nullptr && after->is_known() && after->number == segment.number + 1 &&
               after->header.first >= log_bytes) {
      header.log_id = after->header.log_id;
      header.first = after->header.first - log_bytes;
    } else {
      // Alone: its own words, should frames bear them out.
      if (segment.number == 1) header.first = 0;
      if (!is_possible(header)) continue;
      ASHLAR_TRY_ASSIGN(const bool is_proved, has_frame_under(disk, segment.path, header));
      if (!is_proved) continue;
    }
    // A neighbour may tell of a place so near the end of all numbers that this one would pass it.
    if (!is_possible(header)) continue;
    segment.header = header;
    segment.state = SurveyedSegment::Header::kInferred;
  }
  return {};
}

void LogSurvey::join_runs(std::vector<log::SegmentFile>& files) {
  std::vector<log::FoundSegment> run;
  const auto end_run = [&] {
    if (!run.empty()) runs_.push_back(log::SegmentSet::of(std::exchange(run, {})));
  };
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const SurveyedSegment& segment = segments_[i];
    if (!segment.is_known()) {
      end_run();
      continue;
    }
    const bool follows = run.empty() || (run.back().header.end() == segment.header.first &&
                                         run.back().header.log_id == segment.header.log_id);
    if (!follows) end_run();
    run.push_back({.header = segment.header, .file = std::move(files[i].file)});
  }
  end_run();
}

std::optional<std::size_t> LogSurvey::find_run(log::Position position) const noexcept {
  for (std::size_t i = runs_.size(); i-- > 0;) {
    if (position >= runs_[i].first() && position <= runs_[i].end()) return i;
  }
  return std::nullopt;
}

/// The ring belongs to the end of the log, and so to the last run; frames prove themselves. What it
/// tells of the end holds where that run is read.
log::Tail LogSurvey::tail_of(std::size_t run) const noexcept {
  const log::LogId last = runs_.back().segments().front().header.log_id;
  if (runs_[run].segments().front().header.log_id != last) return {};
  return {.ring = ring_.bytes, .durable = run + 1 == runs_.size() ? ring_.durable(last) : 0};
}

Result<std::optional<LogWalk>> LogSurvey::walk(const log::Start& start) const {
  const auto run = find_run(start.position);
  if (!run || start.position % 8 != 0) return std::nullopt;
  const log::SegmentSet& set = runs_[*run];
  const log::Tail tail = tail_of(*run);
  log::LogReader reader(set, tail, set.segments().front().header.log_id, start);
  log::Position durable = tail.durable;  // As the ring and the frames tell.
  log::Position ring_frame_end = 0;      // Of the first frame that only the ring has.
  LogWalk walk;
  walk.run = *run;
  walk.begin = start;
  walk.is_cut = *run + 1 < runs_.size();
  const auto damaged_at = [&](const log::Start& at, std::string what) {
    const auto place = set.find_place(at.position);
    walk.damage =
        Damage{.path = place ? place->path : ring_path(),
               .offset = place ? place->offset
                               : at.position % std::max<std::size_t>(ring_.bytes.size(), 1),
               .what = std::move(what)};
  };
  while (true) {
    walk.end = reader.at();
    walk.segments_end = reader.segments_end();
    ASHLAR_TRY_ASSIGN(const std::optional<log::Frame> frame, reader.next());
    if (!frame) break;
    if (frame->header.kind == log::FrameKind::kCommit) {
      if (!is_understood(frame->payload)) {
        damaged_at(walk.end, "a commit with a good checksum cannot be understood");
        return walk;
      }
      walk.moment_ms = engine::PayloadReader(frame->payload).moment_ms();
    }
    ++walk.frame_count;
    walk.is_closed = reader.is_closed();
    const bool is_first_of_ring =
        walk.segments_end == walk.end.position && reader.segments_end() != reader.at().position;
    if (is_first_of_ring) ring_frame_end = frame->end();
    const log::Position unsynced = frame->header.unsynced_bytes;
    durable = std::max(durable, frame->position - std::min(frame->position, unsynced));
  }
  walk.healed = find_healed(walk, ring_frame_end, durable);
  ASHLAR_TRY_ASSIGN(const log::LogReader::Judgement judgement, reader.judge_behind());
  walk.torn_bytes = judgement.torn_bytes;
  if (!judgement.proof.empty()) {
    damaged_at(walk.end, "a frame is damaged that was durable, as " + judgement.proof);
  }
  ASHLAR_ASSERT(walk.end.position >= start.position, "reading goes forward");
  return walk;
}

/// Frames that only the ring has are normal while they had not been durable: the process ended
/// before it wrote them to a segment. Were they, a segment had them and has them no more (I9).
std::optional<Damage> LogSurvey::find_healed(const LogWalk& walk, log::Position ring_frame_end,
                                             log::Position durable) const {
  ASHLAR_ASSERT(walk.segments_end <= walk.end.position, "segments tell no more than was read");
  if (walk.segments_end == walk.end.position || durable <= walk.segments_end) return std::nullopt;
  const log::SegmentSet& set = runs_[walk.run];
  const auto place = set.find_place(walk.segments_end);
  if (!place || ring_frame_end > set.end()) {
    const std::uint64_t last = set.segments().back().header.number;
    return Damage{.path = directory_ + "/" + log::segment_name(last + 1),
                  .offset = 0,
                  .what =
                      "the segment is missing, and the ring has all that was in it: the next"
                      " opening makes it anew"};
  }
  return Damage{.path = place->path,
                .offset = place->offset,
                .what =
                    "a frame is damaged that was durable, and the ring has it whole: the next"
                    " opening writes it anew"};
}

Result<std::optional<log::Start>> LogSurvey::first_frame(std::size_t run) const {
  ASHLAR_ASSERT(run < runs_.size(), "a run is one of those that were found");
  const log::SegmentSet& set = runs_[run];
  log::LogReader reader(set, {}, set.segments().front().header.log_id, {.position = set.first()});
  ASHLAR_TRY_ASSIGN(const std::optional<log::Frame> frame, reader.find_from(set.first()));
  if (!frame) return std::nullopt;
  return log::Start{.position = frame->position,
                    .chain = frame->header.chain,
                    .commit = frame->header.commit - 1};
}

Result<LogSurvey::Before> LogSurvey::judge_before(std::size_t run, const log::Start& origin) const {
  ASHLAR_TRY_ASSIGN(const std::optional<log::Start> first, first_frame(run));
  if (!first || first->position >= origin.position) return Before{};
  const log::SegmentSet& set = runs_[run];
  log::LogReader reader(set, {}, set.segments().front().header.log_id, *first);
  while (reader.at().position < origin.position) {
    ASHLAR_TRY_ASSIGN(const std::optional<log::Frame> frame, reader.next());
    if (!frame) {
      return Before{.what = "from " + set.place_of(reader.at().position) +
                            " on frames are damaged that nothing needs any more"};
    }
  }
  const log::Start& at = reader.at();
  if (at.position == origin.position && at.chain == origin.chain && at.commit == origin.commit) {
    return Before{};
  }
  return Before{.what = "leaves off where no frame of this log ends, at position " +
                        std::to_string(origin.position),
                .is_foreign = true};
}

Result<LaterFrames> LogSurvey::count_later(std::size_t run, log::Position position) const {
  LaterFrames later;
  // A place that a damaged manifest names may lie between two that frames begin at.
  log::Position from = position + (8 - position % 8) % 8;
  const auto count = [&](log::LogReader& reader) -> Result<void> {
    while (true) {
      ASHLAR_TRY_ASSIGN(const std::optional<log::Frame> frame, reader.find_from(from));
      if (!frame) return {};
      if (later.frame_count == 0) {
        later.first = frame->position;
        later.first_commit = frame->header.commit;
      }
      ++later.frame_count;
      later.bytes += frame->header.frame_bytes();
      later.last_commit = frame->header.commit;
      from = frame->end();
    }
  };
  for (std::size_t i = run; i < runs_.size(); ++i) {
    from = std::max(from, runs_[i].first());
    log::LogReader reader(runs_[i], {}, runs_[i].segments().front().header.log_id,
                          {.position = from});
    ASHLAR_TRY(count(reader));
  }
  // Last what only the ring has.
  if (runs_.empty()) return later;
  const log::SegmentSet none;
  log::LogReader reader(none, {.ring = ring_.bytes}, runs_.back().segments().front().header.log_id,
                        {.position = from});
  ASHLAR_TRY(count(reader));
  return later;
}

void LogSurvey::judge_files(log::Position position, DirectoryReport& report) const {
  const auto run = find_run(position);
  const std::uint64_t first_needed = run ? runs_[*run].segments().front().header.number : 0;
  for (std::size_t i = 0; i < segments_.size(); ++i) judge_segment(i, first_needed, report);
  const bool is_cut = ring_.file_bytes % kBlock != 0 || ring_.bytes.size() < 4 * kBlock;
  if (ring_.is_there && is_cut) {
    report.damages.push_back({.path = ring_path(),
                              .offset = ring_.file_bytes,
                              .what = "the file ends here, which is no length of a ring"});
  }
}

void LogSurvey::judge_segment(std::size_t index, std::uint64_t first_needed,
                              DirectoryReport& report) const {
  const SurveyedSegment& segment = segments_[index];
  if (segment.number < first_needed) {
    report.remarks.push_back({.path = segment.path,
                              .what = segment.is_known()
                                          ? "is not needed any more"
                                          : "its header is damaged, and nothing needs it"});
    return;
  }
  if (index > 0 && segments_[index - 1].number >= first_needed) judge_neighbours(index, report);
  switch (segment.state) {
    case SurveyedSegment::Header::kGood:
      break;
    case SurveyedSegment::Header::kInferred:
      report.damages.push_back(
          {.path = segment.path, .offset = 0, .what = "the header is damaged"});
      break;
    case SurveyedSegment::Header::kLost:
      report.damages.push_back(
          {.path = segment.path,
           .offset = 0,
           .what = "the header is damaged, and nothing tells what stood there"});
      break;
    case SurveyedSegment::Header::kInTheMaking:
      report.remarks.push_back(
          {.path = segment.path, .what = "was being made when the machine stopped: normal"});
      break;
  }
  if (segment.is_short()) {
    report.damages.push_back({.path = segment.path,
                              .offset = segment.file_bytes,
                              .what = "the file ends here, and its header tells of " +
                                      std::to_string(segment.told_bytes) + " bytes"});
  }
}

/// What is wrong between a segment and the one before.
void LogSurvey::judge_neighbours(std::size_t index, DirectoryReport& report) const {
  ASHLAR_ASSERT(index > 0, "there is one before");
  const SurveyedSegment& segment = segments_[index];
  const SurveyedSegment& before = segments_[index - 1];
  const std::uint64_t next = before.number + 1;
  if (segment.number != next) {
    const std::string up_to =
        segment.number == next + 1 ? "" : ", and so are all up to " + segment.path;
    report.damages.push_back({.path = directory_ + "/" + log::segment_name(next),
                              .offset = 0,
                              .what = "the segment is missing" + up_to});
    return;
  }
  if (!segment.is_known() || !before.is_known() || before.is_short()) return;
  if (before.header.log_id != segment.header.log_id) {
    report.damages.push_back(
        {.path = segment.path, .offset = kLogIdOffset, .what = "is a segment of another log"});
  } else if (before.header.end() != segment.header.first) {
    report.damages.push_back({.path = segment.path,
                              .offset = kFirstOffset,
                              .what = "does not begin where the one before ends"});
  }
}

}  // namespace ashlar::db
