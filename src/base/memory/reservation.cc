// Address space by mmap. MAP_NORESERVE: the system promises no memory for it, so that regions may
// be reserved for the largest that a database can become; the budget sees to it that what is
// touched stays within bounds (M1).

#include "base/memory/reservation.h"

#include <sys/mman.h>

#include <cstdint>
#include <utility>

#include "base/assert.h"

namespace ashlar::base {

std::optional<Reservation> Reservation::make(std::size_t bytes) noexcept {
  // The system aligns to 4 KiB only: up to a huge page is left unused in front.
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
  ASHLAR_ASSERT(begin_ + bytes_ <= mapping_ + mapping_bytes_, "a reservation lies in its mapping");
}

Reservation::Reservation(Reservation&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapping_bytes_(other.mapping_bytes_),
      begin_(other.begin_),
      bytes_(other.bytes_) {}

// What was here goes with `other`.
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

// Advice, and the answer is not asked for: where the system has no huge pages small ones do.
void Reservation::prefer_huge_pages(std::size_t offset, std::size_t bytes) const noexcept {
  ASHLAR_ASSERT(offset + bytes <= bytes_, "advice stays inside the reservation");
  ::madvise(begin_ + offset, bytes, MADV_HUGEPAGE);
}

bool Reservation::populate(std::size_t offset, std::size_t bytes) const noexcept {
  ASHLAR_ASSERT(offset + bytes <= bytes_, "what is populated lies inside the reservation");
#ifdef MADV_POPULATE_WRITE
  return ::madvise(begin_ + offset, bytes, MADV_POPULATE_WRITE) == 0;
#else
  return false;
#endif
}

// The range stays mapped: who still has an address in it reads zeros, and a store takes a page
// again. Fails only for a range that is not ours, which the assert rules out.
void Reservation::give_back(std::size_t offset, std::size_t bytes) const noexcept {
  ASHLAR_ASSERT(offset + bytes <= bytes_, "what is given back lies inside the reservation");
  ::madvise(begin_ + offset, bytes, MADV_DONTNEED);
}

}  // namespace ashlar::base
