#include "lsm/values/collected_file.h"

#include <array>
#include <utility>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "base/numbered_name.h"

namespace ashlar::lsm {
namespace {

constexpr std::string_view kMagic = "ashlrval";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kChecksumOffset = 32;
constexpr std::string_view kSuffix = ".values";

// Large enough that the call is nothing beside the transfer.
constexpr std::size_t kWriteBytes = std::size_t{1} << 20U;

std::string encode_header(const CollectedIdentity& identity) {
  std::string header(kMagic);
  base::append_number(header, kVersion);
  base::append_number(header, std::uint32_t{0});
  base::append_number(header, identity.database_id);
  base::append_number(header, identity.number);
  base::append_number(header, base::hash_key(header, 0));
  ASHLAR_ASSERT(header.size() == CollectedFile::kHeaderBytes, "the header is as documented");
  return header;
}

/// What is wrong with `header`; nullptr when nothing is.
const char* header_fault(std::string_view header, const CollectedIdentity& identity) {
  if (!header.starts_with(kMagic)) return "this is no file of values";
  const auto checksum = base::load_number<std::uint64_t>(header.data() + kChecksumOffset);
  if (base::hash_key(header.substr(0, kChecksumOffset), 0) != checksum) {
    return "the header is damaged";
  }
  return header == encode_header(identity) ? nullptr : "this is another file of values";
}

std::unexpected<Error> damaged(const std::string& path, const char* what) {
  return std::unexpected(Error(ErrorCode::kCorruption, path + " at 0: " + what));
}

}  // namespace

std::string collected_name(std::uint64_t number) {
  return base::numbered_name(number, kSuffix);
}

std::optional<std::uint64_t> collected_number(std::string_view name) {
  return base::number_in_name(name, kSuffix);
}

CollectedFile::CollectedFile(std::unique_ptr<os::File> file, std::uint64_t number,
                             std::uint64_t file_bytes) noexcept
    : file_(std::move(file)), number_(number), file_bytes_(file_bytes) {}

Result<base::Ref<const CollectedFile>> CollectedFile::open(os::Disk& disk, const std::string& path,
                                                           const CollectedIdentity& identity) {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kReadHere));
  if (file == nullptr) return damaged(path, "the file is missing");
  std::array<char, kHeaderBytes> bytes{};
  ASHLAR_TRY_ASSIGN(const std::uint64_t file_bytes, file->size());
  ASHLAR_TRY_ASSIGN(const std::size_t got, file->read_some(0, bytes));
  const std::string_view header(bytes.data(), bytes.size());
  if (got < header.size()) return damaged(path, "the file ends within its header");
  const auto version = base::load_number<std::uint32_t>(header.data() + kMagic.size());
  if (header.starts_with(kMagic) && version > kVersion) {
    return std::unexpected(Error(ErrorCode::kUnavailable,
                                 path + " at 8: values of version " + std::to_string(version) +
                                     ", and this program reads version 1"));
  }
  if (const char* const fault = header_fault(header, identity)) return damaged(path, fault);
  if (file_bytes >> kCollectedOffsetBits != 0) return damaged(path, "the file is too long");
  return base::Ref<const CollectedFile>(
      new CollectedFile(std::move(file), identity.number, file_bytes));
}

CollectedWriter::CollectedWriter(std::unique_ptr<os::File> file, const CollectedIdentity& identity)
    : file_(std::move(file)), number_(identity.number), out_(encode_header(identity)) {}

Result<std::unique_ptr<CollectedWriter>> CollectedWriter::create(
    os::Disk& disk, const std::string& path, const CollectedIdentity& identity) {
  ASHLAR_ASSERT(identity.number <= kCollectedNumberMax, "V43: a position has room for the number");
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kCreate));
  return std::unique_ptr<CollectedWriter>(new CollectedWriter(std::move(file), identity));
}

Result<engine::ValueReference> CollectedWriter::add(std::string_view value, std::uint64_t hash) {
  ASHLAR_ASSERT((file_bytes() + value.size()) >> kCollectedOffsetBits == 0,
                "V43: a position has room for the offset");
  const std::uint64_t position = collected_position(number_, file_bytes());
  out_.append(value);
  if (out_.size() >= kWriteBytes) ASHLAR_TRY(write_out());
  return engine::ValueReference{.position = position,
                                .bytes = value.size(),
                                .checksum = engine::value_checksum(hash, position)};
}

Result<void> CollectedWriter::write_out() {
  ASHLAR_TRY(file_->write(written_bytes_, out_));
  written_bytes_ += out_.size();
  out_.clear();
  return {};
}

Result<void> CollectedWriter::finish() {
  ASHLAR_TRY(write_out());
  return file_->sync();
}

}  // namespace ashlar::lsm
