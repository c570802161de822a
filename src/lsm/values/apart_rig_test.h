/// \file
/// A disk engine over a log that is a string, whose pieces are all kept until nobody refers to
/// them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/operation_codec.h"
#include "lsm/engine/disk_engine_rig_test.h"

namespace ashlar::lsm {

/// A log in memory.
class StringLog final : public engine::LargeValues {
 public:
  static constexpr std::uint64_t kPieceBytes = 4096;

  Result<void> read(std::uint64_t position, std::span<char> to) const override {
    for (char& byte : to) {
      const bool is_there = position < bytes.size() && !dropped.contains(position / kPieceBytes);
      if (!is_there) return std::unexpected(Error(ErrorCode::kCorruption, place_of(position)));
      byte = bytes[position++];
    }
    return {};
  }
  std::vector<engine::ValuePiece> pieces() const override {
    std::vector<engine::ValuePiece> pieces;
    for (std::uint64_t i = 0; i * kPieceBytes <= bytes.size(); ++i) {
      const bool is_last = (i + 1) * kPieceBytes > bytes.size();
      if (dropped.contains(i)) continue;
      pieces.push_back(
          {.first = i * kPieceBytes, .end = (i + 1) * kPieceBytes, .is_kept = !is_last});
    }
    return pieces;
  }
  std::string place_of(std::uint64_t position) const override {
    return "log at " + std::to_string(position);
  }
  Result<void> drop_unreferred() override {
    for (const engine::ValuePiece& piece : pieces()) {
      if (piece.is_kept && !referrer->refers_to(piece)) dropped.insert(piece.first / kPieceBytes);
    }
    return {};
  }
  std::uint64_t kept_bytes() const { return pieces().size() * kPieceBytes; }

  std::string bytes;
  std::set<std::uint64_t> dropped;  // Pieces, by their numbers.
  const engine::ValueReferrer* referrer = nullptr;
};

/// A commit into it.
class StringCommit final : public engine::Commit {
 public:
  StringCommit(StringLog& log, std::span<const engine::Operation> operations) : log_(log) {
    engine::PayloadWriter writer(payload_, 0);
    for (const auto& operation : operations) writer.add(operation);
  }
  bool append() noexcept override {
    position_ = log_.bytes.size();
    log_.bytes += payload_;
    return true;
  }
  bool append_as(const engine::Operation& put) override {
    engine::PayloadWriter(payload_, 0).add(put);
    return append();
  }
  bool has_position() const noexcept override { return true; }
  std::uint64_t payload_position() const noexcept override { return position_; }

 private:
  StringLog& log_;
  std::string payload_;
  std::uint64_t position_ = 0;
};

/// The place that the engine is told of is the end of the string.
class StringLogControl final : public engine::LogControl {
 public:
  explicit StringLogControl(const StringLog& log) : log_(log) {}
  engine::LogPlace end() const override { return {.position = log_.bytes.size()}; }
  Result<void> make_durable(const engine::LogPlace&) override { return {}; }
  Result<void> release_before(const engine::LogPlace&) override { return {}; }

 private:
  const StringLog& log_;
};

struct ApartRig {
  static constexpr const char* kDirectory = "/tables";
  static constexpr std::size_t kLargeBytes = 64;

  void open() {
    engine.reset();
    const Options options{.memory_budget_bytes = std::size_t{64} << 20U};
    EngineSettings settings = tiny_settings(options);
    settings.large_value_bytes = kLargeBytes;
    auto opened = DiskEngine::open({.disk = faulty,
                                    .clock = clock,
                                    .directory = kDirectory,
                                    .seed = 7,
                                    .settings = settings,
                                    .values = &log});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    engine = std::move(*opened);
    log.referrer = engine.get();
    ASSERT_TRUE(engine->start(control, engine::Background::kCallers).has_value());
  }

  void put(const std::string& key, const std::string& value,
           engine::TimeMs deadline_ms = engine::kNever) {
    const engine::Operation put{.key = key, .value = value, .deadline_ms = deadline_ms};
    StringCommit commit(log, {&put, 1});
    ASSERT_TRUE(engine->apply({&put, 1}, &commit).has_value());
    rows[key] = value;
  }
  void erase(const std::string& key) {
    const engine::Operation erase{.kind = engine::OperationKind::kErase, .key = key, .value = {}};
    StringCommit commit(log, {&erase, 1});
    ASSERT_TRUE(engine->apply({&erase, 1}, &commit).has_value());
    rows.erase(key);
  }

  Result<std::optional<std::string>> get(std::string_view key,
                                         const engine::View& view = engine::kLatest) const {
    Value value;
    ASHLAR_TRY_ASSIGN(const bool is_there, engine->get(key, view, &value, nullptr));
    if (!is_there) return std::nullopt;
    return std::string(value.view());
  }

  /// Whether every way of reading gives what was written.
  void expect_rows() const {
    for (const auto& [key, value] : rows) {
      const auto got = get(key);
      ASSERT_TRUE(got.has_value()) << key << ": " << got.error().message();
      ASSERT_EQ(*got, value) << key;
    }
    std::map<std::string, std::string> walked;
    const auto cursor = engine->scan({}, engine::kLatest).value();
    for (cursor->seek_to_first(); cursor->is_valid(); cursor->next()) {
      walked.emplace(cursor->key(), cursor->value());
    }
    ASSERT_TRUE(cursor->status().has_value()) << cursor->status().error().message();
    EXPECT_EQ(walked, rows);
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : rows) keys.push_back(key);
    std::vector<std::optional<Value>> values(keys.size());
    ASSERT_TRUE(engine->multi_get(keys, engine::kLatest, values).has_value());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ASSERT_TRUE(values[i].has_value());
      EXPECT_EQ(values[i]->view(), rows.at(std::string(keys[i])));
    }
  }

  std::uint64_t collected_bytes() {
    std::uint64_t bytes = 0;
    const std::vector<std::string> names = os::list_directory(disk, kDirectory).value();
    for (const std::string& name : names) {
      if (!collected_number(name)) continue;
      const std::string path = std::string(kDirectory) + "/" + name;
      bytes += os::File::open(disk, path, os::OpenMode::kRead).value()->size().value();
    }
    return bytes;
  }

  os::ManualClock clock;
  os::SimulatedDisk disk;
  os::FaultyDisk faulty{disk};
  StringLog log;
  StringLogControl control{log};
  std::map<std::string, std::string> rows;
  std::unique_ptr<DiskEngine> engine;  // Last, so that it goes first.
};

}  // namespace ashlar::lsm
