/// \file
/// Blocks made shorter for the disk: LZ4 where reading must be quick, ZSTD where space counts, with
/// a dictionary trained on the table's own blocks where they are too short to learn from each
/// alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct ZSTD_CCtx_s;
struct ZSTD_DDict_s;

namespace ashlar::table {

/// The numbers are stored.
enum class Compression : std::uint8_t {
  kNone = 0,
  kLz4 = 1,
  kZstd = 2,
  kZstdDictionary = 3,  ///< With the dictionary of the table.
};

inline constexpr std::size_t kDictionaryBytesMax = std::size_t{32} << 10U;

/// Compresses with contexts that it keeps.
///
/// Threads: confined to one at a time.
class Compressor {
 public:
  /// `wanted` kZstdDictionary comes to kZstd until there is a dictionary.
  explicit Compressor(Compression wanted);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// Trains a dictionary on samples that lie one after the other and uses it from now on.
  ///
  /// Returns: the dictionary; empty when the samples are too few or too unlike each other for one
  /// Cost:    about 100 ms for 1 MiB
  std::string train(std::string_view samples, std::span<const std::size_t> sample_bytes);

  /// Puts `raw` into `stored`, as it is unless it shrinks by an eighth.
  ///
  /// Returns: how it was compressed
  Compression compress(std::string_view raw, std::string& stored);

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  std::size_t compress_as_wanted(std::string_view raw, std::string& stored);

  const Compression wanted_;
  bool has_dictionary_ = false;
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> zstd_;  // Null when ZSTD is not wanted.
};

/// Undoes what a `Compressor` did.
///
/// Threads: immutable; contexts belong to the calling thread.
class Decompressor {
 public:
  /// Without a dictionary when `dictionary` is empty.
  ///
  /// Returns: nullopt when `dictionary` is none
  static std::optional<Decompressor> make(std::string_view dictionary);

  /// Whether `raw_bytes` can come of `stored_bytes` by any compression there is: to be asked before
  /// memory is allocated for them.
  static bool is_plausible(std::uint64_t stored_bytes, std::uint64_t raw_bytes) noexcept;

  /// Fills `raw` from `stored`.
  ///
  /// Returns: false when `stored` is no compressed form of exactly as many bytes
  bool decompress(Compression kind, std::string_view stored, std::span<char> raw) const;

  bool has_dictionary() const noexcept { return dictionary_ != nullptr; }

  /// What the prepared dictionary takes.
  std::size_t bytes() const noexcept;

 private:
  struct FreeDictionary {
    void operator()(ZSTD_DDict_s* dictionary) const noexcept;
  };

  Decompressor() = default;

  std::unique_ptr<ZSTD_DDict_s, FreeDictionary> dictionary_;
};

}  // namespace ashlar::table
