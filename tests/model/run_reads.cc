// The operations of a run that read.

#include <algorithm>

#include "run.h"

namespace ashlar::model {

void Run::read_step(std::uint64_t choice) {
  if (choice < 180) {
    get(false);
  } else if (choice < 240) {
    get(true);
  } else if (choice < 270) {
    exists(random_.chance(30));
  } else if (choice < 295) {
    time_to_live();
  } else if (choice < 320) {
    expiry_of();
  } else if (choice < 360) {
    multi_get(random_.chance(30));
  } else if (choice < 370) {
    take_snapshot();
  } else {
    release_snapshot();
  }
}

const Run::HeldSnapshot* Run::some_snapshot(bool is_wanted) {
  if (!is_wanted || snapshots_.empty()) return nullptr;
  return &snapshots_[random_.below(snapshots_.size())];
}

// T1, C3
void Run::compare(const std::string& key, const std::optional<Value>& got,
                  const HeldSnapshot* snapshot) {
  const auto* entry = snapshot == nullptr ? model_->find(key) : model_->find(key, snapshot->moment);
  if (got && entry == nullptr) return expect(false, "an absent key has no value");
  if (got) return expect(got->view() == entry->value, "a key has the value last put");
  if (entry == nullptr) return;
  expect(workload_.evicts(), "a key that was put is there");
  if (snapshot == nullptr) model_->erase(key);  // Evicted: must never come back.
}

void Run::compare_latest(const std::string& key) {
  const auto got = db_->get(key);
  expect(got.has_value(), "a read succeeds");
  if (!got) return;
  compare(key, *got, nullptr);
  const auto expiry = db_->expiry_of(key);
  const auto* entry = model_->find(key);
  if (!expiry || !*expiry || entry == nullptr) return;
  expect((*expiry)->resolve_ms(0) == entry->deadline_ms, "a key has the deadline last set");
}

void Run::get(bool is_at_snapshot) {
  const HeldSnapshot* at = some_snapshot(is_at_snapshot);
  begin(at == nullptr ? "get" : "get at a snapshot", some_key());
  const auto got = db_->get(operation_key_, at == nullptr ? nullptr : &at->snapshot);
  expect(got.has_value(), "get succeeds");
  if (got) compare(operation_key_, *got, at);
}

void Run::exists(bool is_at_snapshot) {
  const HeldSnapshot* at = some_snapshot(is_at_snapshot);
  begin(at == nullptr ? "exists" : "exists at a snapshot", some_key());
  const auto is_there = db_->exists(operation_key_, at == nullptr ? nullptr : &at->snapshot);
  expect(is_there.has_value(), "exists succeeds");
  if (!is_there) return;
  const auto* entry =
      at == nullptr ? model_->find(operation_key_) : model_->find(operation_key_, at->moment);
  if (workload_.evicts() && !*is_there) {
    if (at == nullptr) model_->erase(operation_key_);
    return;
  }
  expect(*is_there == (entry != nullptr), "exists tells whether the key is there");
}

void Run::time_to_live() {
  begin("time_to_live", some_key());
  const auto left = db_->time_to_live(operation_key_);
  expect(left.has_value(), "time_to_live succeeds");
  if (!left) return;
  const auto* entry = model_->find(operation_key_);
  const bool has_deadline = entry != nullptr && entry->deadline_ms != testing::Model::kNever;
  if (workload_.evicts() && !*left) return;
  expect(left->has_value() == has_deadline, "only a key with a deadline has time left");
  if (!*left || !has_deadline) return;
  expect((*left)->count() == entry->deadline_ms - clock_.now_ms(), "the time left is exact");
}

void Run::expiry_of() {
  begin("expiry_of", some_key());
  const auto expiry = db_->expiry_of(operation_key_);
  expect(expiry.has_value(), "expiry_of succeeds");
  if (!expiry) return;
  const auto* entry = model_->find(operation_key_);
  if (workload_.evicts() && !*expiry) {
    model_->erase(operation_key_);
    return;
  }
  expect(expiry->has_value() == (entry != nullptr), "a key that is there has an expiry");
  if (!*expiry || entry == nullptr) return;
  expect((*expiry)->resolve_ms(clock_.now_ms()) == entry->deadline_ms,
         "a key has the deadline last set");
  expect((*expiry)->is_never() == (entry->deadline_ms == testing::Model::kNever),
         "never is told as never");
}

void Run::multi_get(bool is_at_snapshot) {
  const HeldSnapshot* at = some_snapshot(is_at_snapshot);
  begin(at == nullptr ? "multi_get" : "multi_get at a snapshot");
  std::vector<std::string> keys(random_.below(40));
  std::ranges::generate(keys, [this] { return some_key(); });
  if (keys.size() > 2 && random_.chance(20)) keys.back() = keys.front();
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  const auto values = db_->multi_get(views, at == nullptr ? nullptr : &at->snapshot);
  expect(values.has_value(), "multi_get succeeds");
  if (!values) return;
  expect(values->size() == keys.size(), "as many answers as keys");
  for (std::size_t i = 0; i < keys.size() && !has_failed_; ++i) {
    operation_key_ = keys[i];
    compare(keys[i], (*values)[i], at);
  }
}

}  // namespace ashlar::model
