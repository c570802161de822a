// Writes the fixtures of the present on-disk format: `make_fixture FOLDER`, which must not exist.
// To be run once for each format, the first time that it is released:
//
//     build/debug/tests/compat/make_fixture tests/compat/format_N

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "cli/cli.h"
#include "fixture.h"
#include "os/posix_disk.h"
#include "testing/temporary_directory.h"

namespace {

/// `ashlar dump`, in this process.
bool dump(const std::string& directory, const std::string& form, const std::string& output) {
  ashlar::os::PosixDisk disk;
  const std::string form_option = "--form=" + form;
  const char* const words[] = {"ashlar",   "dump",        directory.c_str(), form_option.c_str(),
                               "--output", output.c_str()};
  return ashlar::cli::run(std::size(words), words, disk,
                          {.in = stdin, .out = stdout, .err = stderr}) == 0;
}

}  // namespace

int main(int argument_count, char** argument_list) {
  using ashlar::compat::Ending;
  if (argument_count != 2 || !std::filesystem::create_directory(argument_list[1])) {
    std::fprintf(stderr, "usage: make_fixture FOLDER, which is made and must not exist\n");
    return 2;
  }
  const std::filesystem::path to = argument_list[1];
  const ashlar::testing::TemporaryDirectory temporary;
  const auto write = [&](const char* name, ashlar::Engine engine, Ending ending) {
    ashlar::compat::write_directory(temporary.path() / name, engine, ending, to / name);
  };
  write("closed", ashlar::Engine::kMemory, Ending::kClosed);
  write("killed", ashlar::Engine::kMemory, Ending::kKilled);
  write("disk-closed", ashlar::Engine::kDisk, Ending::kClosed);
  write("disk-killed", ashlar::Engine::kDisk, Ending::kKilled);
  for (const auto& [name, engine] : {std::pair("memory-backup", ashlar::Engine::kMemory),
                                     std::pair("disk-backup", ashlar::Engine::kDisk)}) {
    ashlar::compat::write_backup(temporary.path() / name, engine, to / name);
  }
  const std::string closed = (temporary.path() / "closed").string();
  const bool is_dumped = dump(closed, "text", (to / "closed.text").string()) &&
                         dump(closed, "binary", (to / "closed.binary").string());
  return is_dumped ? 0 : 1;
}
