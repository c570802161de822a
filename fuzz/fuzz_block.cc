// Any bytes as a block, and any changes to one that is sound: refused, or read whole without going
// outside of them, and then each key is found where it is.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "table/block.h"
#include "table/block_builder.h"

namespace {

using ashlar::table::Block;

void must(bool condition) {
  if (!condition) std::abort();
}

/// What a block hands out can be written again, and is then the same rows.
void write_again(const Block& block) {
  ashlar::table::BlockBuilder builder;
  std::string buffer;
  block.begin_keys(buffer);
  for (std::uint32_t row = 0; row < block.row_count(); ++row) {
    const ashlar::engine::Operation operation{.kind = block.kind(row),
                                              .key = block.key(row, buffer),
                                              .value = block.value(row),
                                              .deadline_ms = block.deadline_ms(row)};
    // Another choice of prefix and columns may be shorter than the builder's.
    if (!builder.fits(operation)) return;
    builder.add(operation, static_cast<std::uint16_t>(row));
  }
  std::string raw;
  builder.finish(raw);
  must(ashlar::table::block_fault(raw) == nullptr);
  const Block again(raw);
  must(again.row_count() == block.row_count());
  for (std::uint32_t row = 0; row < block.row_count(); ++row) {
    const std::string_view key = block.key(row, buffer);
    must(again.key(row) == key && again.value(row) == block.value(row));
    must(again.find(key, static_cast<std::uint16_t>(row)) == row);
  }
}

void read_as_block(std::string_view raw) {
  if (ashlar::table::block_fault(raw) != nullptr) return;
  const Block block(raw);
  std::string buffer;
  block.begin_keys(buffer);
  for (std::uint32_t row = 0; row < block.row_count(); ++row) {
    const std::string key(block.key(row, buffer));
    must(block.lower_bound(key) == row);
    must(block.lower_bound(key + '\0') == row + 1);
    const std::string_view value = block.value(row);
    must(value.empty() || value.data() + value.size() <= raw.data() + raw.size());
    for (const std::uint16_t tag : {std::uint16_t{0}, std::uint16_t{0x4141}}) {
      const auto found = block.find(key, tag);
      must(!found || *found == row);
    }
  }
  write_again(block);
}

/// A block with all columns: keys and values of many lengths, erases and deadlines.
std::string sound_block() {
  ashlar::table::BlockBuilder builder;
  for (int i = 10; i < 40; ++i) {
    const std::string key =
        "key:" + std::to_string(1'000 + i) + std::string(static_cast<std::size_t>(i % 5), 'k');
    const std::string value(static_cast<std::size_t>(i % 10), 'v');
    if (value.empty()) {
      builder.add({.kind = ashlar::engine::OperationKind::kErase, .key = key, .value = value}, 0);
    } else {
      builder.add({.key = key, .value = value, .deadline_ms = i}, 0x4141);
    }
  }
  std::string raw;
  builder.finish(raw);
  return raw;
}

/// The sound block with the bytes changed that `changes` names: two of the place, one that it gets.
std::string changed(std::string_view changes) {
  static const std::string sound = sound_block();
  std::string raw = sound;
  std::uint16_t place = 0;
  char byte = 0;
  while (ashlar::base::take_number(changes, place) && ashlar::base::take_number(changes, byte)) {
    raw[place % raw.size()] = byte;
  }
  return raw;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_block(bytes);
  read_as_block(changed(bytes));
  return 0;
}
