#include "testing/isolation/workload.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace ashlar::testing {
namespace {

// No transaction has more operations, so that its number leads to values of its own.
constexpr std::uint32_t kOperationsMax = 64;

// Where a key may be erased its absence has no name and tells little: most keys never are.
constexpr std::uint32_t kErasedEvery = 8;

std::string digits(std::uint64_t number, std::size_t count) {
  std::string text = std::to_string(number);
  if (text.size() < count) text.insert(0, count - text.size(), '0');
  return text;
}

}  // namespace

Workload::Workload(const WorkloadShape& shape, const WorkloadThread& thread)
    : shape_(shape),
      thread_(thread),
      random_(thread.seed,
              thread.thread + std::uint64_t{1} + thread.first_transaction * thread.thread_count),
      transaction_count_(thread.first_transaction) {
  ASHLAR_ASSERT(thread.thread < thread.thread_count, "threads are numbered from 0");
  ASHLAR_ASSERT(shape.operations > 0 && shape.operations <= kOperationsMax,
                "a transaction does something, and not too much");
  ASHLAR_ASSERT(shape.list_count > 0 && shape.register_count > 0, "there are keys of each kind");
  ASHLAR_ASSERT(shape.transactions_a_generation > 0 && shape.range_keys > 0,
                "generations and ranges are not empty");
  ASHLAR_ASSERT(shape.list_share + shape.range_share <= 100, "shares are of a hundred");
}

std::vector<Operation> Workload::next() {
  const Access access = random_.chance(shape_.read_only_share) ? Access::kReadOnly : Access::kAny;
  const std::uint64_t count = random_.between(1, shape_.operations);
  std::vector<Operation> planned;
  value_count_ = 0;
  for (std::uint64_t i = 0; i < count; ++i) add_any(access, planned);
  ++transaction_count_;
  return planned;
}

void Workload::add_any(Access access, std::vector<Operation>& planned) {
  const std::uint64_t draw = random_.below(100);
  if (draw < shape_.list_share) {
    add_to_list(access, planned);
  } else if (draw < shape_.list_share + shape_.range_share) {
    add_range(planned);
  } else {
    add_to_register(access, planned);
  }
}

void Workload::add_to_list(Access access, std::vector<Operation>& planned) {
  Operation operation{.kind = OperationKind::kReadList,
                      .key = key_name('l', pick(shape_.list_count))};
  if (access == Access::kAny && random_.chance(50)) {
    if (random_.chance(shape_.read_first_share)) planned.push_back(operation);
    operation.kind = OperationKind::kAppend;
    operation.value = new_value();
  }
  planned.push_back(std::move(operation));
}

void Workload::add_to_register(Access access, std::vector<Operation>& planned) {
  const std::uint32_t index = pick(shape_.register_count);
  Operation operation{.kind = OperationKind::kRead, .key = key_name('r', index)};
  if (access == Access::kAny && random_.chance(50)) {
    if (random_.chance(shape_.read_first_share)) planned.push_back(operation);
    const bool is_erased_ever = index % kErasedEvery == kErasedEvery - 1;
    if (is_erased_ever && random_.chance(shape_.erase_share)) {
      operation.kind = OperationKind::kErase;
    } else {
      operation.kind = OperationKind::kWrite;
      operation.value = new_value();
    }
  }
  planned.push_back(std::move(operation));
}

void Workload::add_range(std::vector<Operation>& planned) {
  const std::uint64_t first = random_.below(shape_.register_count);
  const std::uint64_t last = first + random_.between(1, shape_.range_keys);
  planned.push_back({.kind = OperationKind::kReadRange,
                     .key = key_name('r', first),
                     .last = key_name('r', last)});
}

/// One of `count` keys, a hot one more often.
std::uint32_t Workload::pick(std::uint32_t count) {
  const bool is_hot = shape_.hot_count > 0 && random_.chance(shape_.hot_share);
  const std::uint32_t bound = is_hot ? std::min(shape_.hot_count, count) : count;
  return static_cast<std::uint32_t>(random_.below(bound));
}

/// "r00000012.00003": the key 3 of generation 12. By bytes in the order of the numbers.
std::string Workload::key_name(char kind, std::uint64_t index) const {
  const std::uint64_t generation = transaction_count_ / shape_.transactions_a_generation;
  return kind + digits(generation, 8) + '.' + digits(index, 5);
}

std::uint64_t Workload::new_value() {
  ASHLAR_ASSERT(value_count_ < kOperationsMax, "a transaction has values enough");
  const std::uint64_t transaction = transaction_count_ * thread_.thread_count + thread_.thread;
  return transaction * kOperationsMax + value_count_++ + 1;
}

}  // namespace ashlar::testing
