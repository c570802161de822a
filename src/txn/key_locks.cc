#include "txn/key_locks.h"

#include "base/assert.h"

namespace ashlar::txn {

KeyLocks::~KeyLocks() {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(entries_.empty(), "a database outlives those who hold locks of its keys");
}

KeyLocks::Outcome KeyLocks::lock(Holder& holder, std::string_view key, Deadline until) {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(holder.wanted_ == nullptr, "a holder waits for one key at a time");
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    const auto made = entries_.emplace(key, Entry{}).first;
    made->second.key = made->first;
    give(made->second, holder);
    return Outcome::kHeld;
  }
  Entry& entry = found->second;
  if (entry.holder == &holder) return Outcome::kHeld;
  if (closes_cycle(entry, holder)) return Outcome::kDeadlock;
  return until == kAtOnce ? Outcome::kTimedOut : wait(entry, holder, until);
}

bool KeyLocks::is_held_by(const Holder& holder, std::string_view key) const noexcept {
  if (holder.held_ == nullptr) return false;
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.holder == &holder;
}

/// Whether the walk from the holder of `entry` comes to `holder`. It ends: before, there was no
/// cycle (X6).
bool KeyLocks::closes_cycle(const Entry& entry, const Holder& holder) noexcept {
  for (const Entry* at = &entry; at != nullptr; at = at->holder->wanted_) {
    ASHLAR_ASSERT(at->holder != nullptr, "X7: a key that is waited for has a holder");
    if (at->holder == &holder) return true;
  }
  return false;
}

void KeyLocks::give(Entry& entry, Holder& holder) noexcept {
  entry.holder = &holder;
  entry.next_held = holder.held_;
  holder.held_ = &entry;
}

KeyLocks::Outcome KeyLocks::wait(Entry& entry, Holder& holder, Deadline until) {
  Waiter waiter(holder);
  if (entry.last == nullptr) {
    entry.first = &waiter;
  } else {
    entry.last->next = &waiter;
  }
  entry.last = &waiter;
  holder.wanted_ = &entry;
  while (!waiter.has_got_it) {
    if (waiter.woken.wait_until(mutex_, until) == std::cv_status::timeout) break;
  }
  if (waiter.has_got_it) {
    ASHLAR_ASSERT(entry.holder == &holder, "X5: a key that was passed on is held");
    return Outcome::kHeld;
  }
  remove(entry, waiter);
  holder.wanted_ = nullptr;
  return Outcome::kTimedOut;
}

void KeyLocks::remove(Entry& entry, const Waiter& waiter) noexcept {
  Waiter* before = nullptr;
  for (Waiter* at = entry.first; at != &waiter; at = at->next) {
    ASHLAR_ASSERT(at != nullptr, "one that has waited in vain stands in the queue");
    before = at;
  }
  (before == nullptr ? entry.first : before->next) = waiter.next;
  if (entry.last == &waiter) entry.last = before;
}

void KeyLocks::release(Holder& holder) noexcept {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(holder.wanted_ == nullptr, "who waits for a key does not let go of others");
  while (Entry* const entry = holder.held_) {
    ASHLAR_ASSERT(entry->holder == &holder, "X5: what is let go of was held");
    holder.held_ = entry->next_held;
    pass_on(*entry);
  }
}

/// The waiter is woken with the mutex held: without it, it might have gone by then.
void KeyLocks::pass_on(Entry& entry) noexcept {
  Waiter* const next = entry.first;
  if (next == nullptr) {
    entries_.erase(entries_.find(entry.key));
    return;
  }
  entry.first = next->next;
  if (entry.first == nullptr) entry.last = nullptr;
  give(entry, next->holder);
  next->holder.wanted_ = nullptr;
  next->has_got_it = true;
  next->woken.notify_one();
}

KeyLocks::Figures KeyLocks::figures() const noexcept {
  const base::MutexLock lock(mutex_);
  Figures figures{.key_count = entries_.size()};
  for (const auto& [key, entry] : entries_) {
    for (const Waiter* at = entry.first; at != nullptr; at = at->next) ++figures.waiter_count;
  }
  return figures;
}

void KeyLocks::check_queue(const Entry& entry) const noexcept {
  const Waiter* last = nullptr;
  for (const Waiter* at = entry.first; at != nullptr; at = at->next) {
    ASHLAR_ASSERT(at->holder.wanted_ == &entry, "who stands in a queue waits for its key");
    ASHLAR_ASSERT(!at->has_got_it, "X5: who has got the key has left the queue");
    std::size_t step_count = 0;
    for (const Entry* on = &entry; on != nullptr; on = on->holder->wanted_) {
      ASHLAR_ASSERT(on->holder != &at->holder, "X6: nobody waits for himself");
      ASHLAR_ASSERT(++step_count <= entries_.size(), "X6: the walk from a waiter ends");
    }
    last = at;
  }
  ASHLAR_ASSERT(entry.last == last, "the queue knows its last");
}

void KeyLocks::check() const noexcept {
  const base::MutexLock lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    ASHLAR_ASSERT(entry.key == key, "an entry knows its key");
    ASHLAR_ASSERT(entry.holder != nullptr, "X7: a key that is there has a holder");
    const Entry* held = entry.holder->held_;
    while (held != nullptr && held != &entry) held = held->next_held;
    ASHLAR_ASSERT(held == &entry, "X5: a holder knows what it holds");
    check_queue(entry);
  }
}

}  // namespace ashlar::txn
