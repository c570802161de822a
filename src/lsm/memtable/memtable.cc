// Writing to and reading from a memtable. Reading to the end: `get`; writing: `reserve`, `insert`.

#include "lsm/memtable/memtable.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "base/assert.h"
#include "lsm/memtable/memtable_cursor.h"

namespace ashlar::lsm {
namespace {

// The least that a key with one version takes of the records: so many bytes of addresses there need
// one entry in order at most.
constexpr std::size_t kRecordBytesMin = KeyNode::bytes_of(1) + sizeof(RowVersion);
static_assert(kRecordBytesMin >= sizeof(RunEntry), "the order needs no more than the records");

constexpr std::size_t kLookupsAtOnce = 16;

Memtable::Found found_of(const RowVersion& version) noexcept {
  return {.kind = version.kind(), .deadline_ms = version.deadline_ms(), .value = version.value()};
}

}  // namespace

Result<std::unique_ptr<Memtable>> Memtable::make(SpareArenas& spares) {
  auto arenas = spares.take();
  std::unique_ptr<Memtable> made;
  if (arenas) {
    made.reset(new (std::nothrow) Memtable(*std::move(arenas), spares));
  }
  if (!made) {
    return std::unexpected(Error::of_literal(ErrorCode::kOutOfSpace,
                                             "the system has no address space for a memtable"));
  }
  return made;
}

Memtable::Memtable(MemtableArenas arenas, SpareArenas& spares) noexcept
    : spares_(spares),
      records_arena_(std::move(arenas.records)),
      records_(records_arena_),
      index_(records_arena_),
      order_(records_, std::move(arenas.arrivals), spares.budget()) {}

// What still refers to the arenas does not touch them any more.
Memtable::~Memtable() {
  spares_.keep(
      {.records = std::move(records_arena_), .arrivals = std::move(order_).take_arrivals()});
}

Result<void> Memtable::reserve(std::span<const engine::Operation> operations) {
  std::size_t bytes = 0;
  for (const auto& operation : operations) {
    ASHLAR_ASSERT(!operation.key.empty(), "a key has at least one byte");
    bytes += record_bytes_max(operation);
  }
  const std::uint64_t key_count = row_count() + operations.size();
  bytes += index_.growth_bytes(key_count);

  const std::size_t taken_before = records_arena_.taken_bytes();
  if (!records_arena_.reserve(bytes)) return std::unexpected(refusal(bytes));
  if (!order_.reserve(operations.size())) {
    records_arena_.give_back_down_to(taken_before);
    return std::unexpected(refusal(bytes));
  }
  index_.grow(key_count);  // Of memory that is there.
  return {};
}

void Memtable::give_back_unused() noexcept {
  records_arena_.give_back_unused();
  order_.give_back_unused();
}

Error Memtable::refusal(std::size_t bytes) const {
  if (!records_arena_.has_addresses(bytes)) {
    return {ErrorCode::kOutOfSpace, "a commit of " + std::to_string(bytes) +
                                        " bytes does not fit a memtable that has " +
                                        std::to_string(this->bytes()) + " already"};
  }
  return {
      ErrorCode::kOutOfSpace,
      "memory budget of " + std::to_string(spares_.budget().limit_bytes()) + " bytes is used up"};
}

void Memtable::insert(const engine::Operation& operation, std::uint64_t hash,
                      Sequence sequence) noexcept {
  ASHLAR_ASSERT(sequence >= load(last_sequence_), "N2: commits come in the order of sequences");
  ASHLAR_ASSERT(sequence > 0, "a commit has a sequence");
  const Place place = find(operation.key, hash);
  if (place != kNowhere) {
    records_.add_version(place, operation, sequence);
  } else {
    const Place added = records_.add_node(operation, sequence);
    order_.add(operation.key, added);
    index_.add(hash, added);
  }
  note(operation, sequence);
}

void Memtable::note(const engine::Operation& operation, Sequence sequence) noexcept {
  // Relaxed throughout: the writer alone stores.
  const auto count_up = [](std::atomic<std::uint64_t>& figure) {
    figure.store(load(figure) + 1, std::memory_order_relaxed);
  };
  if (operation.kind == engine::OperationKind::kErase) {
    count_up(erase_count_);
  } else if (operation.deadline_ms != engine::kNever) {
    count_up(deadline_count_);
  }
  if (load(first_sequence_) == 0) first_sequence_.store(sequence, std::memory_order_relaxed);
  last_sequence_.store(sequence, std::memory_order_relaxed);
}

Place Memtable::find(std::string_view key, std::uint64_t hash) const noexcept {
  return index_.find(hash, [&](Place place) {
    records_.prefetch(place);
    return records_.node(place).key() == key;
  });
}

std::optional<Memtable::Found> Memtable::get(std::string_view key, std::uint64_t hash,
                                             Sequence sequence) const noexcept {
  const Place place = find(key, hash);
  if (place == kNowhere) return std::nullopt;
  const RowVersion* const version = records_.newest_at(records_.node(place), sequence);
  if (version == nullptr) return std::nullopt;
  return found_of(*version);
}

// Two phases before the look-ups themselves: all buckets are asked for, then all nodes that have
// the right hash. Each phase finds in the cache what the one before has asked for.
void Memtable::get_many(std::span<const Lookup> lookups, Sequence sequence,
                        std::span<std::optional<Found>> found) const noexcept {
  ASHLAR_ASSERT(found.size() == lookups.size(), "every lookup has a place for its answer");
  for (std::size_t begin = 0; begin < lookups.size(); begin += kLookupsAtOnce) {
    const auto group = lookups.subspan(begin, std::min(kLookupsAtOnce, lookups.size() - begin));
    for (const Lookup& lookup : group) index_.prefetch(lookup.hash);
    for (const Lookup& lookup : group) {
      index_.find(lookup.hash, [this](Place place) {
        records_.prefetch(place);
        return true;
      });
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      found[begin + i] = get(group[i].key, group[i].hash, sequence);
    }
  }
}

Result<std::unique_ptr<engine::RowCursor>> Memtable::cursor(Sequence sequence) const {
  try {
    return std::make_unique<MemtableCursor>(records_, order_.look(), sequence);
  } catch (const std::bad_alloc&) {
    return std::unexpected(
        Error::of_literal(ErrorCode::kOutOfSpace, "no memory for a cursor over a memtable"));
  }
}

void Memtable::check() const {
  index_.check(row_count());
  order_.check();
  ASHLAR_ASSERT(first_sequence() <= last_sequence(),
                "N2: the first sequence is not after the last");
}

}  // namespace ashlar::lsm
