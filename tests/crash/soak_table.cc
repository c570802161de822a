#include "soak_table.h"

#include <cinttypes>
#include <cstdio>
#include <optional>

namespace ashlar::crash {
namespace {

// A few commits wait for the disk, as an application's would.
constexpr std::uint64_t kPutsPerDurable = 10'000;

}  // namespace

void SoakFindings::add(const std::string& what) {
  ++count_;
  std::printf("soak: VIOLATION: %s\n", what.c_str());
  std::fflush(stdout);
}

Result<void> SoakTable::put(std::uint64_t number) {
  rows_.put(number);
  SoakRows::make_key(number, key_);
  rows_.make_value(number, value_);
  ++counts_.put_count;
  counts_.written_bytes += key_.size() + value_.size();
  if (lost_write_stride_ != 0 && counts_.put_count % lost_write_stride_ == 0) return {};
  const bool is_durable = counts_.put_count % kPutsPerDurable == 0;
  return db_.put(key_, value_, Expiry::never(),
                 is_durable ? Durability::kDisk : Durability::kProcess);
}

Result<void> SoakTable::erase(std::uint64_t number) {
  const bool was_there = rows_.has(number);
  rows_.erase(number);
  SoakRows::make_key(number, key_);
  ++counts_.erase_count;
  ASHLAR_TRY_ASSIGN(const bool was_found, db_.erase(key_, Durability::kProcess));
  if (was_found != was_there) findings_.add("erase of " + key_ + " says that it was not as it was");
  return {};
}

template <typename Answer>
void SoakTable::compare(std::uint64_t number, const Answer& found) {
  ++counts_.read_count;
  SoakRows::make_key(number, key_);
  if (found.has_value() != rows_.has(number)) {
    return findings_.add(key_ + (found ? " is there and must not be" : " is not there"));
  }
  if (!found) return;
  rows_.make_value(number, value_);
  if (found->view() != value_) findings_.add(key_ + " has another value");
}

Result<void> SoakTable::read(std::uint64_t number) {
  SoakRows::make_key(number, key_);
  ASHLAR_TRY_ASSIGN(const auto found, db_.get(key_));
  compare(number, found);
  return {};
}

Result<void> SoakTable::read_many(const std::vector<std::uint64_t>& numbers) {
  std::vector<std::string> keys(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) SoakRows::make_key(numbers[i], keys[i]);
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  ASHLAR_TRY_ASSIGN(const auto found, db_.multi_get(views));
  for (std::size_t i = 0; i < numbers.size(); ++i) compare(numbers[i], found[i]);
  return {};
}

bool SoakTable::stands_on(const Iterator& at, std::uint64_t number, const char* where) {
  ++counts_.walked_count;
  SoakRows::make_key(number, key_);
  rows_.make_value(number, value_);
  if (at.key() == key_ && at.value() == value_) return true;
  findings_.add(std::string(where) + " stands on " + std::string(at.key()) + " and not on " + key_ +
                ", or on another value");
  return false;
}

Result<void> SoakTable::walk_forward(std::uint64_t from, std::uint64_t count_max) {
  ASHLAR_TRY_ASSIGN(auto at, db_.scan());
  SoakRows::make_key(from, key_);
  std::uint64_t number = rows_.next_from(from);
  std::uint64_t count = 0;
  for (at.seek(key_); at.is_valid() && count < count_max; at.next(), ++count) {
    if (number == rows_.row_count()) {
      findings_.add("a walk does not end behind the last row");
      return {};
    }
    if (!stands_on(at, number, "a walk forward")) return {};
    number = rows_.next_from(number + 1);
  }
  ASHLAR_TRY(at.status());
  if (count < count_max && number != rows_.row_count()) {
    findings_.add("a walk forward ends before the last row");
  }
  return {};
}

Result<void> SoakTable::walk_backward(std::uint64_t from, std::uint64_t count_max) {
  ASHLAR_TRY_ASSIGN(auto at, db_.scan());
  std::uint64_t number = rows_.last_before(from);
  if (number == rows_.row_count()) return {};
  SoakRows::make_key(from - 1, key_);
  std::uint64_t count = 0;
  for (at.seek_for_previous(key_); at.is_valid() && count < count_max; at.previous(), ++count) {
    if (number == rows_.row_count()) {
      findings_.add("a walk backward does not end before the first row");
      return {};
    }
    if (!stands_on(at, number, "a walk backward")) return {};
    number = rows_.last_before(number);
  }
  ASHLAR_TRY(at.status());
  if (count < count_max && number != rows_.row_count()) {
    findings_.add("a walk backward ends before the first row");
  }
  return {};
}

}  // namespace ashlar::crash
