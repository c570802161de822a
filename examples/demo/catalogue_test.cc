// What the demo relies on: every record of a catalogue is found, its bytes are the bytes of the
// source, and its key says which package it describes.

#include "catalogue.h"

#include <gtest/gtest.h>

namespace demo {
namespace {

Catalogue parse(std::string text) {
  return parse_catalogue("test", std::move(text));
}

TEST(Catalogue, RecordsKeepTheirBytes) {
  const auto catalogue = parse("Package: a\nVersion: 1\n\nPackage: b\nVersion: 2\n");

  ASSERT_EQ(catalogue.records.size(), 2U);
  EXPECT_EQ(catalogue.text_of(catalogue.records[0]), "Package: a\nVersion: 1\n");
  EXPECT_EQ(catalogue.text_of(catalogue.records[1]), "Package: b\nVersion: 2\n");
}

TEST(Catalogue, KeyNamesPackageVersionAndArchitecture) {
  const auto catalogue = parse("Package: a\nArchitecture: amd64\nVersion: 1:2.0-3\n");

  ASSERT_EQ(catalogue.records.size(), 1U);
  EXPECT_EQ(catalogue.records[0].key, "pkg:a:1:2.0-3:amd64");
}

TEST(Catalogue, AbsentFieldLeavesItsPlaceEmpty) {
  const auto catalogue = parse("Package: a\nArchitecture: all\n\nPackage: b\nVersion: 1\n");

  ASSERT_EQ(catalogue.records.size(), 2U);
  EXPECT_EQ(catalogue.records[0].key, "pkg:a::all");
  EXPECT_EQ(catalogue.records[1].key, "pkg:b:1:");
}

TEST(Catalogue, FieldNamesMayBeInAnyCase) {
  const auto catalogue = parse("PACKAGE:a\nversion:\t1 \narchitecture:  all\n");

  ASSERT_EQ(catalogue.records.size(), 1U);
  EXPECT_EQ(catalogue.records[0].key, "pkg:a:1:all");
}

TEST(Catalogue, ContinuationLinesAreNoFields) {
  const auto catalogue =
      parse("Package: a\nVersion: 1\nDescription: x\n Package: b\n\tVersion: 2\n");

  ASSERT_EQ(catalogue.records.size(), 1U);
  EXPECT_EQ(catalogue.records[0].key, "pkg:a:1:");
}

TEST(Catalogue, LineWithOnlyABlankDoesNotEndTheRecord) {
  const std::string text = "Package: a\nDescription: x\n \n more\nVersion: 1\n";
  const auto catalogue = parse(text);

  ASSERT_EQ(catalogue.records.size(), 1U);
  EXPECT_EQ(catalogue.records[0].key, "pkg:a:1:");
  EXPECT_EQ(catalogue.text_of(catalogue.records[0]), text);
}

TEST(Catalogue, SeveralEmptyLinesSeparateAsOneDoes) {
  const auto catalogue = parse("\n\nPackage: a\n\n\n\nPackage: b\n\n");

  ASSERT_EQ(catalogue.records.size(), 2U);
  EXPECT_EQ(catalogue.text_of(catalogue.records[0]), "Package: a\n");
  EXPECT_EQ(catalogue.text_of(catalogue.records[1]), "Package: b\n");
}

TEST(Catalogue, LastLineNeedsNoNewline) {
  const auto catalogue = parse("Package: a\nVersion: 1");

  ASSERT_EQ(catalogue.records.size(), 1U);
  EXPECT_EQ(catalogue.text_of(catalogue.records[0]), "Package: a\nVersion: 1");
}

TEST(Catalogue, SameKeyTwiceMarksTheEarlierOne) {
  const auto catalogue =
      parse("Package: a\nX: 1\n\nPackage: b\n\nPackage: a\nX: 2\n\nPackage: a\n");

  ASSERT_EQ(catalogue.records.size(), 4U);
  EXPECT_TRUE(catalogue.records[0].is_superseded);
  EXPECT_FALSE(catalogue.records[1].is_superseded);
  EXPECT_TRUE(catalogue.records[2].is_superseded);
  EXPECT_FALSE(catalogue.records[3].is_superseded);
  EXPECT_EQ(catalogue.superseded_count, 2U);
  EXPECT_EQ(catalogue.key_count(), 2U);
}

TEST(Catalogue, RecordWithoutANameIsCountedAndLeftOut) {
  const auto catalogue = parse("Version: 1\n\nPackage:\nVersion: 2\n\nPackage: a\n");

  EXPECT_EQ(catalogue.records.size(), 1U);
  EXPECT_EQ(catalogue.nameless_count, 2U);
}

TEST(Catalogue, EmptyTextHasNoRecords) {
  EXPECT_TRUE(parse("").records.empty());
  EXPECT_TRUE(parse("\n\n").records.empty());
}

TEST(Catalogue, AbsentFileIsAnIoError) {
  const auto catalogue = read_catalogue("no-such-folder/no-such-file");

  ASSERT_FALSE(catalogue.has_value());
  EXPECT_EQ(catalogue.error().code(), ashlar::ErrorCode::kIo);
}

}  // namespace
}  // namespace demo
