/// \file
/// A limit on memory that counts the page cache too: without one, a store that leaves caching to
/// the system would have all of the machine, and the others what they were given.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace ashlar::bench {

/// A control group of the kernel (version 1) that this process is in from time to time. What is
/// read or allocated meanwhile counts against its limit until it is given up.
///
/// Threads: confined; all threads of the process are moved together.
class MemoryCage {
 public:
  /// Whether this process may make one: that takes root, as a rule.
  static bool is_available();

  /// Throws std::runtime_error when the kernel refuses.
  MemoryCage(const std::string& name, std::size_t limit_bytes);
  MemoryCage(const MemoryCage&) = delete;
  MemoryCage& operator=(const MemoryCage&) = delete;
  ~MemoryCage();

  /// The time in it.
  class Stay {
   public:
    explicit Stay(const MemoryCage& cage);
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;
    ~Stay();

   private:
    const MemoryCage& cage_;
  };

 private:
  std::filesystem::path home_;  // The group that the process comes from.
  std::filesystem::path path_;
};

/// Makes the files in `directory` leave the page cache. They must not be open for writing.
void drop_from_page_cache(const std::string& directory);

}  // namespace ashlar::bench
