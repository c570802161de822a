#include <cstdio>

#include "cli/cli.h"
#include "cli/open_database.h"
#include "os/posix_disk.h"

int main(int argument_count, char** argument_list) {
  ashlar::os::PosixDisk disk;
  const ashlar::cli::Streams streams{.in = stdin, .out = stdout, .err = stderr};
  const int status = ashlar::cli::run(argument_count, argument_list, disk, streams);
  // Output that could not be written is no success.
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (is_written || status == ashlar::cli::kFailed) return status;
  return streams.fail(ashlar::cli::system_error("standard output: write"));
}
