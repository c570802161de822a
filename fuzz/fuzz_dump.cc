// Any bytes as a dump, in both forms: what is taken for a row lies within its limits, and a dump
// that is taken for whole is what would be written of its rows.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/dump_form.h"

namespace {

using ashlar::cli::DumpForm;

void read_as(std::string_view bytes, DumpForm form) {
  std::string_view rest = bytes;
  ashlar::cli::DumpInput input([&rest](std::span<char> to) -> ashlar::Result<std::size_t> {
    const std::size_t count = std::min({rest.size(), to.size(), std::size_t{13}});
    rest.copy(to.data(), count);
    rest.remove_prefix(count);
    return count;
  });
  const auto writer =
      form == DumpForm::kText ? ashlar::cli::make_text_writer() : ashlar::cli::make_binary_writer();
  std::string again;
  writer->append_begin(again);
  const auto reader = ashlar::cli::make_reader(input, form);
  if (!reader) return;
  while (true) {
    const auto row = (*reader)->next();
    if (!row) return;
    if (!*row) break;
    if ((*row)->key.size() + (*row)->value.size() > bytes.size()) std::abort();
    writer->append_row(again, **row);
  }
  writer->append_end(again);
  if (again != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as(bytes, DumpForm::kText);
  read_as(bytes, DumpForm::kBinary);
  return 0;
}
