#include "db/bounds.h"

#include "base/assert.h"

namespace ashlar::db {
namespace {

struct Bounds {
  std::size_t least;
  std::size_t most;
};

std::string to_text(const Bounds& bounds) {
  return std::to_string(bounds.least) + " to " + std::to_string(bounds.most) + " allowed";
}

Result<void> check_option(const char* name, std::size_t given, const Bounds& bounds) {
  ASHLAR_ASSERT(bounds.least <= bounds.most, "an option has at least one allowed value");
  if (given >= bounds.least && given <= bounds.most) return {};
  return std::unexpected(Error(
      ErrorCode::kInvalidArgument,
      std::string("option ") + name + " is " + std::to_string(given) + ", " + to_text(bounds)));
}

std::string key_complaint(std::string_view key, const Options& options) {
  ASHLAR_ASSERT(!is_key_allowed(key, options), "only a key outside its limits is refused");
  return "key " + printable_key(key) + " has " + std::to_string(key.size()) + " bytes, " +
         to_text({.least = 1, .most = options.key_bytes_max});
}

std::string value_complaint(std::string_view key, std::string_view value, const Options& options) {
  ASHLAR_ASSERT(!is_value_allowed(value, options), "only a value outside its limits is refused");
  return "value of key " + printable_key(key) + " has " + std::to_string(value.size()) +
         " bytes, " + to_text({.least = 0, .most = options.value_bytes_max});
}

Error operation_refusal(std::size_t index, const std::string& complaint) {
  return {ErrorCode::kInvalidArgument, "operation " + std::to_string(index) + ": " + complaint};
}

/// What only an engine on disk asks for.
Result<void> check_disk_options(const Options& options) {
  if (options.directory.empty()) {
    return std::unexpected(Error::of_literal(ErrorCode::kInvalidArgument,
                                             "option engine is kDisk, which needs a directory"));
  }
  if (options.memory_policy != MemoryPolicy::kRefuse) {
    return std::unexpected(Error::of_literal(
        ErrorCode::kInvalidArgument, "option memory_policy is kEvict, which kDisk does not know"));
  }
  return check_option("memory_budget_bytes", options.memory_budget_bytes,
                      {.least = kDiskMemoryBudgetBytesMin, .most = kMemoryBudgetBytesMax});
}

Result<void> check_history_options(const Options& options) {
  if (options.history_age_ms_max < 0) {
    return std::unexpected(
        Error(ErrorCode::kInvalidArgument, "option history_age_ms_max is " +
                                               std::to_string(options.history_age_ms_max) +
                                               ", 0 and more allowed"));
  }
  if (options.history_bytes_max == 0 && options.history_has_old_values) {
    return std::unexpected(Error::of_literal(
        ErrorCode::kInvalidArgument,
        "option history_has_old_values is set, and history_bytes_max, which it needs, is 0"));
  }
  if (options.history_bytes_max == 0) return {};
  if (!options.directory.empty()) return {};
  return std::unexpected(
      Error::of_literal(ErrorCode::kInvalidArgument,
                        "option history_bytes_max keeps a log, which needs a directory"));
}

}  // namespace

Result<void> check_options(const Options& options) {
  ASHLAR_TRY(check_option("key_bytes_max", options.key_bytes_max, {1, kKeyBytesHardMax}));
  ASHLAR_TRY(check_option("value_bytes_max", options.value_bytes_max, {0, kValueBytesHardMax}));
  ASHLAR_TRY(check_option("memory_budget_bytes", options.memory_budget_bytes,
                          {kMemoryBudgetBytesMin, kMemoryBudgetBytesMax}));
  // Bindings make the enumeration from a number.
  ASHLAR_TRY(check_option("memory_policy", static_cast<std::size_t>(options.memory_policy),
                          {0, static_cast<std::size_t>(MemoryPolicy::kEvict)}));
  ASHLAR_TRY(check_option("engine", static_cast<std::size_t>(options.engine),
                          {0, static_cast<std::size_t>(Engine::kDisk)}));
  ASHLAR_TRY(check_option("table_compression", static_cast<std::size_t>(options.table_compression),
                          {0, static_cast<std::size_t>(TableCompression::kZstd)}));
  ASHLAR_TRY(check_history_options(options));
  return options.engine == Engine::kDisk ? check_disk_options(options) : Result<void>();
}

Error key_refusal(std::string_view key, const Options& options) {
  return {ErrorCode::kInvalidArgument, key_complaint(key, options)};
}

Error value_refusal(std::string_view key, std::string_view value, const Options& options) {
  return {ErrorCode::kInvalidArgument, value_complaint(key, value, options)};
}

Result<void> check_batch(const WriteBatch& batch, const Options& options) {
  std::size_t index = 0;
  for (const WriteBatch::Entry& entry : batch.entries()) {
    const std::string_view key = batch.key_of(entry);
    const std::string_view value = batch.value_of(entry);
    if (!is_key_allowed(key, options)) {
      return std::unexpected(operation_refusal(index, key_complaint(key, options)));
    }
    if (!is_value_allowed(value, options)) {
      return std::unexpected(operation_refusal(index, value_complaint(key, value, options)));
    }
    ++index;
  }
  if (batch.is_overfull()) {
    return std::unexpected(operation_refusal(
        index, "left out of the batch: it would have held more than " +
                   std::to_string(kBatchBytesHardMax) + " bytes, or memory ran out"));
  }
  return {};
}

std::string printable_key(std::string_view key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string_view shown = key.substr(0, kKeyBytesShown);
  std::string text = "\"";
  for (const char character : shown) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte > 0x7e) {
      text += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xfU]};
    } else {
      if (character == '"' || character == '\\') text += '\\';
      text += character;
    }
  }
  text += shown.size() < key.size() ? "\"..." : "\"";
  return text;
}

}  // namespace ashlar::db
