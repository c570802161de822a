#include "testing/isolation/transaction_history.h"

#include <cstring>

#include "base/assert.h"

namespace ashlar::testing {
namespace {

Error refusal(const std::string& what, const std::string& key) {
  return {ErrorCode::kInvalidArgument, "history: " + what + ": key '" + key + "'"};
}

/// How many elements at the end of what step `index` read its own transaction had appended.
std::size_t own_tail(const Transaction& transaction, std::size_t index) {
  const Operation& reader = transaction.operations[index];
  std::size_t count = 0;
  for (std::size_t i = index; i-- > 0 && count < reader.elements.size();) {
    const Operation& earlier = transaction.operations[i];
    if (earlier.kind != OperationKind::kAppend || earlier.key != reader.key) continue;
    if (reader.elements[reader.elements.size() - 1 - count] != earlier.value) break;
    ++count;
  }
  return count;
}

}  // namespace

bool is_prefix(std::span<const std::uint64_t> part, std::span<const std::uint64_t> whole) noexcept {
  return part.size() <= whole.size() &&
         (part.empty() || part.data() == whole.data() ||
          std::memcmp(part.data(), whole.data(), part.size_bytes()) == 0);
}

Result<void> TransactionHistory::add(const Transaction& transaction) {
  if (transaction.end < transaction.begin) {
    return std::unexpected(Error(
        ErrorCode::kInvalidArgument,
        "history: a transaction of session " + std::to_string(transaction.session) + " begins at " +
            std::to_string(transaction.begin) + " and ends at " + std::to_string(transaction.end)));
  }
  ASHLAR_ASSERT(headers_.size() < UINT32_MAX, "the number of a transaction has 32 bits");
  const std::size_t step_begin = steps_.size();
  for (std::size_t i = 0; i < transaction.operations.size(); ++i) {
    if (auto added = add_step(transaction, i); !added) {
      steps_.resize(step_begin);  // Keys and words that nobody refers to do no harm.
      return added;
    }
  }
  headers_.push_back({.begin = transaction.begin,
                      .end = transaction.end,
                      .operation_begin = step_begin,
                      .session = transaction.session,
                      .outcome = transaction.outcome});
  return {};
}

std::span<const TransactionHistory::Step> TransactionHistory::steps(
    std::uint32_t transaction) const {
  ASHLAR_ASSERT(transaction < headers_.size(), "the transaction is of this history");
  const std::size_t begin = headers_[transaction].operation_begin;
  const std::size_t end = transaction + 1 == headers_.size()
                              ? steps_.size()
                              : headers_[transaction + 1].operation_begin;
  return std::span(steps_).subspan(begin, end - begin);
}

std::span<const std::uint64_t> TransactionHistory::answer(const Step& step) const {
  if (step.answer_words == 0) return {};
  if (step.is_shared) {
    ASHLAR_ASSERT(step.answer_words <= longest_[step.key].size(), "a shared answer is a prefix");
    return std::span(longest_[step.key]).first(step.answer_words);
  }
  ASHLAR_ASSERT(step.value + step.answer_words <= words_.size(), "an answer is of this history");
  return std::span(words_).subspan(step.value, step.answer_words);
}

std::uint32_t TransactionHistory::key_number(std::string_view name) {
  const auto [at, is_new] =
      numbers_.try_emplace(std::string(name), static_cast<std::uint32_t>(names_.size()));
  if (is_new) {
    names_.emplace_back(name);
    longest_.emplace_back();
    roles_.push_back(Role::kNone);
  }
  return at->second;
}

Result<std::uint32_t> TransactionHistory::used_as(const std::string& name, Role role) {
  const std::uint32_t key = key_number(name);
  if (roles_[key] != Role::kNone && roles_[key] != role) {
    return std::unexpected(refusal("used as a list and as a register", name));
  }
  roles_[key] = role;
  return key;
}

Result<void> TransactionHistory::add_step(const Transaction& transaction, std::size_t index) {
  const Operation& operation = transaction.operations[index];
  Step step{.value = operation.value, .kind = operation.kind};
  const bool is_list =
      operation.kind == OperationKind::kAppend || operation.kind == OperationKind::kReadList;
  const bool is_new_value =
      operation.kind == OperationKind::kAppend || operation.kind == OperationKind::kWrite;
  if (is_new_value && operation.value == kAbsent) {
    return std::unexpected(refusal("the value that stands for none is written", operation.key));
  }
  if (operation.kind == OperationKind::kReadRange) {
    ASHLAR_TRY(add_range_answer(operation, step));
  } else {
    ASHLAR_TRY_ASSIGN(step.key, used_as(operation.key, is_list ? Role::kList : Role::kRegister));
  }
  if (operation.kind == OperationKind::kReadList) add_list_answer(transaction, index, step);
  steps_.push_back(step);
  return {};
}

void TransactionHistory::add_list_answer(const Transaction& transaction, std::size_t index,
                                         Step& step) {
  const std::span<const std::uint64_t> whole = transaction.operations[index].elements;
  step.own_words = static_cast<std::uint32_t>(own_tail(transaction, index));
  const std::span others = whole.first(whole.size() - step.own_words);
  step.answer_words = static_cast<std::uint32_t>(others.size());
  std::vector<std::uint64_t>& longest = longest_[step.key];
  if (is_prefix(longest, others)) longest.assign(others.begin(), others.end());
  step.is_shared = is_prefix(others, longest);
  if (step.is_shared) return;
  step.value = words_.size();
  words_.insert(words_.end(), others.begin(), others.end());
}

Result<void> TransactionHistory::add_range_answer(const Operation& operation, Step& step) {
  step.key = key_number(operation.key);
  step.last = key_number(operation.last);
  step.value = words_.size();
  step.answer_words = static_cast<std::uint32_t>(2 * operation.found.size());
  for (const FoundRegister& found : operation.found) {
    ASHLAR_TRY_ASSIGN(const std::uint32_t key, used_as(found.key, Role::kRegister));
    words_.push_back(key);
    words_.push_back(found.value);
  }
  return {};
}

}  // namespace ashlar::testing
