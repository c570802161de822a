#include "base/reservation.h"

#include <sys/mman.h>

#include <cstdint>
#include <utility>

#include "base/assert.h"

namespace ashlar::base {

std::optional<Reservation> Reservation::make(std::size_t bytes) noexcept {
  const std::size_t mapping_bytes = bytes + kHugePageBytes;
  void* mapping = ::mmap(nullptr, mapping_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return std::nullopt;
  // A dump of the process without its data is more use than one as large as the data.
  ::madvise(mapping, mapping_bytes, MADV_DONTDUMP);
  return Reservation(static_cast<char*>(mapping), mapping_bytes, bytes);
}

Reservation::Reservation(char* mapping, std::size_t mapping_bytes, std::size_t bytes) noexcept
    : mapping_(mapping), mapping_bytes_(mapping_bytes), begin_(mapping), bytes_(bytes) {
  const std::size_t over = reinterpret_cast<std::uintptr_t>(mapping) % kHugePageBytes;
  if (over != 0) begin_ += kHugePageBytes - over;
}

Reservation::Reservation(Reservation&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapping_bytes_(other.mapping_bytes_),
      begin_(other.begin_),
      bytes_(other.bytes_) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapping_bytes_, other.mapping_bytes_);
  std::swap(begin_, other.begin_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Reservation::~Reservation() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapping_bytes_);
}

void Reservation::prefer_huge_pages(std::size_t offset, std::size_t bytes) const noexcept {
  ASHLAR_ASSERT(offset + bytes <= bytes_, "advice stays inside the reservation");
  ::madvise(begin_ + offset, bytes, MADV_HUGEPAGE);
}

void Reservation::give_back(std::size_t offset, std::size_t bytes) const noexcept {
  ASHLAR_ASSERT(offset + bytes <= bytes_, "what is given back lies inside the reservation");
  ::madvise(begin_ + offset, bytes, MADV_DONTNEED);
}

}  // namespace ashlar::base
