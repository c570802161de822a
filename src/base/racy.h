/// \file
/// Access to memory that another thread may be changing at the same time.
///
/// Optimistic readers copy first and ask afterwards whether what they copied was valid (a sequence
/// lock). Such a copy is a data race for the language unless it is made of atomic accesses. The
/// plain form here is exactly that, byte by byte; it is the specification, and what ThreadSanitizer
/// builds and other processors use. On x86-64 the same loads are written as instructions the
/// compiler does not look into, 16 bytes at a time.
///
/// Protocol: a reader loads the version (acquire), copies with the functions below, calls
/// `read_fence` and loads the version again. A writer calls `write_fence` after it has made the
/// version odd (or has taken the memory from its last owner) and before it stores.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SANITIZE_THREAD__)
#define ASHLAR_RACY_PLAIN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ASHLAR_RACY_PLAIN 1
#endif
#endif
#if !defined(__x86_64__) && !defined(ASHLAR_RACY_PLAIN)
#define ASHLAR_RACY_PLAIN 1
#endif

#ifndef ASHLAR_RACY_PLAIN
#include <emmintrin.h>
#endif

namespace ashlar::base::racy {

/// The specification: every byte is an atomic access. Acquire and release stand in for the fences,
/// which ThreadSanitizer does not understand.
namespace plain {

/// Whether the next eight bytes can be one access: they are words of the shared memory.
inline bool is_word(const char* racy, std::size_t bytes_left) noexcept {
  return bytes_left >= 8 && reinterpret_cast<std::uintptr_t>(racy) % 8 == 0;
}

inline void load_bytes(char* to, const char* from, std::size_t bytes) noexcept {
  std::size_t i = 0;
  while (i < bytes) {
    if (is_word(from + i, bytes - i)) {
      const auto* const racy = reinterpret_cast<const std::uint64_t*>(from + i);
      const std::uint64_t word = __atomic_load_n(racy, __ATOMIC_ACQUIRE);
      std::memcpy(to + i, &word, 8);
      i += 8;
    } else {
      to[i] = __atomic_load_n(from + i, __ATOMIC_ACQUIRE);
      ++i;
    }
  }
}

inline void store_bytes(char* to, const char* from, std::size_t bytes) noexcept {
  std::size_t i = 0;
  while (i < bytes) {
    if (is_word(to + i, bytes - i)) {
      std::uint64_t word;
      std::memcpy(&word, from + i, 8);
      __atomic_store_n(reinterpret_cast<std::uint64_t*>(to + i), word, __ATOMIC_RELEASE);
      i += 8;
    } else {
      __atomic_store_n(to + i, from[i], __ATOMIC_RELEASE);
      ++i;
    }
  }
}

/// `own` belongs to the caller and changes under nobody; only the other side is racy.
inline bool equal_bytes(const char* racy, const char* own, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < bytes; ++i) {
    if (__atomic_load_n(racy + i, __ATOMIC_ACQUIRE) != own[i]) return false;
  }
  return true;
}

template <typename Word>
Word load_word(const char* from) noexcept {
  Word word;
  char bytes[sizeof(Word)];
  load_bytes(bytes, from, sizeof(Word));
  std::memcpy(&word, bytes, sizeof(Word));
  return word;
}

}  // namespace plain

#ifdef ASHLAR_RACY_PLAIN

using plain::equal_bytes;
using plain::load_bytes;
using plain::load_word;
using plain::store_bytes;
// Every access orders by itself here: there is nothing left for a fence to do.
inline void read_fence() noexcept {}
inline void write_fence() noexcept {}

#else

// The operand names exactly the bytes that are read, so the compiler keeps the load between fences.
inline __m128i load_16(const char* from) noexcept {
  __m128i out;
  asm volatile("movdqu %1, %0" : "=x"(out) : "m"(*reinterpret_cast<const char(*)[16]>(from)));
  return out;
}

// One instruction, so that a word is read as it was at one moment where it is aligned. Elsewhere it
// may be of two moments, like any longer copy.
template <typename Word>
Word load_word(const char* from) noexcept {
  Word out;
  asm volatile("mov %1, %0"
               : "=r"(out)
               : "m"(*reinterpret_cast<const char(*)[sizeof(Word)]>(from)));
  return out;
}

template <typename Word>
void copy_word(char* to, const char* from) noexcept {
  const Word word = load_word<Word>(from);
  std::memcpy(to, &word, sizeof(Word));
}

