// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/partitions.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include "base/files.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"

using namespace mailstead;
using namespace mailstead::image;

namespace {

Layout layout() {
  return {64 * kMebibyte, 128 * kMebibyte, 512 * kMebibyte, 16 * kMebibyte};
}

constexpr const char* kScript = R"(label: gpt
label-id: 06db6c30-99c7-8a89-8c71-0cb1d2b4b995
unit: sectors
sector-size: 512
first-lba: 34

1 : start=2048, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=753234ae-c440-8b65-bb75-b3127d922940, name="mailstead-esp"
2 : start=133120, size=2048, type=21686148-6449-6E6F-744E-656564454649, uuid=0e4164eb-03f6-8fb7-9f81-8176b49256b0, name="mailstead-bios"
3 : start=135168, size=262144, type=BC13C2FF-59E6-4262-A352-B275FD6F7172, uuid=c710e0dc-b6ff-8983-8f23-1998284521e8, name="mailstead-boot-a", attrs="GUID:63"
4 : start=397312, size=262144, type=BC13C2FF-59E6-4262-A352-B275FD6F7172, uuid=65fdfeba-fdbf-87ba-b3f3-84a7ac4e694d, name="mailstead-boot-b", attrs="GUID:63"
5 : start=659456, size=1048576, type=8484680C-9521-48C6-9C11-B0720656F69E, uuid=425d7a45-2620-8747-8b5f-361aeb7fb51e, name="mailstead-usr-a", attrs="GUID:60,63"
6 : start=1708032, size=1048576, type=8484680C-9521-48C6-9C11-B0720656F69E, uuid=002d6890-d5c5-88ff-bdd1-8ba2ae8ddcc2, name="mailstead-usr-b", attrs="GUID:60,63"
7 : start=2756608, size=32768, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=3b932914-797e-8e36-afab-73f56767d277, name="mailstead-root-a", attrs="GUID:60,63"
8 : start=2789376, size=32768, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=f1a75f7e-1a11-8dd7-b1c9-18eec79c24a9, name="mailstead-root-b", attrs="GUID:60,63"
)";

}  // namespace

TEST_CASE("The partition table of a layout is known to the byte") {
  const auto partitions = place_partitions(layout(), "scope");
  REQUIRE(partitions);
  CHECK(sfdisk_script(*partitions, "scope") == kScript);
  CHECK(disk_size(*partitions) == 1379 * kMebibyte);
}

TEST_CASE("Partitions lie one behind the other without a gap, numbered as GRUB and the slots expect") {
  const auto partitions = place_partitions(layout(), "scope");
  REQUIRE(partitions);
  REQUIRE(partitions->size() == 8);
  std::uint64_t next = kMebibyte;
  std::set<std::string> uuids;
  for (std::size_t i = 0; i < partitions->size(); ++i) {
    const Partition& partition = (*partitions)[i];
    INFO(partition.label);
    CHECK(partition.number == static_cast<int>(i) + 1);
    CHECK(partition.start == next);
    CHECK(partition.uuid == partition_uuid("scope", partition.label));
    uuids.insert(partition.uuid);
    next += partition.size;
  }
  CHECK(uuids.size() == 8);
  CHECK((*partitions)[kBootNumberB - 1].label == kBootLabels[1]);
  CHECK((*partitions)[kUsrNumberA - 1].label == kUsrLabels[0]);
  CHECK((*partitions)[kRootNumberB - 1].label == kRootLabels[1]);
}

TEST_CASE("A machine without legacy BIOS has no partition for it, and its own types") {
  Layout arm = layout();
  arm.machine = {platform::Architecture::arm64, {platform::BootMethod::grub_efi}};
  const auto partitions = place_partitions(arm, "scope");
  REQUIRE(partitions);
  REQUIRE(partitions->size() == 7);
  CHECK((*partitions)[1].number == kBootNumberA);
  CHECK((*partitions)[1].start == (*partitions)[0].start + (*partitions)[0].size);
  CHECK(partition_of(*partitions, kUsrNumberB).type == "B0E01050-EE5F-4390-949A-9101B17104E9");
  CHECK(partition_of(*partitions, kRootNumberA).type == "B921B045-1DF0-41C3-AF44-4C6F280D3FAE");
  // What identifies them is the site's on every machine.
  CHECK(partition_of(*partitions, kUsrNumberA).uuid == partition_uuid("scope", kUsrLabels[0]));
}

