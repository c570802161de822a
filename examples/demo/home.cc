#include "home.h"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is not in <cstdlib>.

#include <filesystem>
#include <system_error>
#include <utility>

namespace demo {
namespace {

std::unexpected<ashlar::Error> failed(ashlar::ErrorCode code, const std::string& path,
                                      const std::string& why) {
  return std::unexpected(ashlar::Error(code, path + ": " + why));
}

}  // namespace

ashlar::Result<Home> Home::make(const std::string& wanted) {
  std::error_code error;
  if (!wanted.empty()) {
    std::filesystem::create_directories(wanted, error);
    if (error) return failed(ashlar::ErrorCode::kIo, wanted, error.message());
    const bool is_empty = std::filesystem::is_empty(wanted, error);
    if (error) return failed(ashlar::ErrorCode::kIo, wanted, error.message());
    if (!is_empty) return failed(ashlar::ErrorCode::kInvalidArgument, wanted, "is not empty");
    return Home(wanted, true);
  }
  const auto folder = std::filesystem::temp_directory_path(error);
  if (error) return failed(ashlar::ErrorCode::kIo, "temporary directory", error.message());
  std::string path = (folder / "ashlar-demo-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) {
    return failed(ashlar::ErrorCode::kIo, path, "cannot be made");
  }
  return Home(std::move(path), false);
}

Home::Home(Home&& other) noexcept
    : path_(std::exchange(other.path_, {})), is_kept_(other.is_kept_) {}

Home::~Home() {
  std::error_code ignored;
  if (!path_.empty() && !is_kept_) std::filesystem::remove_all(path_, ignored);
}

std::uint64_t Home::bytes_of(const std::string& part) const {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(path_ + "/" + part, error)) {
    if (entry.is_regular_file(error)) bytes += entry.file_size(error);
  }
  return bytes;
}

}  // namespace demo
