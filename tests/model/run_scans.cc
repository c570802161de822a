// The operations of a run that walk.

#include <algorithm>
#include <iterator>

#include "run.h"

namespace ashlar::model {

void Run::scan_step(std::uint64_t choice) {
  if (choice < 6) {
    open_scan();
  } else if (choice < 10) {
    begin("close of a scan");
    if (!scans_.empty()) close_scan(random_.below(scans_.size()));
  } else {
    move_scan();
  }
}

Range Run::some_range() {
  switch (random_.below(4)) {
    case 0:
      return Range::all();
    case 1: {
      const std::string key = some_key();
      return Range::prefix(std::string_view(key).substr(0, random_.below(key.size() + 1)));
    }
    case 2:
      return {.from = some_key(), .to = {}};
    default:
      return {.from = some_key(), .to = some_key()};  // Empty as often as not.
  }
}

void Run::close_scan(std::size_t index) {
  if (!scans_[index].snapshot_id) model_->release(scans_[index].moment);
  if (index + 1 != scans_.size()) std::swap(scans_[index], scans_.back());
  scans_.pop_back();
}

void Run::move_scan() {
  begin("move of a scan");
  if (scans_.empty()) return;
  const std::size_t index = random_.below(scans_.size());
  const std::uint64_t moves = random_.chance(5) ? 200 : random_.below(20);
  const bool is_steady = random_.chance(50);
  bool is_forward = random_.chance(50);
  HeldScan& scan = scans_[index];
  for (std::uint64_t i = 0; i < moves && !has_failed_; ++i) {
    if (!is_steady) is_forward = random_.chance(50);
    if (!scan.position || random_.chance(4)) {
      move_once(scan);
    } else if (is_forward) {
      begin("next after", *scan.position);
      scan.rows.next();
      arrived(scan, within(scan.range, model_->after(operation_key_, scan.moment)));
    } else {
      begin("previous before", *scan.position);
      scan.rows.previous();
      arrived(scan, within(scan.range, model_->before(operation_key_, scan.moment)));
    }
    if (!scan.rows.status()) return close_scan(index);
  }
}

std::optional<std::string> Run::within(const Range& range, std::optional<std::string> key) const {
  if (!key || *key < range.from || (range.to && *key >= *range.to)) return std::nullopt;
  return key;
}

/// Seeks.
void Run::move_once(HeldScan& scan) {
  const Range& range = scan.range;
  const auto at_end = [&] {
    return range.to ? model_->before(*range.to, scan.moment) : model_->last(scan.moment);
  };
  switch (random_.below(4)) {
    case 0:
      begin("seek_to_first", range.from);
      scan.rows.seek_to_first();
      return arrived(scan, within(range, model_->at_or_after(range.from, scan.moment)));
    case 1:
      begin("seek_to_last", range.to.value_or(""));
      scan.rows.seek_to_last();
      return arrived(scan, within(range, at_end()));
    case 2: {
      begin("seek", some_key());
      scan.rows.seek(operation_key_);
      const auto& from = std::max(operation_key_, range.from);
      return arrived(scan, within(range, model_->at_or_after(from, scan.moment)));
    }
    default: {
      begin("seek_for_previous", some_key());
      scan.rows.seek_for_previous(operation_key_);
      const bool is_beyond = range.to && operation_key_ >= *range.to;
      return arrived(
          scan,
          within(range, is_beyond ? at_end() : model_->at_or_before(operation_key_, scan.moment)));
    }
  }
}

void Run::arrived(HeldScan& scan, const std::optional<std::string>& expected) {
  scan.position.reset();
  if (const auto status = scan.rows.status(); !status) {
    expect(workload_.is_tight && status.error().code() == ErrorCode::kOutOfSpace,
           status.error().message());
    return expect(!scan.rows.is_valid(), "a scan that failed stands nowhere");
  }
  if (workload_.evicts()) return arrived_under_eviction(scan);
  expect(scan.rows.is_valid() == expected.has_value(), "a scan ends where its range ends");
  if (!expected || !scan.rows.is_valid()) return;
  expect(scan.rows.key() == *expected, "a scan stands on the neighbour");
  const auto* entry = model_->find(*expected, scan.moment);
  expect(scan.rows.value() == entry->value, "a scan shows the value of its moment");
  scan.position = expected;
}

void Run::arrived_under_eviction(HeldScan& scan) {
  if (!scan.rows.is_valid()) return;
  std::string key(scan.rows.key());
  const auto* entry = model_->find(key, scan.moment);
  expect(entry != nullptr && scan.rows.value() == entry->value,
         "a scan shows keys and values of its moment");
  expect(within(scan.range, key).has_value(), "a scan stays within its range");
  const std::string_view name = operation_;
  const bool is_after = name == "next after" ? key > operation_key_
                        : name == "seek"     ? key >= operation_key_
                                             : true;
  const bool is_before = name == "previous before"     ? key < operation_key_
                         : name == "seek_for_previous" ? key <= operation_key_
                                                       : true;
  expect(is_after && is_before, "a scan moves in the order of the keys");
  scan.position = std::move(key);
}

/// Walks everything there is, both ways.
void Run::compare_all() {
  begin("scan of everything");
  auto rows = db_->scan();
  if (!rows) return refused(rows.error(), {});
  std::vector<std::string> keys;
  rows->seek_to_first();
  if (workload_.evicts()) {
    for (; rows->is_valid() && !has_failed_; rows->next()) {
      const auto* entry = model_->find(rows->key());
      expect(entry != nullptr && entry->value == rows->value(), "what is left is right");
    }
    return;
  }
  model_->for_each(model_->latest(), [&](const std::string& key, const auto& entry) {
    if (has_failed_ || !rows->status()) return;
    operation_key_ = key;
    expect(rows->is_valid() && rows->key() == key && rows->value() == entry.value,
           "a scan forward shows every key");
    keys.push_back(key);
    if (rows->is_valid()) rows->next();
  });
  if (has_failed_ || !rows->status()) return;
  expect(!rows->is_valid(), "a scan forward shows no more than every key");
  rows->seek_to_last();
  for (auto key = keys.rbegin(); key != keys.rend() && !has_failed_ && rows->status(); ++key) {
    operation_key_ = *key;
    expect(rows->is_valid() && rows->key() == *key, "a scan backward shows every key");
    if (rows->is_valid()) rows->previous();
  }
  expect(!rows->is_valid(), "a scan backward shows no more than every key");
}

}  // namespace ashlar::model
