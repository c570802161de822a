/// \file
/// A first-in first-out queue of 64-bit words in chunks of 1 KiB: pushing never moves what is
/// there.
///
/// Invariants:
///   Q1  After `reserve(n)` has succeeded the next n pushes neither allocate nor fail.
///   M1 of memory_budget.h: every chunk is taken before it is allocated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "base/assert.h"
#include "base/memory/memory_budget.h"

namespace ashlar::base {

///     head_ [ popped | words ... ] -> [ words ... ] -> tail_ [ words | free ] -> [ spare ] -> ...
///                    head_begin_                                   tail_end_
///
/// A chunk goes back to the budget as soon as its last word is popped, except the one that pushes
/// go to: a queue that fills and empties in turn allocates nothing.
///
/// Threads: externally synchronised.
class ChunkedQueue {
 public:
  static constexpr std::size_t kChunkWords = 127;
  static constexpr std::size_t kChunkBytes = (kChunkWords + 1) * sizeof(std::uint64_t);

  explicit ChunkedQueue(MemoryBudget& budget) noexcept : budget_(&budget) {}
  ChunkedQueue(ChunkedQueue&& other) noexcept : budget_(other.budget_) { take(other); }
  ChunkedQueue(const ChunkedQueue&) = delete;
  ChunkedQueue& operator=(const ChunkedQueue&) = delete;
  ~ChunkedQueue() { clear(); }

  bool empty() const noexcept { return count_ == 0; }
  std::size_t count() const noexcept { return count_; }
  std::size_t chunk_count() const noexcept { return chunk_count_; }

  /// How many pushes need no allocation.
  std::size_t room() const noexcept {
    if (tail_ == nullptr) return 0;
    return (kChunkWords - tail_end_) + spare_chunk_count_ * kChunkWords;
  }

  /// Makes room for `count` pushes.
  ///
  /// Returns: false when the budget is used up; what room there was remains
  /// Errors:  throws bad_alloc, with the same effect
  [[nodiscard]] bool reserve(std::size_t count) {
    while (room() < count) {
      if (!add_chunk()) return false;
    }
    return true;
  }

  /// Adds a word at the end. Its place has been reserved (Q1).
  void push(std::uint64_t word) noexcept {
    ASHLAR_ASSERT(room() > 0, "a push has its place reserved");
    if (tail_end_ == kChunkWords) {
      ASHLAR_DEBUG_ASSERT(spare_chunk_count_ > 0, "Q1: room beyond the tail is a spare chunk");
      tail_ = tail_->next.get();
      tail_end_ = 0;
      --spare_chunk_count_;
    }
    tail_->words[tail_end_++] = word;
    ++count_;
  }

  /// Takes the oldest word.
  std::uint64_t pop() noexcept {
    ASHLAR_ASSERT(count_ > 0, "only a queue that holds something is popped");
    const std::uint64_t word = head_->words[head_begin_++];
    --count_;
    if (count_ == 0) {
      head_begin_ = tail_end_ = 0;  // Only one chunk is in use: start it afresh.
      drop_chunks_before_tail();
    } else if (head_begin_ == kChunkWords) {
      drop_head();
      head_begin_ = 0;
    }
    return word;
  }

  void clear() noexcept {
    while (head_) drop_head();
    tail_ = nullptr;
    head_begin_ = tail_end_ = count_ = spare_chunk_count_ = 0;
  }

  /// Takes all that `other` holds, and its room. This queue must hold nothing.
  void take(ChunkedQueue& other) noexcept {
    ASHLAR_ASSERT(count_ == 0, "only a queue that holds nothing takes over another");
    ASHLAR_ASSERT(budget_ == other.budget_, "a chunk stays on its budget");
    std::swap(head_, other.head_);
    std::swap(tail_, other.tail_);
    std::swap(head_begin_, other.head_begin_);
    std::swap(tail_end_, other.tail_end_);
    std::swap(count_, other.count_);
    std::swap(chunk_count_, other.chunk_count_);
    std::swap(spare_chunk_count_, other.spare_chunk_count_);
  }

 private:
  struct Chunk {
    std::array<std::uint64_t, kChunkWords> words;
    std::unique_ptr<Chunk> next;
  };
  static_assert(sizeof(Chunk) == kChunkBytes);

  /// Adds an empty chunk behind the tail. The budget comes first (M1), and has its bytes back when
  /// there is no memory after all.
  bool add_chunk() {
    if (!budget_->try_take(kChunkBytes)) return false;
    std::unique_ptr<Chunk> chunk(new (std::nothrow) Chunk);
    if (!chunk) {
      budget_->give_back(kChunkBytes);
      throw std::bad_alloc();
    }
    ++chunk_count_;
    if (tail_ == nullptr) {
      head_ = std::move(chunk);
      tail_ = head_.get();
      return true;
    }
    chunk->next = std::move(tail_->next);
    tail_->next = std::move(chunk);
    ++spare_chunk_count_;
    return true;
  }

  /// Frees the first chunk; the next one, and with it the rest of the list, is moved out before.
  void drop_head() noexcept {
    ASHLAR_DEBUG_ASSERT(chunk_count_ > 0, "M1: only a chunk that was taken is given back");
    head_ = std::move(head_->next);
    --chunk_count_;
    budget_->give_back(kChunkBytes);
  }

  void drop_chunks_before_tail() noexcept {
    while (head_.get() != tail_) drop_head();
  }

  MemoryBudget* budget_;
  std::unique_ptr<Chunk> head_;
  Chunk* tail_ = nullptr;       // Where pushes go; chunks after it are spare.
  std::size_t head_begin_ = 0;  // The first word of the head that was not popped.
  std::size_t tail_end_ = 0;    // The first place of the tail that was not pushed to.
  std::size_t count_ = 0;
  std::size_t chunk_count_ = 0;
  std::size_t spare_chunk_count_ = 0;
};

}  // namespace ashlar::base
