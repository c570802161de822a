/// \file
/// The package catalogue of a Debian system: many records of text, each the description of one
/// package at one version. It is what the demo puts through the database.
///
///     Package: libstone        a field; its name may be written in any case
///     Version: 2:1.0-1
///     Architecture: amd64
///     Description: dressed stone
///      More of it.             a continuation line: it begins with a blank
///                              an empty line ends the record
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"

namespace demo {

/// One record, by where its bytes lie in the catalogue's text.
struct Record {
  std::string key;             ///< pkg:<name>:<version>:<architecture>; an absent field is empty.
  std::size_t offset = 0;      ///< Of its first byte.
  std::size_t bytes = 0;       ///< The newline of its last line included.
  bool is_superseded = false;  ///< A later record has the same key, so this one is overwritten.
};

/// The records in the order of their source.
///
/// Threads: immutable once parsed.
struct Catalogue {
  std::string source;  ///< Where the text came from, for people to read.
  std::string text;    ///< All of it, untouched.
  std::vector<Record> records;
  std::size_t superseded_count = 0;  ///< Records with `is_superseded`.
  std::size_t nameless_count = 0;    ///< Records without a name; they are not in `records`.

  /// The bytes of `record`.
  ///
  /// Lifetime: the view dies with the catalogue, or when it is moved.
  std::string_view text_of(const Record& record) const {
    return std::string_view(text).substr(record.offset, record.bytes);
  }

  /// How many different keys there are.
  std::size_t key_count() const { return records.size() - superseded_count; }
};

/// Finds the records in `text`.
Catalogue parse_catalogue(std::string source, std::string text);

/// Reads the catalogue in the file at `path`.
///
/// Errors: kIo           the file cannot be read
///         kUnavailable  it holds no record
ashlar::Result<Catalogue> read_catalogue(const std::string& path);

/// Reads the catalogue of this machine: what `apt-cache dumpavail` prints, or else the file in
/// which dpkg keeps the installed packages.
///
/// Errors: as `read_catalogue`, of that file
ashlar::Result<Catalogue> read_system_catalogue();

}  // namespace demo
