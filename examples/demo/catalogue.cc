#include "catalogue.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace demo {
namespace {

constexpr const char* kCommand = "apt-cache dumpavail 2>/dev/null";
constexpr const char* kStatusFile = "/var/lib/dpkg/status";

/// What a record is known by.
struct Identity {
  std::string_view name;
  std::string_view version;
  std::string_view architecture;
};

bool is_same_word(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t index = 0; index < left.size(); ++index) {
    if (std::tolower(static_cast<unsigned char>(left[index])) !=
        std::tolower(static_cast<unsigned char>(right[index]))) {
      return false;
    }
  }
  return true;
}

std::string_view without_blanks_around(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// The line of `text` at `offset`, its newline included when it has one.
std::string_view line_at(std::string_view text, std::size_t offset) {
  const auto newline = text.find('\n', offset);
  if (newline == std::string_view::npos) return text.substr(offset);
  return text.substr(offset, newline - offset + 1);
}

/// A line with nothing on it ends a record. One with a blank on it continues a field.
bool is_separator(std::string_view line) {
  return line == "\n" || line == "\r\n";
}

/// Takes over what `line` says about the record's identity, if anything.
void note_field(std::string_view line, Identity& identity) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || line.front() == ' ' || line.front() == '\t') return;

  const auto name = line.substr(0, colon);
  const auto value = without_blanks_around(line.substr(colon + 1));
  if (is_same_word(name, "Package")) identity.name = value;
  if (is_same_word(name, "Version")) identity.version = value;
  if (is_same_word(name, "Architecture")) identity.architecture = value;
}

/// Versions may hold colons; names and architectures cannot, so no two identities share a key.
std::string key_of(const Identity& identity) {
  std::string key = "pkg:";
  key.append(identity.name).append(":").append(identity.version);
  return key.append(":").append(identity.architecture);
}

/// Marks every record that a later one with the same key overwrites.
void mark_superseded(Catalogue& catalogue) {
  std::unordered_map<std::string_view, Record*> last_by_key;
  for (auto& record : catalogue.records) {
    const auto [place, is_new] = last_by_key.try_emplace(record.key, &record);
    if (is_new) continue;
    place->second->is_superseded = true;
    place->second = &record;
    ++catalogue.superseded_count;
  }
}

ashlar::Result<std::string> read_stream(std::FILE* stream, std::string_view name) {
  std::string text;
  std::array<char, 65'536> block;
  while (std::feof(stream) == 0 && std::ferror(stream) == 0) {
    const auto bytes = std::fread(block.data(), 1, block.size(), stream);
    text.append(block.data(), bytes);
  }
  if (std::ferror(stream) != 0) {
    return std::unexpected(
        ashlar::Error(ashlar::ErrorCode::kIo, std::string(name) + ": reading failed"));
  }
  return text;
}

/// What the command prints; nothing when it is missing or fails.
std::string read_command() {
  // The command is fixed, and where it does not exist the file below takes its place.
  std::FILE* pipe = popen(kCommand, "r");  // NOLINT(cert-env33-c)
  if (pipe == nullptr) return {};

  auto text = read_stream(pipe, kCommand);
  const bool has_succeeded = pclose(pipe) == 0;
  if (!text || !has_succeeded) return {};
  return std::move(*text);
}

}  // namespace

Catalogue parse_catalogue(std::string source, std::string text) {
  Catalogue catalogue;
  catalogue.source = std::move(source);
  catalogue.text = std::move(text);

  const std::string_view all = catalogue.text;
  for (std::size_t offset = 0; offset < all.size();) {
    const auto begin = offset;
    Identity identity;
    auto line = line_at(all, offset);
    while (!line.empty() && !is_separator(line)) {
      note_field(line, identity);
      offset += line.size();
      line = line_at(all, offset);
    }
    const auto bytes = offset - begin;
    offset += line.size();

    if (bytes == 0) continue;
    if (identity.name.empty()) {
      ++catalogue.nameless_count;
    } else {
      catalogue.records.push_back({.key = key_of(identity), .offset = begin, .bytes = bytes});
    }
  }
  mark_superseded(catalogue);
  return catalogue;
}

ashlar::Result<Catalogue> read_catalogue(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) {
    return std::unexpected(ashlar::Error(ashlar::ErrorCode::kIo, path + ": cannot be opened"));
  }
  ASHLAR_TRY_ASSIGN(auto text, read_stream(file.get(), path));
  auto catalogue = parse_catalogue(path, std::move(text));
  if (catalogue.records.empty()) {
    return std::unexpected(
        ashlar::Error(ashlar::ErrorCode::kUnavailable, path + ": holds no package record"));
  }
  return catalogue;
}

ashlar::Result<Catalogue> read_system_catalogue() {
  auto catalogue = parse_catalogue("apt-cache dumpavail", read_command());
  if (!catalogue.records.empty()) return catalogue;
  return read_catalogue(kStatusFile);
}

}  // namespace demo
