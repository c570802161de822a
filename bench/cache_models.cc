#include "cache_models.h"

namespace ashlar::bench {

Lists::Lists(std::size_t index_count) : next_(index_count, kNowhere), previous_(index_count) {
  add_list();
}

std::uint32_t Lists::add_list() {
  const auto sentinel = static_cast<std::uint32_t>(next_.size());
  next_.push_back(sentinel);
  previous_.push_back(sentinel);
  return sentinel;
}

void Lists::push_front(std::uint32_t sentinel, std::uint32_t index) {
  const std::uint32_t second = next_[sentinel];
  next_[index] = second;
  previous_[index] = sentinel;
  previous_[second] = index;
  next_[sentinel] = index;
}

void Lists::remove(std::uint32_t index) {
  next_[previous_[index]] = next_[index];
  previous_[next_[index]] = previous_[index];
  next_[index] = kNowhere;
}

LruModel::LruModel(std::size_t index_count, std::size_t entry_count_max)
    : lists_(index_count),
      all_(static_cast<std::uint32_t>(index_count)),
      entry_count_max_(entry_count_max) {}

bool LruModel::request(std::uint32_t index) {
  const bool is_hit = lists_.contains(index);
  if (is_hit) {
    lists_.remove(index);
  } else if (entry_count_ == entry_count_max_) {
    lists_.remove(lists_.back(all_));
  } else {
    ++entry_count_;
  }
  lists_.push_front(all_, index);
  return is_hit;
}

LfuModel::LfuModel(std::size_t index_count, std::size_t entry_count_max)
    : lists_(index_count),
      list_by_count_{static_cast<std::uint32_t>(index_count)},
      request_count_(index_count, 0),
      entry_count_max_(entry_count_max) {}

std::uint32_t LfuModel::list_of(std::uint32_t count) {
  while (list_by_count_.size() < count) list_by_count_.push_back(lists_.add_list());
  return list_by_count_[count - 1];
}

void LfuModel::evict() {
  while (lists_.is_empty(list_of(lowest_count_))) ++lowest_count_;
  const std::uint32_t victim = lists_.back(list_of(lowest_count_));
  lists_.remove(victim);
  request_count_[victim] = 0;
}

bool LfuModel::request(std::uint32_t index) {
  const bool is_hit = request_count_[index] != 0;
  if (is_hit) {
    lists_.remove(index);
  } else {
    if (entry_count_ == entry_count_max_) {
      evict();
    } else {
      ++entry_count_;
    }
    lowest_count_ = 1;
  }
  lists_.push_front(list_of(++request_count_[index]), index);
  return is_hit;
}

}  // namespace ashlar::bench
