// The stage: payloads are copied one behind the other into one buffer, and views into it are kept
// until the commits are applied. So the log may forget a payload as soon as `add` has returned.

#include "db/replayer.h"

#include <cstring>
#include <utility>

#include "base/assert.h"

namespace ashlar::db {
namespace {

// Replaying decides by a time that is so much before the one that a commit carries: a deadline that
// had not passed when the commit was made has not passed then either.
constexpr engine::TimeMs kReplaySlackMs = 10'000;

// So many operations are taken apart ahead: their buckets and records fit the nearest cache, and
// the memory is kept busy. `log-recovery`: 16 to 64 make no difference.
constexpr std::size_t kOperationsAhead = 32;

// Payloads that are longer than this together are not collected: copying them would cost more than
// it saves.
constexpr std::size_t kStagedBytesMax = std::size_t{32} << 10U;

/// Whether a stored operation takes its key away, be it that somebody erased it or that the engine
/// reclaimed it.
bool takes_away(engine::StoredKind kind) noexcept {
  return kind == engine::StoredKind::kErase || kind == engine::StoredKind::kExpired ||
         kind == engine::StoredKind::kEvicted;
}

/// A commit that is in the log already.
class ReplayedCommit final : public engine::Commit {
 public:
  explicit ReplayedCommit(std::uint64_t payload_position) noexcept
      : payload_position_(payload_position) {}
  bool append() noexcept override { return true; }
  bool is_replayed() const noexcept override { return true; }
  bool has_position() const noexcept override { return true; }
  std::uint64_t payload_position() const noexcept override { return payload_position_; }

 private:
  const std::uint64_t payload_position_;
};

}  // namespace

Replayer::Replayer(engine::StorageEngine& engine, ReplayClock& clock, std::string source,
                   ReclaimTeller* teller)
    : engine_(engine),
      clock_(clock),
      source_(std::move(source)),
      teller_(teller),
      bytes_(std::make_unique<char[]>(kStagedBytesMax)) {}

/// Takes one commit. A payload that does not fit the buffer is taken apart where it lies, and so
/// must be applied before its memory goes.
Result<void> Replayer::add(std::string_view payload, std::optional<std::uint64_t> position) {
  if (payload.size() > kStagedBytesMax - bytes_used_) ASHLAR_TRY(apply_staged());
  if (payload.size() > kStagedBytesMax) {
    ASHLAR_TRY(take_apart(payload, position));
    return apply_staged();
  }
  char* const copy = bytes_.get() + bytes_used_;
  std::memcpy(copy, payload.data(), payload.size());
  bytes_used_ += payload.size();
  ASHLAR_ASSERT(bytes_used_ <= kStagedBytesMax, "what is staged stays within its buffer");
  ASHLAR_TRY(take_apart({copy, payload.size()}, position));
  return operations_.size() < kOperationsAhead ? Result<void>() : apply_staged();
}

Result<void> Replayer::finish() {
  return apply_staged();
}

/// Adds the operations of a payload, which lives until they are applied, to the stage.
Result<void> Replayer::take_apart(std::string_view payload, std::optional<std::uint64_t> position) {
  engine::PayloadReader reader(payload);
  std::uint64_t offset = payload.size() - reader.rest_bytes();
  while (const auto stored = reader.next()) {
    offsets_.push_back(std::exchange(offset, payload.size() - reader.rest_bytes()));
    const bool is_erase = takes_away(stored->kind);
    operations_.push_back(
        {.kind = is_erase ? engine::OperationKind::kErase : engine::OperationKind::kPut,
         .key = stored->key,
         .value = stored->value,
         .deadline_ms = stored->deadline_ms});
    is_expire_.push_back(stored->kind == engine::StoredKind::kExpire ? 1 : 0);
    keys_.push_back(stored->key);
  }
  if (!reader.is_good()) {
    return std::unexpected(Error(ErrorCode::kCorruption,
                                 source_ + ": a commit with a good checksum cannot be understood"));
  }
  commits_.push_back({.moment_ms = reader.moment_ms(),
                      .operations_end = operations_.size(),
                      .position = position});
  return {};
}

/// Applies what is staged, commit by commit and each by its own clock (J2). The memory that all of
/// them will need is asked for first: while one is applied the others' is on its way.
Result<void> Replayer::apply_staged() {
  engine_.prefetch(keys_);
  std::size_t begin = 0;
  for (const auto& [moment_ms, end, position] : commits_) {
    clock_.replay_at(moment_ms - kReplaySlackMs);
    auto done = apply(begin, end, position);
    if (!done && done.error().code() == ErrorCode::kOutOfSpace) {
      // What had expired by then may still hold memory. To replay a commit twice does no harm.
      engine_.maintain();
      done = apply(begin, end, position);
    }
    ASHLAR_TRY(done);
    begin = end;
  }
  ASHLAR_ASSERT(begin == operations_.size(), "J2: no operation is left out");
  commits_.clear();
  operations_.clear();
  is_expire_.clear();
  keys_.clear();
  offsets_.clear();
  bytes_used_ = 0;
  return {};
}

/// Applies the operations [begin, end), which are of one commit. An `expire` cannot be in a batch
/// of the engine, so it parts those around it; nobody else looks on while a log is replayed.
Result<void> Replayer::apply(std::size_t begin, std::size_t end,
                             std::optional<std::uint64_t> position) {
  for (std::size_t at = begin; at < end; ++at) {
    if (is_expire_[at] == 0) continue;
    ASHLAR_TRY(apply_some(begin, at, position));
    ASHLAR_TRY_ASSIGN(const auto before_ms,
                      engine_.expire(operations_[at].key, operations_[at].deadline_ms));
    if (before_ms) note_written({&operations_[at], 1});
    begin = at + 1;
  }
  return apply_some(begin, end, position);
}

/// Applies operations that follow each other in the payload at `position`.
Result<void> Replayer::apply_some(std::size_t begin, std::size_t end,
                                  std::optional<std::uint64_t> position) {
  const auto some = std::span<const engine::Operation>(operations_).subspan(begin, end - begin);
  if (!position || some.empty()) {
    ASHLAR_TRY(engine_.apply(some));
    note_written(some);
    return {};
  }
  // The engine counts from a payload's first byte, and these may be preceded by others.
  ReplayedCommit commit(*position + offsets_[begin] - sizeof(engine::TimeMs));
  ASHLAR_TRY(engine_.apply(some, &commit));
  note_written(some);
  return {};
}

/// What the engine had to let go for these went before they were shown: what they have written
/// stands.
void Replayer::note_written(std::span<const engine::Operation> operations) noexcept {
  if (teller_ == nullptr) return;
  for (const engine::Operation& operation : operations) teller_->forget(operation.key);
}

}  // namespace ashlar::db