/// Copies fewer than 16 bytes as two words that overlap.
inline void load_short(char* to, const char* from, std::size_t bytes) noexcept {
  if (bytes >= 8) {
    copy_word<std::uint64_t>(to, from);
    copy_word<std::uint64_t>(to + bytes - 8, from + bytes - 8);
  } else if (bytes >= 4) {
    copy_word<std::uint32_t>(to, from);
    copy_word<std::uint32_t>(to + bytes - 4, from + bytes - 4);
  } else {
    plain::load_bytes(to, from, bytes);
  }
}

inline void copy_16(char* to, const char* from) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), load_16(from));
}

// Fewer than 16 bytes go as two words, a thousand and more by the processor's own instruction for
// copies, and most values, which lie between, in a loop by 32.
inline void load_bytes(char* to, const char* from, std::size_t bytes) noexcept {
  if (bytes < 16) [[unlikely]]
    return load_short(to, from, bytes);
  if (bytes >= 1024) [[unlikely]] {
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
    return;
  }
  // The last 16 bytes come first, so that the loop that follows has no remainder. They overlap what
  // it copies; the two copies may be of two moments, and the reader's validation covers both.
  copy_16(to + bytes - 16, from + bytes - 16);
  std::size_t at = 0;
  for (; at + 32 <= bytes; at += 32) {
    copy_16(to + at, from + at);
    copy_16(to + at + 16, from + at + 16);
  }
  if (at + 16 <= bytes) copy_16(to + at, from + at);
}

/// Readers that see half of a plain store discard it, so a plain copy is enough here.
inline void store_bytes(char* to, const char* from, std::size_t bytes) noexcept {
  if (bytes != 0) std::memcpy(to, from, bytes);  // No bytes may have no address.
}

/// Whether 16 bytes are equal, all compared at once.
inline bool equal_16(const char* racy, const char* own) noexcept {
  const __m128i right = _mm_loadu_si128(reinterpret_cast<const __m128i*>(own));
  return _mm_movemask_epi8(_mm_cmpeq_epi8(load_16(racy), right)) == 0xffff;
}

template <typename Word>
bool equal_word(const char* racy, const char* own) noexcept {
  Word right;
  std::memcpy(&right, own, sizeof(Word));
  return load_word<Word>(racy) == right;
}

/// Whether the first and the last word of `bytes` are equal: all, when two words cover them.
template <typename Word>
bool equal_ends(const char* racy, const char* own, std::size_t bytes) noexcept {
  const std::size_t last = bytes - sizeof(Word);
  return equal_word<Word>(racy, own) && equal_word<Word>(racy + last, own + last);
}

inline bool equal_bytes(const char* racy, const char* own, std::size_t bytes) noexcept {
  // Up to 16 bytes in words: a caller that has just put a key together has stored it in words, and
  // a load of more than one of them waits until they have left the processor's store queue.
  if (bytes <= 16 && bytes >= 8) [[likely]]
    return equal_ends<std::uint64_t>(racy, own, bytes);
  if (bytes < 4) return plain::equal_bytes(racy, own, bytes);
  if (bytes < 8) return equal_ends<std::uint32_t>(racy, own, bytes);
  for (std::size_t at = 0; at + 16 <= bytes; at += 16) {
    if (!equal_16(racy + at, own + at)) return false;
  }
  return equal_16(racy + bytes - 16, own + bytes - 16);
}

// Partner of `write_fence`: a reader that has seen a byte of a new owner sees, in the version that
// it loads after this, that the old one is gone. On x86-64 both only bind the compiler.
inline void read_fence() noexcept {
  std::atomic_thread_fence(std::memory_order_acquire);
}
inline void write_fence() noexcept {
  std::atomic_thread_fence(std::memory_order_release);
}

#endif

inline std::uint64_t load_u64(const char* from) noexcept {
  return load_word<std::uint64_t>(from);
}
inline std::uint32_t load_u32(const char* from) noexcept {
  return load_word<std::uint32_t>(from);
}

/// Stores a word that readers may be looking at. In the plain form it is one access only where it
/// is aligned, so a reader may see a part of it, as it may of anything else.
template <typename Word>
void store_word(char* to, Word word) noexcept {
  char bytes[sizeof(Word)];
  std::memcpy(bytes, &word, sizeof(Word));
  store_bytes(to, bytes, sizeof(Word));
}

}  // namespace ashlar::base::racy
