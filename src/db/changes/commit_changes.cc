#include "db/changes/commit_changes.h"

#include "base/assert.h"
#include "engine/operation_codec.h"

namespace ashlar::db {
namespace {

ChangeKind kind_of(engine::StoredKind kind) noexcept {
  switch (kind) {
    case engine::StoredKind::kErase:
      return ChangeKind::kErase;
    case engine::StoredKind::kExpire:
      return ChangeKind::kExpire;
    case engine::StoredKind::kExpired:
      return ChangeKind::kExpired;
    case engine::StoredKind::kEvicted:
      return ChangeKind::kEvicted;
    case engine::StoredKind::kPut:
    case engine::StoredKind::kPutWithDeadline:
      break;
  }
  return ChangeKind::kPut;
}

}  // namespace

bool take_apart(const log::Frame& frame, CommitChanges& changes) {
  ASHLAR_ASSERT(frame.header.kind == log::FrameKind::kCommit, "a close changes nothing");
  engine::PayloadReader reader(frame.payload);
  changes.sequence = frame.header.commit;
  changes.moment_ms = reader.moment_ms();
  changes.changes.clear();
  while (const auto stored = reader.next()) {
    changes.changes.push_back({.kind = kind_of(stored->kind),
                               .key = stored->key,
                               .value = stored->value,
                               .expiry = Expiry::at_ms(stored->deadline_ms)});
  }
  changes.has_old_values = false;
  for (Change& change : changes.changes) {
    const auto old_value = reader.next_old_value();
    if (!old_value) break;
    change.old_value = *old_value;
    changes.has_old_values = true;
  }
  return reader.is_good();
}

}  // namespace ashlar::db
