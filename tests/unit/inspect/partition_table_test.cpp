// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/partition_table.hpp"

#include <fmt/format.h>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::inspect;

namespace {

std::string table(std::string_view partitions, std::string_view label = "gpt") {
  return fmt::format(
      R"({{"partitiontable": {{"label": "{}", "device": "/x/2.img9", "sectorsize": 512, "partitions": [{}]}}}})",
      label, partitions);
}

constexpr const char* kFirst =
    R"({"node": "/x/2.img9p12", "start": 8, "size": 8, "type": "T", "uuid": "AB-C", "name": "first"})";
constexpr const char* kSecond = R"({"node": "/x/2.img9p3", "start": 2, "size": 6, "type": "T"})";

}  // namespace

TEST_CASE("The table that sfdisk prints is read in the order of places") {
  const auto partitions = parse_partition_table(table(fmt::format("{},{}", kFirst, kSecond)), 16 * 512);
  REQUIRE(partitions);
  REQUIRE(partitions->size() == 2);
  CHECK((*partitions)[0].number == 3);
  CHECK((*partitions)[0].label.empty());
  CHECK((*partitions)[1].number == 12);
  CHECK((*partitions)[1].label == "first");
  CHECK((*partitions)[1].uuid == "ab-c");
  CHECK((*partitions)[1].start == 8 * 512);
  CHECK((*partitions)[1].size == 8 * 512);
}

TEST_CASE("Tables that are no use are refused") {
  const auto refusal = [](const std::string& json, std::uint64_t size) {
    const auto partitions = parse_partition_table(json, size);
    REQUIRE_FALSE(partitions);
    CHECK(partitions.error().kind == ErrorKind::integrity);
    return partitions.error().message;
  };
  CHECK(refusal(table(kFirst), 16 * 512 - 1) == "partition 12 ends behind the end of the disk");
  CHECK(refusal(table(kFirst, "dos"), 8192) == "the disk has no GUID partition table");
  CHECK(refusal("{", 8192).starts_with("sfdisk prints another format"));
  CHECK(refusal(table(fmt::format("{},{}", kFirst, kFirst)), 8192) == "partition 12 overlaps another one");
  // 2^55 sectors of 512 bytes are 0 bytes modulo 2^64.
  CHECK(refusal(table(R"({"node": "/x/2.img9p1", "start": 36028797018963968, "size": 4, "type": "T"})"),
                8192) == "partition 1 ends behind the end of the disk");
  CHECK(refusal(table(R"({"node": "/x/2.img9p1", "start": 2, "size": 36028797018963970, "type": "T"})"),
                8192) == "partition 1 ends behind the end of the disk");
}
