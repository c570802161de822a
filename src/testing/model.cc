#include "testing/model.h"

#include <iterator>
#include <utility>

#include "base/assert.h"

namespace ashlar::testing {

const Model::Entry* Model::visible(const Versions& versions, const Moment& moment) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->sequence > moment.sequence) continue;
    if (!version->entry || version->entry->deadline_ms <= moment.time_ms) return nullptr;
    return &*version->entry;
  }
  return nullptr;
}

void Model::forget_unseen(Versions& versions) const {
  Versions kept;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    // A version is seen from its own sequence up to the one before the next version's.
    const bool is_last = i + 1 == versions.size();
    const auto held = held_.lower_bound(versions[i].sequence);
    const bool is_seen = held != held_.end() && !is_last && *held < versions[i + 1].sequence;
    if (is_last || is_seen) kept.push_back(std::move(versions[i]));
  }
  versions = std::move(kept);
}

void Model::add(std::string_view key, std::optional<Entry> entry) {
  ++sequence_;
  auto place = map_.lower_bound(key);
  if (place == map_.end() || place->first != key) {
    if (!entry) return;
    place = map_.emplace_hint(place, std::string(key), Versions{});
  }
  Versions& versions = place->second;
  versions.push_back({.sequence = sequence_, .entry = std::move(entry)});
  if (versions.size() > 1) forget_unseen(versions);
  if (versions.size() > 1) {
    layered_.emplace_back(key);
  } else if (!versions.back().entry) {
    map_.erase(place);
  }
}

void Model::put(std::string_view key, std::string_view value, std::int64_t deadline_ms) {
  add(key, Entry{.value = std::string(value), .deadline_ms = deadline_ms});
}

bool Model::erase(std::string_view key) {
  const bool was_there = find(key) != nullptr;
  add(key, std::nullopt);
  return was_there;
}

bool Model::expire(std::string_view key, std::int64_t deadline_ms) {
  const Entry* entry = find(key);
  if (entry == nullptr) return false;
  add(key, Entry{.value = entry->value, .deadline_ms = deadline_ms});
  return true;
}

const Model::Entry* Model::find(std::string_view key, const Moment& moment) const {
  const auto place = map_.find(key);
  return place == map_.end() ? nullptr : visible(place->second, moment);
}

Moment Model::hold() {
  held_.insert(sequence_);
  return latest();
}

void Model::release(const Moment& moment) {
  const auto held = held_.find(moment.sequence);
  ASHLAR_ASSERT(held != held_.end(), "only a held moment is released");
  held_.erase(held);
  if (held_.empty()) forget_all_unseen();
}

void Model::release_all() {
  held_.clear();
  forget_all_unseen();
}

void Model::forget_all_unseen() {
  // Erased keys that nobody sees any more would make walks longer and longer.
  for (const std::string& key : layered_) {
    const auto place = map_.find(key);
    if (place == map_.end()) continue;
    forget_unseen(place->second);
    if (!place->second.back().entry) map_.erase(place);
  }
  layered_.clear();
}

std::optional<std::string> Model::first_from(Map::const_iterator from, const Moment& moment) const {
  for (; from != map_.end(); ++from) {
    if (visible(from->second, moment) != nullptr) return from->first;
  }
  return std::nullopt;
}

std::optional<std::string> Model::last_until(Map::const_iterator until,
                                             const Moment& moment) const {
  while (until != map_.begin()) {
    --until;
    if (visible(until->second, moment) != nullptr) return until->first;
  }
  return std::nullopt;
}

std::optional<std::string> Model::at_or_after(std::string_view key, const Moment& moment) const {
  return first_from(map_.lower_bound(key), moment);
}

std::optional<std::string> Model::after(std::string_view key, const Moment& moment) const {
  return first_from(map_.upper_bound(key), moment);
}

std::optional<std::string> Model::at_or_before(std::string_view key, const Moment& moment) const {
  return last_until(map_.upper_bound(key), moment);
}

std::optional<std::string> Model::before(std::string_view key, const Moment& moment) const {
  return last_until(map_.lower_bound(key), moment);
}

std::optional<std::string> Model::last(const Moment& moment) const {
  return last_until(map_.end(), moment);
}

Model::Counts Model::counts(const Moment& moment) const {
  Counts counts;
  for_each(moment, [&counts](const std::string& /*key*/, const Entry& entry) {
    ++counts.keys;
    if (entry.deadline_ms != kNever) ++counts.expiring;
  });
  return counts;
}

void Model::for_each(const Moment& moment,
                     const std::function<void(const std::string&, const Entry&)>& use) const {
  for (const auto& [key, versions] : map_) {
    if (const Entry* entry = visible(versions, moment)) use(key, *entry);
  }
}

}  // namespace ashlar::testing
