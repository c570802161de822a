#include "db/changes/reclaim_teller.h"

#include <functional>
#include <new>
#include <utility>

#include "base/assert.h"
#include "engine/operation_codec.h"

namespace ashlar::db {

ReclaimTeller::ReclaimTeller(const os::Clock& clock) : clock_(clock) {
  const base::MutexLock lock(mutex_);
  payload_.reserve(engine::kReclaimedPayloadBytesMax);
}

bool ReclaimTeller::append(engine::Reclaimed why, std::string_view key) noexcept {
  const base::MutexLock lock(mutex_);
  if (log_ == nullptr) return note(why, key);
  return append_to(*log_, why, key) == log::Appended::kYes;
}

/// The key that is noted last is the one that went last, so a later note takes the place of one
/// before it.
bool ReclaimTeller::note(engine::Reclaimed why, std::string_view key) noexcept {
  try {
    notes_.insert_or_assign(std::string(key), why);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

log::Appended ReclaimTeller::append_to(log::Log& log, engine::Reclaimed why,
                                       std::string_view key) noexcept {
  engine::PayloadWriter(payload_, clock_.now_ms()).add_reclaimed(why, key);
  ASHLAR_ASSERT(payload_.size() <= engine::kReclaimedPayloadBytesMax,
                "a key with a bucket locked is coded without an allocation");
  log::Position end = 0;
  const log::Appended appended = log.try_append(log::Entry(payload_, log::Room::kReserved), end);
  if (appended != log::Appended::kYes) refused_bytes_ = payload_.size();
  return appended;
}

bool ReclaimTeller::make_room() noexcept {
  log::Log* log = nullptr;
  std::size_t bytes = 0;
  {
    const base::MutexLock lock(mutex_);
    log = log_;
    bytes = refused_bytes_;
  }
  if (log == nullptr || bytes == 0) return false;  // It was memory that was short.
  try {
    const std::string stand_in(bytes, '\0');
    return log->make_room(log::Entry(stand_in, log::Room::kReserved)).has_value();
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void ReclaimTeller::forget(std::string_view key) noexcept {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(log_ == nullptr, "J6: what is live needs no notes");
  if (notes_.empty()) return;
  const auto found = notes_.find(key);
  if (found != notes_.end()) notes_.erase(found);
}

Result<void> ReclaimTeller::tell(log::Log& log, engine::Reclaimed why, std::string_view key) {
  while (true) {
    std::string stand_in(engine::kReclaimedPayloadBytesMax - kKeyBytesHardMax + key.size(), '\0');
    ASHLAR_TRY(log.make_room(log::Entry(stand_in, log::Room::kReserved)));
    const base::MutexLock lock(mutex_);
    if (append_to(log, why, key) == log::Appended::kYes) return {};
  }
}

Result<void> ReclaimTeller::go_live(log::Log& log) {
  Notes notes;
  {
    const base::MutexLock lock(mutex_);
    ASHLAR_ASSERT(log_ == nullptr, "a log goes live once");
    notes = std::exchange(notes_, {});
  }
  for (const auto& [key, why] : notes) ASHLAR_TRY(tell(log, why, key));
  const base::MutexLock lock(mutex_);
  log_ = &log;
  return {};
}

}  // namespace ashlar::db
