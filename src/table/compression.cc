#include "table/compression.h"

#include <lz4.h>
#include <zdict.h>
#include <zstd.h>

#include <new>

#include "base/assert.h"
#include "table/block_layout.h"

namespace ashlar::table {
namespace {

constexpr int kZstdLevel = 3;
static_assert(kLoneRowBytesMax <= LZ4_MAX_INPUT_SIZE, "LZ4 takes the longest block");

// The most that a byte of ZSTD comes to: a block of 128 KiB that repeats one byte takes four.
constexpr std::uint64_t kExpansionMax = 32'768;

bool is_zstd(Compression kind) noexcept {
  return kind == Compression::kZstd || kind == Compression::kZstdDictionary;
}

struct FreeReadingContext {
  void operator()(ZSTD_DCtx_s* context) const noexcept { ZSTD_freeDCtx(context); }
};

// One a thread: tables are read by many threads, and a context takes some hundred KiB to make.
ZSTD_DCtx_s* context_of_thread() {
  thread_local const std::unique_ptr<ZSTD_DCtx_s, FreeReadingContext> context(ZSTD_createDCtx());
  if (context == nullptr) throw std::bad_alloc();
  return context.get();
}

bool set_parameters(ZSTD_CCtx_s* context) noexcept {
  // A table knows its dictionary without being told in each block.
  return ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kZstdLevel)) == 0 &&
         ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0)) == 0;
}

}  // namespace

void Compressor::FreeContext::operator()(ZSTD_CCtx_s* context) const noexcept {
  ZSTD_freeCCtx(context);
}

Compressor::Compressor(Compression wanted) : wanted_(wanted) {
  if (!is_zstd(wanted)) return;
  zstd_.reset(ZSTD_createCCtx());
  if (zstd_ == nullptr) throw std::bad_alloc();
  ASHLAR_ASSERT(set_parameters(zstd_.get()), "the library knows its own parameters");
}

Compressor::~Compressor() = default;

std::string Compressor::train(std::string_view samples, std::span<const std::size_t> sample_bytes) {
  ASHLAR_ASSERT(wanted_ == Compression::kZstdDictionary, "a dictionary was asked for");
  ASHLAR_ASSERT(!has_dictionary_, "a table has one dictionary");
  std::string dictionary(kDictionaryBytesMax, '\0');
  const std::size_t bytes =
      ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(),
                            sample_bytes.data(), static_cast<unsigned>(sample_bytes.size()));
  if (ZDICT_isError(bytes) != 0) return {};
  dictionary.resize(bytes);
  // Copied by the context, which keeps it for all blocks.
  const std::size_t loaded =
      ZSTD_CCtx_loadDictionary(zstd_.get(), dictionary.data(), dictionary.size());
  if (ZSTD_isError(loaded) != 0) return {};
  has_dictionary_ = true;
  return dictionary;
}

// Returns the length of what stands in `stored`; 0 when it is no shorter by an eighth.
std::size_t Compressor::compress_as_wanted(std::string_view raw, std::string& stored) {
  // Room for no more than is of use: what does not fit is given up early.
  const std::size_t room = raw.size() - raw.size() / 8;
  stored.resize(room);
  if (wanted_ == Compression::kLz4) {
    const int bytes = LZ4_compress_default(raw.data(), stored.data(), static_cast<int>(raw.size()),
                                           static_cast<int>(room));
    return static_cast<std::size_t>(bytes);
  }
  const std::size_t bytes =
      ZSTD_compress2(zstd_.get(), stored.data(), room, raw.data(), raw.size());
  return ZSTD_isError(bytes) != 0 ? 0 : bytes;
}

Compression Compressor::compress(std::string_view raw, std::string& stored) {
  ASHLAR_ASSERT(!raw.empty() && raw.size() <= kLoneRowBytesMax, "a block has legal length");
  if (wanted_ != Compression::kNone) {
    const std::size_t bytes = compress_as_wanted(raw, stored);
    if (bytes > 0 && bytes < raw.size()) {
      stored.resize(bytes);
      const bool lacks_dictionary = wanted_ == Compression::kZstdDictionary && !has_dictionary_;
      return lacks_dictionary ? Compression::kZstd : wanted_;
    }
  }
  stored = raw;
  return Compression::kNone;
}

void Decompressor::FreeDictionary::operator()(ZSTD_DDict_s* dictionary) const noexcept {
  ZSTD_freeDDict(dictionary);
}

std::optional<Decompressor> Decompressor::make(std::string_view dictionary) {
  Decompressor result;
  if (dictionary.empty()) return result;
  // What a trainer makes has a number; without one the library takes any bytes for a dictionary.
  if (ZDICT_getDictID(dictionary.data(), dictionary.size()) == 0) return std::nullopt;
  result.dictionary_.reset(ZSTD_createDDict(dictionary.data(), dictionary.size()));
  if (result.dictionary_ == nullptr) return std::nullopt;
  return result;
}

bool Decompressor::is_plausible(std::uint64_t stored_bytes, std::uint64_t raw_bytes) noexcept {
  if (stored_bytes == 0 || raw_bytes == 0 || raw_bytes > kLoneRowBytesMax) return false;
  return stored_bytes <= raw_bytes &&
         (raw_bytes <= kBlockBytesMax || raw_bytes / kExpansionMax <= stored_bytes);
}

bool Decompressor::decompress(Compression kind, std::string_view stored,
                              std::span<char> raw) const {
  if (stored.size() > kLoneRowBytesMax || raw.size() > kLoneRowBytesMax) return false;
  switch (kind) {
    case Compression::kNone:
      if (stored.size() != raw.size()) return false;
      if (!raw.empty()) std::memcpy(raw.data(), stored.data(), raw.size());
      return true;
    case Compression::kLz4: {
      const int bytes = LZ4_decompress_safe(
          stored.data(), raw.data(), static_cast<int>(stored.size()), static_cast<int>(raw.size()));
      return bytes >= 0 && static_cast<std::size_t>(bytes) == raw.size();
    }
    case Compression::kZstd:
      return ZSTD_decompressDCtx(context_of_thread(), raw.data(), raw.size(), stored.data(),
                                 stored.size()) == raw.size();
    case Compression::kZstdDictionary:
      return has_dictionary() &&
             ZSTD_decompress_usingDDict(context_of_thread(), raw.data(), raw.size(), stored.data(),
                                        stored.size(), dictionary_.get()) == raw.size();
  }
  return false;  // A kind of a later version.
}

std::size_t Decompressor::bytes() const noexcept {
  return has_dictionary() ? ZSTD_sizeof_DDict(dictionary_.get()) : 0;
}

}  // namespace ashlar::table
