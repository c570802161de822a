/// \file
/// A recorded transaction as lines of text, one an event:
///
///     b <begin>                            it began
///     a <key> <element>                    append
///     l <key> <element>*                   read of a list
///     w <key> <value>                      write
///     r <key> <value>                      read of a register; 0: absent
///     e <key>                              erase
///     s <key> <last> (<key>=<value>)*      read of a range
///     c                                    it asks to commit
///     C <end>  or  A <end>                 it is committed, or aborted
///
/// Numbers are decimal. A byte of a key that is neither a letter, a digit nor one of `-_.:` stands
/// as % and two hexadecimal digits; an empty key as % alone. A line ends with a line feed; one that
/// does not was being written when its process was killed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "testing/isolation/transaction.h"

namespace ashlar::testing {

void append_begin_line(std::uint64_t begin, std::string& text);
void append_operation_line(const Operation& operation, std::string& text);
void append_commit_line(std::string& text);

/// Input: outcome  kCommitted or kAborted: who knows no outcome writes no line.
void append_end_line(Outcome outcome, std::uint64_t end, std::string& text);

/// Takes lines and puts transactions together.
///
/// Threads: externally synchronised.
class LineDecoder {
 public:
  enum class Progress : std::uint8_t { kWithin, kWhole };

  /// Takes the next line, without its line feed.
  ///
  /// Returns: kWhole when `transaction()` is complete
  /// Errors:  kCorruption  not a line as above, or not at this place; the message says what
  Result<Progress> take(std::string_view line);

  /// What was taken since the last line `b`.
  const Transaction& transaction() const noexcept { return transaction_; }

  /// Whether a transaction was begun and has not ended; whether it has asked to commit.
  bool is_open() const noexcept { return state_ != State::kOutside; }
  bool is_committing() const noexcept { return state_ == State::kCommitting; }

 private:
  enum class State : std::uint8_t { kOutside, kRunning, kCommitting };

  Result<Progress> take_begin(std::string_view rest);
  Result<Progress> take_end(char kind, std::string_view rest);
  Result<void> take_operation(char kind, std::string_view rest);

  Transaction transaction_;
  State state_ = State::kOutside;
};

}  // namespace ashlar::testing
