#include "lsm/engine/block_batch.h"

#include <span>
#include <string>
#include <utility>

#include "base/assert.h"
#include "os/file.h"

namespace ashlar::lsm {

Result<std::optional<std::size_t>> BlockBatch::add(const OpenTable& table, std::size_t block) {
  const std::size_t bytes = table.file().sealed_bytes(block);
  if (!is_empty() && read_bytes_ + bytes > kBytesMax) return std::nullopt;
  auto begun = table.begin_load(block);
  if (!begun) {
    // What is loaded already may be all that is left to wait for.
    if (!is_empty()) return std::nullopt;
    return std::unexpected(std::move(begun).error());
  }
  if (begun->is_ours()) read_bytes_ += bytes;
  wanted_.push_back({.table = &table, .block = block, .load = std::move(*begun)});
  return wanted_.size() - 1;
}

Result<void> BlockBatch::load() {
  read_ours();
  Result<void> outcome;
  for (Wanted& wanted : wanted_) {
    const Result<const char*> block = wanted.load.wait();
    if (block) {
      wanted.bytes = {*block, wanted.table->file().raw_bytes(wanted.block)};
    } else if (outcome) {
      outcome = std::unexpected(block.error());
    }
  }
  return outcome;
}

/// Loads what this batch was the first to want: all of it is read before the first is proved good.
void BlockBatch::read_ours() {
  // One a thread: an allocation of this length is mapped, and its pages cleared, each time.
  thread_local std::string scratch;  // NOLINT(misc-use-internal-linkage): it has none.
  if (scratch.size() < read_bytes_) scratch.resize(read_bytes_);
  std::vector<os::FileRead> reads;
  reads.reserve(wanted_.size());
  std::span<char> left(scratch);
  for (const Wanted& wanted : wanted_) {
    if (!wanted.load.is_ours()) continue;
    const std::size_t bytes = wanted.table->file().sealed_bytes(wanted.block);
    ASHLAR_ASSERT(bytes <= left.size(),
                  "the blocks of a batch are as long as when they were added");
    reads.push_back(wanted.table->file().read_of(wanted.block, left.first(bytes)));
    left = left.subspan(bytes);
  }
  os::File::read_many(reads);
  auto read = reads.begin();
  for (Wanted& wanted : wanted_) {
    if (!wanted.load.is_ours()) continue;
    Result<void> outcome = std::move(read->result);
    if (outcome) {
      const std::string_view sealed(read->to.data(), read->to.size());
      outcome = wanted.table->file().take_block(wanted.block, sealed, wanted.load.to());
    }
    wanted.load.finish(std::move(outcome));
    ++read;
  }
  ASHLAR_ASSERT(read == reads.end(), "every read was for a block");
  if (scratch.size() > kBytesMax) scratch = std::string();
}

}  // namespace ashlar::lsm
