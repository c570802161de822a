/// \file
/// A range of address space that takes memory only where it is touched.
#pragma once

#include <cstddef>
#include <optional>

namespace ashlar::base {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20U;

/// Readable and writable zeroes from the first byte to the last. The range starts on a huge page.
/// Memory once read by an optimistic reader stays mapped for the life of the reservation, so a
/// stale pointer into it reads garbage and never faults.
///
/// Threads: thread-safe, as far as the callers touch different bytes.
class Reservation {
 public:
  /// Returns: nullopt when the system refuses that much address space
  static std::optional<Reservation> make(std::size_t bytes) noexcept;

  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation();

  char* begin() const noexcept { return begin_; }
  std::size_t bytes() const noexcept { return bytes_; }

  /// Asks for huge pages under [offset, offset + bytes), once it is touched: fewer
  /// translations to look up for random access than under 4 KiB pages.
  void prefer_huge_pages(std::size_t offset, std::size_t bytes) const noexcept;

  /// Takes memory under [offset, offset + bytes) now, so that nobody waits for it at the first
  /// touch; what lies there stays. Other threads may use the range meanwhile.
  ///
  /// Returns: false when the system cannot (Linux before 5.14, or no memory): touching does it then
  bool populate(std::size_t offset, std::size_t bytes) const noexcept;

  /// Gives the memory under [offset, offset + bytes) back; it reads as zeroes from then on.
  void give_back(std::size_t offset, std::size_t bytes) const noexcept;

 private:
  Reservation(char* mapping, std::size_t mapping_bytes, std::size_t bytes) noexcept;

  char* mapping_;  // As the system gave it; null in a moved-from object.
  std::size_t mapping_bytes_;
  char* begin_;
  std::size_t bytes_;
};

}  // namespace ashlar::base
