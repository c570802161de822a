#include "ashlar/atomic.h"

#include <charconv>
#include <string>
#include <utility>

#include "db/atomic/step.h"

namespace ashlar {
namespace {

using db::AtomicStep;
using Write = std::optional<engine::Operation>;

/// Looks at `key` and makes of it what `decide` says, which is asked anew when another write came
/// between.
template <typename Decide>
Result<void> in_one_step(AtomicStep& step, const Decide& decide) {
  return db::at_border([&]() -> Result<void> {
    while (true) {
      ASHLAR_TRY(step.look());
      ASHLAR_TRY_ASSIGN(const Write write, decide());
      ASHLAR_TRY_ASSIGN(const bool is_done, step.finish(write));
      if (is_done) return {};
    }
  });
}

/// The number that `text` is in the one way of writing it, or nothing.
std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text != std::to_string(number)) return std::nullopt;
  ASHLAR_ASSERT(end == text.data() + text.size(), "what is written in one way is read whole");
  return number;
}

Error refusal(std::string_view key, const std::string& complaint) {
  return {ErrorCode::kInvalidArgument, "value of key " + db::printable_key(key) + complaint};
}

}  // namespace

Result<bool> put_if_absent(Db& db, std::string_view key, std::string_view value, Expiry expiry,
                           Durability durability) {
  return compare_and_set(db, key, std::nullopt, value, expiry, durability);
}

Result<bool> compare_and_set(Db& db, std::string_view key, std::optional<std::string_view> expected,
                             std::optional<std::string_view> desired, Expiry expiry,
                             Durability durability) {
  bool was_expected = false;
  AtomicStep step(db, key, durability);
  const auto decide = [&]() -> Result<Write> {
    if (desired) ASHLAR_TRY(step.check_value(*desired));
    const AtomicStep::Seen& seen = step.seen();
    was_expected = seen.is_there ? expected && seen.value == *expected : !expected;
    if (!was_expected) return std::nullopt;
    return desired ? step.put_of(*desired, expiry) : step.erase();
  };
  ASHLAR_TRY(in_one_step(step, decide));
  return was_expected;
}

Result<std::int64_t> increment(Db& db, std::string_view key, std::int64_t by,
                               Durability durability) {
  std::int64_t sum = 0;
  std::string text;
  AtomicStep step(db, key, durability);
  const auto decide = [&]() -> Result<Write> {
    const AtomicStep::Seen& seen = step.seen();
    const auto before = seen.is_there ? number_in(seen.value) : 0;
    if (!before) {
      return std::unexpected(refusal(key, " is not a decimal number of 64 bits"));
    }
    if (__builtin_add_overflow(*before, by, &sum)) {
      return std::unexpected(refusal(key, " is " + std::to_string(*before) + ", and with " +
                                              std::to_string(by) + " no number of 64 bits"));
    }
    text = std::to_string(sum);
    ASHLAR_TRY(step.check_value(text));
    return step.put_keeping_deadline(text);
  };
  ASHLAR_TRY(in_one_step(step, decide));
  return sum;
}

Result<std::size_t> append(Db& db, std::string_view key, std::string_view suffix,
                           Durability durability) {
  std::string joined;
  AtomicStep step(db, key, durability);
  const auto decide = [&]() -> Result<Write> {
    ASHLAR_TRY(step.check_value(suffix));
    const AtomicStep::Seen& seen = step.seen();
    const std::string_view before = seen.is_there ? seen.value.view() : std::string_view();
    const std::size_t bytes = before.size() + suffix.size();
    if (bytes > step.value_bytes_max()) {
      return std::unexpected(refusal(key, " would have " + std::to_string(bytes) + " bytes, 0 to " +
                                              std::to_string(step.value_bytes_max()) + " allowed"));
    }
    joined.reserve(bytes);
    joined.assign(before).append(suffix);
    ASHLAR_ASSERT(joined.size() == bytes, "nothing is lost in between");
    return step.put_keeping_deadline(joined);
  };
  ASHLAR_TRY(in_one_step(step, decide));
  return joined.size();
}

}  // namespace ashlar
