/// \file
/// The command line in this process: a database in a temporary directory, and what a command says.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ashlar/db.h"
#include "cli/cli.h"
#include "os/file.h"
#include "os/posix_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::cli {

class CliRig {
 public:
  struct Answer {
    int status = 0;
    std::string out;
    std::string err;
  };

  /// Runs `ashlar ARGUMENTS…` with `in` as its input, which comes as if by a pipe.
  Answer run(const std::vector<std::string>& arguments, const std::string& in = {}) {
    std::vector<const char*> list{"ashlar"};
    for (const std::string& argument : arguments) list.push_back(argument.c_str());
    // A stream over memory has no descriptor: it cannot be read twice, as a pipe cannot.
    std::string content = in.empty() ? std::string(1, '\0') : in;
    std::FILE* const input = fmemopen(content.data(), in.empty() ? 1 : in.size(), "rb");
    if (in.empty()) (void)std::fgetc(input);
    std::FILE* const output = std::tmpfile();
    std::FILE* const errors = std::tmpfile();
    Answer answer;
    answer.status = cli::run(static_cast<int>(list.size()), list.data(), disk_,
                             {.in = input, .out = output, .err = errors});
    std::fclose(input);
    answer.out = read_and_close(output);
    answer.err = read_and_close(errors);
    return answer;
  }

  Db open(const std::string& name = "data", Engine engine = Engine::kMemory) {
    auto db = Db::open({.directory = path(name), .engine = engine});
    EXPECT_TRUE(db.has_value()) << db.error().message();
    return std::move(*db);
  }

  /// A closed database with `count` rows, half of them in a checkpoint.
  void fill(int count, Engine engine = Engine::kMemory) {
    Db db = open("data", engine);
    for (int i = 0; i < count; ++i) {
      if (i == count / 2) {
        EXPECT_TRUE(db.checkpoint().has_value());
      }
      EXPECT_TRUE(db.put("key:" + std::to_string(i), "value " + std::to_string(i), Expiry::never(),
                         Durability::kProcess));
    }
    EXPECT_TRUE(db.close().has_value());
  }

  std::string path(const std::string& name = "data") const {
    return (temporary_.path() / name).string();
  }

  std::string read(const std::string& name) {
    auto file = os::File::open(disk_, path(name), os::OpenMode::kRead);
    EXPECT_TRUE(file.has_value() && *file != nullptr) << name;
    if (!file || *file == nullptr) return "";
    std::string content((*file)->size().value(), '\0');
    EXPECT_TRUE((*file)->read(0, content).has_value());
    return content;
  }
  void write(const std::string& name, const std::string& content) {
    EXPECT_TRUE(os::remove_file(disk_, path(name)).has_value());
    auto file = os::File::open(disk_, path(name), os::OpenMode::kCreate);
    EXPECT_TRUE((*file)->write(0, content).has_value());
  }
  void flip(const std::string& name, std::uint64_t offset) {
    auto file = os::File::open(disk_, path(name), os::OpenMode::kReadWrite);
    char byte = 0;
    EXPECT_TRUE((*file)->read(offset, {&byte, 1}).has_value());
    byte = static_cast<char>(byte ^ 0x20);
    EXPECT_TRUE((*file)->write(offset, {&byte, 1}).has_value());
  }

 private:
  static std::string read_and_close(std::FILE* file) {
    std::rewind(file);
    std::string text;
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
      text.push_back(static_cast<char>(c));
    }
    std::fclose(file);
    return text;
  }

  testing::TemporaryDirectory temporary_;
  os::PosixDisk disk_;
};

}  // namespace ashlar::cli
