/// \file
/// All transactions of a run, close together in memory: a million of them take some hundred bytes
/// each. Keys are numbers, and what was read of a list is kept once, as long as each read is the
/// beginning of the longest one: then it is a length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ashlar/result.h"
#include "testing/isolation/transaction.h"

namespace ashlar::testing {

/// Transactions in the order in which they were added; the first has number 0.
///
/// Threads: externally synchronised.
class TransactionHistory {
 public:
  /// What a key is used as.
  enum class Role : std::uint8_t {
    kNone,  ///< Only the bound of a range.
    kList,
    kRegister,
  };

  /// A transaction without its operations.
  struct Header {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::size_t operation_begin = 0;
    std::uint32_t session = 0;
    Outcome outcome = Outcome::kCommitted;
  };

  /// An operation whose key is a number and whose answers lie elsewhere.
  struct Step {
    std::uint64_t value = 0;  ///< That of the operation, or the place of its answer.
    std::uint32_t key = 0;
    std::uint32_t last = 0;  ///< kReadRange: the bound.
    std::uint32_t answer_words = 0;
    std::uint32_t own_words = 0;  ///< kReadList: elements after those, of its own transaction.
    OperationKind kind = OperationKind::kRead;
    bool is_shared = false;  ///< The answer is the beginning of the longest one.
  };

  /// Adds `transaction` with the next number.
  ///
  /// Errors: kInvalidArgument  it ends before it begins, writes kAbsent, or uses a list as a
  ///                           register: no checker can make sense of that
  Result<void> add(const Transaction& transaction);

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(headers_.size()); }
  const Header& header(std::uint32_t transaction) const { return headers_[transaction]; }
  std::span<const Step> steps(std::uint32_t transaction) const;

  /// The elements that a list read found, up to those that its own transaction had appended; of a
  /// range read, keys and values in turn.
  ///
  /// Lifetime: until the next `add`
  std::span<const std::uint64_t> answer(const Step& step) const;

  std::uint32_t key_count() const noexcept { return static_cast<std::uint32_t>(names_.size()); }
  const std::string& key_name(std::uint32_t key) const { return names_[key]; }
  Role role(std::uint32_t key) const { return roles_[key]; }

 private:
  std::uint32_t key_number(std::string_view name);
  Result<std::uint32_t> used_as(const std::string& name, Role role);
  Result<void> add_step(const Transaction& transaction, std::size_t index);
  void add_list_answer(const Transaction& transaction, std::size_t index, Step& step);
  Result<void> add_range_answer(const Operation& operation, Step& step);

  std::vector<Header> headers_;
  std::vector<Step> steps_;
  std::vector<std::uint64_t> words_;                 // Answers that are not shared.
  std::vector<std::vector<std::uint64_t>> longest_;  // By key: the longest read of a list.
  std::vector<std::string> names_;
  std::vector<Role> roles_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

/// Whether `part` is the beginning of `whole`, or all of it.
bool is_prefix(std::span<const std::uint64_t> part, std::span<const std::uint64_t> whole) noexcept;

}  // namespace ashlar::testing
