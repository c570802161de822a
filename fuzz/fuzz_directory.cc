// A sound directory with any bytes written over any of its files: it is inspected without a crash;
// if it is found sound it opens; if not, repair makes it sound and it opens then.
//
//     input := (file (1 byte) offset (2 bytes, in units of 16) count (1 byte) bytes…)…

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "ashlar/db.h"
#include "db/access.h"
#include "db/calling_thread_test.h"
#include "db/inspection/repair.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"

namespace {

using ashlar::os::SimulatedDisk;

constexpr const char* kPath = "/data";

ashlar::Result<ashlar::Db> open_at(SimulatedDisk& disk) {
  static const ashlar::os::ManualClock clock;
  ashlar::Options options;
  options.directory = kPath;
  options.memory_budget_bytes = std::size_t{4} << 20U;
  const ashlar::db::Environment environment = ashlar::db::in_calling_thread(
      disk, clock, {.segment_bytes = std::size_t{16} << 10U, .ring_bytes = std::size_t{16} << 10U});
  return ashlar::db::Access::open(options, environment);
}

/// A directory with a checkpoint and a log of several segments, closed in order.
std::unique_ptr<SimulatedDisk> make_sound() {
  auto disk = std::make_unique<SimulatedDisk>();
  auto db = open_at(*disk);
  for (int i = 0; i < 60; ++i) {
    const std::string value(500, static_cast<char>('a' + i % 26));
    if (i == 30 && !db->checkpoint()) std::abort();
    if (!db->put("key:" + std::to_string(i), value)) std::abort();
  }
  if (!db->close()) std::abort();
  return disk;
}

/// The files, by their paths.
std::vector<std::string> files_of(SimulatedDisk& disk) {
  std::vector<std::string> paths{std::string(kPath) + "/FORMAT"};
  for (const char* folder : {"/log", "/checkpoint"}) {
    const std::string path = std::string(kPath) + folder;
    const auto names = ashlar::os::list_directory(disk, path);
    for (const std::string& name : *names) paths.push_back(path + "/" + name);
  }
  return paths;
}

void damage(SimulatedDisk& disk, std::string_view input) {
  const std::vector<std::string> paths = files_of(disk);
  const auto take = [&input] {
    const auto byte = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    return std::size_t{byte};
  };
  while (input.size() >= 4) {
    const std::string& path = paths[take() % paths.size()];
    std::size_t offset = take();
    offset = (offset << 8U | take()) * 16;
    const std::size_t count = std::min(take(), input.size());
    const std::size_t bytes = disk.read_all(path).size();
    offset = bytes == 0 ? 0 : offset % bytes;
    disk.overwrite(path, offset, input.substr(0, std::min(count, bytes - offset)));
    input.remove_prefix(count);
  }
}

bool is_sound(SimulatedDisk& disk, ashlar::ErrorCode& refused) {
  const auto directory = ashlar::db::Directory::open_as_is(disk, kPath);
  if (!directory) std::abort();
  const auto inspection = ashlar::db::inspect(disk, **directory);
  if (!inspection) {
    refused = inspection.error().code();
    return false;
  }
  return inspection->report.is_sound();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<SimulatedDisk> sound = make_sound();
  const auto disk = sound->clone();
  damage(*disk, {reinterpret_cast<const char*>(data), size});
  ashlar::ErrorCode refused = ashlar::ErrorCode::kCorruption;
  if (is_sound(*disk, refused)) {
    if (!open_at(*disk)) std::abort();
    return 0;
  }
  if (refused == ashlar::ErrorCode::kInvalidArgument) return 0;  // Of another format.
  using ashlar::db::RepairMode;
  if (!ashlar::db::repair(*disk, kPath, RepairMode::kApply, 99)) std::abort();
  if (!is_sound(*disk, refused) || !open_at(*disk)) std::abort();
  return 0;
}
