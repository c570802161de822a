// Long values become references to where the log has them, short ones stay as they are.

#include "lsm/engine/row_operations.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/operation_codec.h"
#include "engine/value_reference.h"

namespace ashlar::lsm {
namespace {

class PlacedCommit final : public engine::Commit {
 public:
  explicit PlacedCommit(bool has_position) : has_position_(has_position) {}
  bool append() noexcept override { return true; }
  bool has_position() const noexcept override { return has_position_; }
  std::uint64_t payload_position() const noexcept override { return 1000; }

 private:
  const bool has_position_;
};

const std::string kLong(100, 'x');
const std::string kLonger(300, 'y');
const std::vector<engine::Operation> kOperations{
    {.key = "a", .value = kLong},
    {.kind = engine::OperationKind::kErase, .key = "b", .value = {}},
    {.key = "c", .value = "short", .deadline_ms = 7},
    {.key = "d", .value = kLonger, .deadline_ms = 8}};

// V40: each reference leads to its value in the payload that the log has.
TEST(RowOperations, RefersToWhereTheLogHasLongValues) {
  const PlacedCommit commit(true);
  RowOperations made(kOperations, &commit, 100);
  ASSERT_EQ(made.rows().size(), kOperations.size());
  EXPECT_EQ(made.apart_bytes(), 400U);
  made.place(commit);
  std::string payload;
  engine::PayloadWriter writer(payload, 1);
  for (const auto& operation : kOperations) writer.add(operation);
  for (std::size_t i = 0; i < kOperations.size(); ++i) {
    const engine::Operation& row = made.rows()[i];
    EXPECT_EQ(row.key, kOperations[i].key);
    EXPECT_EQ(row.deadline_ms, kOperations[i].deadline_ms);
    if (kOperations[i].value.size() < 100) {
      EXPECT_EQ(row.kind, kOperations[i].kind);
      EXPECT_EQ(row.value, kOperations[i].value);
      continue;
    }
    EXPECT_EQ(row.kind, engine::OperationKind::kPutApart);
    const auto reference = engine::decode_value_reference(row.value);
    ASSERT_TRUE(reference.has_value());
    EXPECT_EQ(payload.substr(reference->position - 1000, reference->bytes), kOperations[i].value);
    EXPECT_EQ(reference->checksum, engine::value_checksum(engine::value_hash(kOperations[i].value),
                                                          reference->position));
  }
}

TEST(RowOperations, LeavesValuesThatNoLogHas) {
  const PlacedCommit commit(false);
  EXPECT_EQ(RowOperations(kOperations, nullptr, 100).rows().data(), kOperations.data());
  EXPECT_EQ(RowOperations(kOperations, &commit, 100).rows().data(), kOperations.data());
  const PlacedCommit placed(true);
  EXPECT_EQ(RowOperations(kOperations, &placed, 301).rows().data(), kOperations.data());
}

}  // namespace
}  // namespace ashlar::lsm
