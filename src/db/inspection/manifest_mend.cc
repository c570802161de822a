#include "db/inspection/manifest_mend.h"

#include <bit>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "os/file.h"

namespace ashlar::db {
namespace {

constexpr std::size_t kChecksumBytes = 8;

/// Changes the bit without which the checksum of `bytes` is right. Returns: whether there is one
bool mend(std::string& bytes) noexcept {
  ASHLAR_ASSERT(bytes.size() > kChecksumBytes, "there is something that the checksum is of");
  char* const stored = bytes.data() + bytes.size() - kChecksumBytes;
  const auto checksum = base::load_number<std::uint64_t>(stored);
  const std::string_view covered(bytes.data(), bytes.size() - kChecksumBytes);
  const std::uint64_t found = base::hash_key(covered, 0);
  if (std::popcount(found ^ checksum) <= 1) {
    base::store_number(stored, found);
    return true;
  }
  for (std::size_t bit = 0; bit < 8 * covered.size(); ++bit) {
    char& byte = bytes[bit / 8];
    const char as_it_was = byte;
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ 1U << bit % 8);
    if (base::hash_key(covered, 0) == checksum) return true;
    byte = as_it_was;
  }
  return false;
}

}  // namespace

Result<std::optional<lsm::Manifest>> mend_manifest(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file == nullptr) return std::nullopt;
  ASHLAR_TRY_ASSIGN(const std::uint64_t file_bytes, file->size());
  if (file_bytes <= kChecksumBytes || file_bytes > kMendedBytesMax) return std::nullopt;
  std::string bytes(file_bytes, '\0');
  ASHLAR_TRY(file->read(0, bytes));
  if (!mend(bytes)) return std::nullopt;
  // A right checksum makes no manifest of what never was one.
  auto content = lsm::decode_manifest(bytes, path);
  return content ? std::optional(std::move(*content)) : std::nullopt;
}

}  // namespace ashlar::db
