#include <cstdio>

#include "cli/cli.h"
#include "os/posix_disk.h"

int main(int argument_count, char** argument_list) {
  ashlar::os::PosixDisk disk;
  const ashlar::cli::Streams streams{.in = stdin, .out = stdout, .err = stderr};
  const int status = ashlar::cli::run(argument_count, argument_list, disk, streams);
  // Output that could not be written is no success.
  if (std::fflush(stdout) != 0) return ashlar::cli::kFailed;
  return status;
}