TEST_CASE("A partition's GUID depends on the disk's scope and the label, and is an RFC 9562 version 8") {
  CHECK(partition_uuid("scope", kUsrLabels[0]) == "425d7a45-2620-8747-8b5f-361aeb7fb51e");
  CHECK(partition_uuid("other", kUsrLabels[0]) != partition_uuid("scope", kUsrLabels[0]));
  CHECK(partition_uuid("scope", kUsrLabels[1]) != partition_uuid("scope", kUsrLabels[0]));
}

TEST_CASE("A size that is 0 or no multiple of 1 MiB is refused, and its partition named") {
  const auto refusal = [](const Layout& wrong) {
    const auto partitions = place_partitions(wrong, "scope");
    REQUIRE_FALSE(partitions);
    CHECK(partitions.error().kind == ErrorKind::usage);
    CHECK(partitions.error().hint == "sizes in the profile are multiples of 1 MiB, and not 0");
    return partitions.error().message;
  };
  Layout wrong = layout();
  wrong.esp_size = 0;
  CHECK(refusal(wrong) == "the partition mailstead-esp has a size of 0 bytes");
  wrong = layout();
  wrong.boot_size += 1;
  CHECK(refusal(wrong) == "the partition mailstead-boot-a has a size of 134217729 bytes");
  wrong = layout();
  wrong.usr_size = kSectorSize;
  CHECK(refusal(wrong) == "the partition mailstead-usr-a has a size of 512 bytes");
  wrong = layout();
  wrong.root_size = kMebibyte - 1;
  CHECK(refusal(wrong) == "the partition mailstead-root-a has a size of 1048575 bytes");
}

TEST_CASE("An image ends before the data of its site begin, or is refused") {
  Layout large = layout();
  const std::uint64_t room = kDataStart - disk_size(*place_partitions(large, "scope"));
  large.esp_size += room;
  const auto partitions = place_partitions(large, "scope");
  REQUIRE(partitions);
  CHECK(disk_size(*partitions) == kDataStart);
  large.esp_size += kMebibyte;
  const auto refused = place_partitions(large, "scope");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::usage);
  CHECK(refused.error().message ==
        "an image of 2049 MiB reaches into the data of its site, which begin at 2048 MiB");
}

TEST_CASE("The initrd looks for the data where the images end") {
  const auto script = read_file(std::filesystem::path(MAILSTEAD_SOURCE_DIR) /
                                "rootfs-overlays/initrd/usr/lib/mailstead/find-data.lua");
  REQUIRE(script);
  CHECK(script->find("local kDataStart <const> = 2 << 30\n") != std::string::npos);
  CHECK(kDataStart == 2ull << 30);
}

TEST_CASE("The ids of a disk are those of the site, whatever the base") {
  CHECK(disk_uuid("mail.example.org") == disk_uuid("mail.example.org"));
  CHECK(disk_uuid("mail.example.org") != disk_uuid("mail.example.net"));
}

TEST_CASE("sfdisk makes exactly this table and finds no fault with it") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const std::string disk = (folder.path() / "disk").string();
  std::ofstream(disk).close();
  const auto partitions = place_partitions(layout(), "scope");
  REQUIRE(partitions);
  std::filesystem::resize_file(disk, disk_size(*partitions));
  test::output_of({"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", disk},
                  sfdisk_script(*partitions, "scope"));
  CHECK(test::output_of({"sfdisk", "--verify", "--lock=no", disk}).find("No errors detected") !=
        std::string::npos);
  const std::string types =
      test::output_of({"sfdisk", "--list", "--output", "Start,Sectors,Name,Attrs", disk});
  std::size_t rows = 0;
  for (const Partition& partition : *partitions) {
    INFO(types << partition.label);
    const auto name = types.find(" " + partition.label);
    REQUIRE(name != std::string::npos);
    const auto line = types.rfind('\n', name) + 1;
    const std::string row = types.substr(line, types.find('\n', name) - line);
    CHECK(row.find(std::to_string(partition.start / kSectorSize) + " ") != std::string::npos);
    CHECK(row.find(" " + std::to_string(partition.size / kSectorSize) + " ") != std::string::npos);
    CHECK(row.find(partition.attributes) != std::string::npos);
    ++rows;
  }
  CHECK(rows == 8);
}
