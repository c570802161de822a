/// \file
/// How every thread of the house is started.
#pragma once

#include <functional>
#include <stop_token>
#include <string_view>
#include <thread>

#include "ashlar/result.h"

namespace ashlar::os {

/// Starts a thread that runs `work` and takes no signals: one meant for the application must not
/// land on a thread that the application does not know of. `name` is for the error.
///
/// Errors: kUnavailable  the system refuses a thread
Result<std::jthread> start_thread(std::string_view name,
                                  std::function<void(const std::stop_token&)> work);

}  // namespace ashlar::os
