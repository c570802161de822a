// Any bytes as the list of a backup: they are read or refused, with no more memory than they are,
// and what is read has these bytes and no others. Then the same bytes with a beginning, a length
// and a checksum that are right, so that what they protect is read as well. A list leads to no file
// but one of a backup.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/hash.h"
#include "db/backup/backup_list.h"

namespace {

constexpr std::size_t kHeaderBytes = 96;
constexpr std::size_t kChecksumBytes = 8;

void read_as_list(std::string_view bytes) {
  const auto list = ashlar::db::decode_backup_list(bytes, "list");
  if (!list) return;
  if (ashlar::db::encode_backup_list(*list) != bytes) std::abort();
  for (const auto& file : list->files) {
    if (!ashlar::db::is_backup_file_name(file.name())) std::abort();
  }
}

std::string repaired(std::string bytes) {
  bytes.resize(std::max(bytes.size(), kHeaderBytes + kChecksumBytes));
  bytes.replace(0, 8, "ashlrbak");
  ashlar::base::store_number(bytes.data() + 8, std::uint32_t{1});
  ashlar::base::store_number(bytes.data() + 16, std::uint64_t{bytes.size()});
  const std::string_view covered = std::string_view(bytes).substr(0, bytes.size() - kChecksumBytes);
  ashlar::base::store_number(bytes.data() + covered.size(), ashlar::base::hash_key(covered, 0));
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_list(bytes);
  read_as_list(repaired(std::string(bytes)));
  return 0;
}
