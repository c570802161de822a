/// \file
/// Opens a database for a command, which takes whatever is in it.
#pragma once

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "ashlar/db.h"

namespace ashlar::cli {

/// With the widest limits: what a database holds it was allowed to hold, whatever was set then.
///
/// Errors: as `Db::open`
inline Result<Db> open_database(const std::string& directory) {
  Options options;
  options.directory = directory;
  options.key_bytes_max = kKeyBytesHardMax;
  options.value_bytes_max = kValueBytesHardMax;
  options.memory_budget_bytes = kMemoryBudgetBytesMax;
  return Db::open(options);
}

/// What the system says about the last call.
inline Error system_error(const std::string& what) {
  return {ErrorCode::kIo, what + ": " + std::generic_category().message(errno)};
}

}  // namespace ashlar::cli
