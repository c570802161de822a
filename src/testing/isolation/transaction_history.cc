#include "testing/isolation/transaction_history.h"

#include "base/assert.h"

namespace ashlar::testing {
namespace {

Error refusal(const std::string& what, const std::string& key) {
  return {ErrorCode::kInvalidArgument, "history: " + what + ": key '" + key + "'"};
}

}  // namespace

Result<void> TransactionHistory::add(const Transaction& transaction) {
  if (transaction.end < transaction.begin) {
    return std::unexpected(Error(
        ErrorCode::kInvalidArgument,
        "history: a transaction of session " + std::to_string(transaction.session) + " begins at " +
            std::to_string(transaction.begin) + " and ends at " + std::to_string(transaction.end)));
  }
  ASHLAR_ASSERT(headers_.size() < UINT32_MAX, "the number of a transaction has 32 bits");
  const std::size_t step_begin = steps_.size();
  for (const Operation& operation : transaction.operations) {
    if (auto added = add_step(operation); !added) {
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
  ASHLAR_ASSERT(step.value + step.answer_words <= words_.size(), "an answer is of this history");
  return std::span(words_).subspan(step.value, step.answer_words);
}

std::uint32_t TransactionHistory::key_number(std::string_view name) {
  const auto [at, is_new] =
      numbers_.try_emplace(std::string(name), static_cast<std::uint32_t>(names_.size()));
  if (is_new) {
    names_.emplace_back(name);
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

Result<void> TransactionHistory::add_step(const Operation& operation) {
  Step step{.kind = operation.kind};
  const bool is_list =
      operation.kind == OperationKind::kAppend || operation.kind == OperationKind::kReadList;
  if (operation.kind == OperationKind::kReadRange) {
    step.key = key_number(operation.key);
    step.last = key_number(operation.last);
  } else {
    ASHLAR_TRY_ASSIGN(step.key, used_as(operation.key, is_list ? Role::kList : Role::kRegister));
  }

  const bool is_read_of_many =
      operation.kind == OperationKind::kReadList || operation.kind == OperationKind::kReadRange;
  step.value = is_read_of_many ? words_.size() : operation.value;
  if (operation.kind == OperationKind::kAppend || operation.kind == OperationKind::kWrite) {
    if (operation.value == kAbsent) {
      return std::unexpected(refusal("the value that stands for none is written", operation.key));
    }
  }
  if (operation.kind == OperationKind::kReadList) {
    words_.insert(words_.end(), operation.elements.begin(), operation.elements.end());
  } else if (operation.kind == OperationKind::kReadRange) {
    for (const FoundRegister& found : operation.found) {
      ASHLAR_TRY_ASSIGN(const std::uint32_t key, used_as(found.key, Role::kRegister));
      words_.push_back(key);
      words_.push_back(found.value);
    }
  }
  if (is_read_of_many) step.answer_words = static_cast<std::uint32_t>(words_.size() - step.value);
  steps_.push_back(step);
  return {};
}

}  // namespace ashlar::testing
