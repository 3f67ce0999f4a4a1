// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/records.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::image;

namespace {

const std::string kDigestA(64, 'a');
const std::string kDigestB(64, 'b');
const std::string kDigestC(64, 'c');

BaseRecord base_record() {
  RecordedPackage package{"bash",   "5.2.37-2+b8", "amd64", "debian", "pool/main/b/bash/bash.deb",
                          kDigestB, true,          false,   true};
  return {kDigestA, "0.1.0", "cloud-amd64", "trixie", "amd64", 1'700'000'000, 1, {package}};
}

SlotRecord slot_record() {
  return {kDigestA,
          kDigestB,
          {{kUsrPart, 4096, kDigestA}, {kKernelPart, 1, kDigestA}, {kInitrdPart, 440, kDigestB}},
          {"panic=30", "quiet"},
          kDigestC};
}

DiskRecord disk_record() {
  return {kDigestA,
          {4u << 20, 3u << 20, 2u << 20, 1u << 20},
          {{kEspPart, 3, kDigestA}, {kMbrPart, 440, kDigestB}, {kBiosPart, 5, kDigestA}}};
}

constexpr const char* kDiskRecord = "the record of the disk";

/// `text` with the first `before` replaced.
std::string altered(std::string text, const std::string& before, const std::string& after) {
  const auto at = text.find(before);
  REQUIRE(at != std::string::npos);
  return text.replace(at, before.size(), after);
}

struct Case {
  std::string before;
  std::string after;
  std::string message;  ///< behind the name of the record
};

template <class Record>
void check_refused(const std::string& json, const char* path, Result<Record> (*read)(std::string_view),
                   const std::vector<Case>& cases) {
  for (const auto& [before, after, message] : cases) {
    const auto record = read(altered(json, before, after));
    INFO(message);
    REQUIRE_FALSE(record);
    CHECK(record.error().message == fmt::format("{}: {}", path, message));
    CHECK(record.error().kind == ErrorKind::integrity);
  }
}

}  // namespace

TEST_CASE("What an image says of its base is read as it was written") {
  const std::string json = to_json(base_record());
  CHECK(json == R"({
  "identity": ")" + kDigestA +
                    R"(",
  "mailstead": "0.1.0",
  "profile": "cloud-amd64",
  "suite": "trixie",
  "architecture": "amd64",
  "archive_time": 1700000000,
  "state_format": 1,
  "packages": [
    {
      "name": "bash",
      "version": "5.2.37-2+b8",
      "architecture": "amd64",
      "archive": "debian",
      "path": "pool/main/b/bash/bash.deb",
      "sha256": ")" +
                    kDigestB + R"(",
      "in": [
        "system",
        "boot"
      ]
    }
  ]
}
)");
  const auto record = read_base_record(json);
  REQUIRE(record);
  CHECK(to_json(*record) == json);
  CHECK(record->packages.at(0).boot);
  CHECK_FALSE(record->packages.at(0).initrd);
}

TEST_CASE("What a slot says of itself is read as it was written") {
  const std::string json = to_json(slot_record());
  const auto record = read_slot_record(json);
  REQUIRE(record);
  CHECK(to_json(*record) == json);
  CHECK(record->parts.at(2).name == kInitrdPart);
  CHECK(record->parts.at(2).size == 440);
  CHECK(record->kernel_arguments == std::vector<std::string>{"panic=30", "quiet"});
  CHECK(record->disk_sha256 == kDigestC);
}

TEST_CASE("What a disk says of itself is read as it was written, in front of zeros") {
  const std::string json = to_json(disk_record());
  const std::string room = json + std::string(1000, '\0');
  CHECK(disk_record_text(room) == json);
  const auto record = read_disk_record(room);
  REQUIRE(record);
  CHECK(to_json(*record) == json);
  CHECK(record->layout == disk_record().layout);
  CHECK(record->parts.at(1).name == kMbrPart);
  CHECK_FALSE(read_disk_record(std::string(1000, '\0')));
  CHECK(disk_record_text(std::string(1000, '\0')).empty());
}

TEST_CASE("The parts of a base are those of a slot and those of a disk") {
  std::vector<PublicPart> all = slot_record().parts;
  const std::vector<PublicPart> disk = disk_record().parts;
  all.insert(all.end(), disk.begin(), disk.end());
  REQUIRE(slot_parts(all).size() == 3);
  REQUIRE(disk_parts(all).size() == 3);
  CHECK(slot_parts(all).back().name == kInitrdPart);
  CHECK(disk_parts(all).front().name == kEspPart);
  CHECK(find_part(all, kMbrPart)->size == 440);
  CHECK(find_part(slot_parts(all), kMbrPart) == nullptr);
}

TEST_CASE("What cannot be true of a base is refused, with the field and what is wrong with it") {
  const std::string json = to_json(base_record());
  const std::string long_digest = kDigestA + kDigestA;
  check_refused(
      json, kBaseRecordPath, read_base_record,
      {
          {kDigestA, "abcd", R"(identity is "abcd", not 64 lower-case hexadecimal digits)"},
          {kDigestA, "A" + kDigestA.substr(1),
           R"(identity is "A)" + kDigestA.substr(1) + R"(", not 64 lower-case hexadecimal digits)"},
          {kDigestA, long_digest,
           R"(identity is ")" + long_digest.substr(0, 99) + "…, not 64 lower-case hexadecimal digits"},
          {"0.1.0", "new", R"(mailstead is "new", not a version)"},
          {"cloud-amd64", "../cloud", R"(profile is "../cloud", not the name of a profile)"},
          {"trixie", R"(trixie\u001b[2J)", R"(suite is "trixie\u001b[2J", not the name of a suite)"},
          {R"("amd64")", R"("amd 64")", R"(architecture is "amd 64", not an architecture)"},
          {"1700000000", "-1", "archive_time is -1, not a possible time of an archive (seconds since 1970)"},
          {"1700000000", "253402300800",
           "archive_time is 253402300800, not a possible time of an archive (seconds since 1970)"},
          {"1700000000", "18446744073709551615",
           "archive_time is 18446744073709551615, not a possible time of an archive (seconds since 1970)"},
          {"\"state_format\": 1", "\"state_format\": 0", "state_format is 0, not a number from 1 to 9999"},
          {"\"state_format\": 1", "\"state_format\": 10000",
           "state_format is 10000, not a number from 1 to 9999"},
          {R"("bash")", R"("Bash")", R"(packages[0].name is "Bash", not the name of a package)"},
          {R"("bash")", R"("b")", R"(packages[0].name is "b", not the name of a package)"},
          {R"("bash")", R"("bäsh")", R"(packages[0].name is "b\u00e4sh", not the name of a package)"},
          {"5.2.37-2+b8", "5.2 37", R"(packages[0].version is "5.2 37", not the version of a package)"},
          {"5.2.37-2+b8", "", R"(packages[0].version is "", not the version of a package)"},
          {R"("amd64",
      "archive")",
           R"("",
      "archive")",
           R"(packages[0].architecture is "", not an architecture)"},
          {R"("debian")", R"("ubuntu")",
           R"(packages[0].archive is "ubuntu", not "debian" or "debian-security")"},
          {"pool/main/b/bash/bash.deb", "/pool/bash.deb",
           R"(packages[0].path is "/pool/bash.deb", not the path of a .deb file below pool/)"},
          {"pool/main/b/bash/bash.deb", "pool/../bash.deb",
           R"(packages[0].path is "pool/../bash.deb", not the path of a .deb file below pool/)"},
          {kDigestB, kDigestB.substr(1),
           R"(packages[0].sha256 is ")" + kDigestB.substr(1) + R"(", not 64 lower-case hexadecimal digits)"},
          {R"("boot")", R"("root")",
           R"(packages[0].in is ["system","root"], not some of ["system","initrd","boot"], in this order)"},
          {R"("boot")", R"("system")",
           R"(packages[0].in is ["system","system"], not some of ["system","initrd","boot"], in this order)"},
          {R"("system",)", R"("boot", "system",)",
           R"(packages[0].in is ["boot","system","boot"], not some of ["system","initrd","boot"], in this order)"},
      });
}

TEST_CASE("A base has each package once, in order") {
  BaseRecord record = base_record();
  record.packages.push_back(record.packages[0]);
  const std::string twice = to_json(record);
  record.packages[1].architecture = "i386";
  CHECK(read_base_record(to_json(record)));
  record.packages[1].name = "awk";
  check_refused(to_json(record), kBaseRecordPath, read_base_record,
                {{"", "", R"(packages[1].name is "awk", not behind that of the package before it)"}});
  check_refused(twice, kBaseRecordPath, read_base_record,
                {{"", "", R"(packages[1].name is "bash", not behind that of the package before it)"}});
}

TEST_CASE("What cannot be true of a slot is refused, with the field and what is wrong with it") {
  const std::string json = to_json(slot_record());
  check_refused(
      json, kSlotRecordPath, read_slot_record,
      {
          {R"("base": ")" + kDigestA, R"("base": ")", R"(base is "", not 64 lower-case hexadecimal digits)"},
          {kDigestB, "x", R"(usr_root_hash is "x", not 64 lower-case hexadecimal digits)"},
          {kDigestC, "x", R"(disk is "x", not 64 lower-case hexadecimal digits)"},
          {R"("initrd")", R"("initrd\n")", R"(parts[2].name is "initrd\n", not the name of a part)"},
          {R"("initrd")", R"("usr")", R"(parts[2].name is "usr", not behind that of the part before it)"},
          {R"("initrd")", R"("esp")", R"(parts[2].name is "esp", not the name of a part that belongs here)"},
          {"440", "0", "parts[2].size is 0, not the size of a part"},
          {R"("sha256": ")" + kDigestB, R"("sha256": ")" + kDigestB + "b",
           R"(parts[2].sha256 is ")" + kDigestB + R"(b", not 64 lower-case hexadecimal digits)"},
          {"quiet", "", R"(kernel_arguments[1] is "", not a word for the kernel's command line)"},
          {"quiet", R"(quiet\nhalt)",
           R"(kernel_arguments[1] is "quiet\nhalt", not a word for the kernel's command line)"},
      });
}

TEST_CASE("What cannot be true of a disk is refused, with the field and what is wrong with it") {
  const std::string json = to_json(disk_record());
  check_refused(
      json, kDiskRecord, read_disk_record,
      {
          {R"("base": ")" + kDigestA, R"("base": ")", R"(base is "", not 64 lower-case hexadecimal digits)"},
          {R"("amd64")", R"("amd 64")", R"(architecture is "amd 64", not an architecture)"},
          {R"("amd64")", R"("vax")", R"(architecture is "vax", not an architecture of an appliance)"},
          {R"("grub-efi")", R"("../efi")", R"(boot[1] is "../efi", not a way to start a machine)"},
          {R"("mbr")", R"("usr")", R"(parts[1].name is "usr", not the name of a part that belongs here)"},
          {R"("esp",)", R"("bios",)", R"(parts[1].name is "mbr", not behind that of the part before it)"},
          {"440", "0", "parts[1].size is 0, not the size of a part"},
      });
  CHECK_FALSE(read_disk_record(altered(json, "4194304", "-1")));
}

TEST_CASE("A record without a part that all have is refused; those for the legacy BIOS may both be missing") {
  for (const char* part : {kUsrPart, kKernelPart, kInitrdPart}) {
    SlotRecord record = slot_record();
    std::erase_if(record.parts, [&](const PublicPart& one) { return one.name == part; });
    check_refused(to_json(record), kSlotRecordPath, read_slot_record,
                  {{"", "", "parts lacks \"" + std::string(part) + "\""}});
  }
  DiskRecord record = disk_record();
  record.parts.pop_back();
  check_refused(to_json(record), kDiskRecord, read_disk_record,
                {{"", "", R"(parts has one of "mbr" and "bios", which belong together)"}});
  record.parts.pop_back();
  CHECK(read_disk_record(to_json(record)));
  record.parts.pop_back();
  check_refused(to_json(record), kDiskRecord, read_disk_record, {{"", "", R"(parts lacks "esp")"}});
}

TEST_CASE("A number that is no whole number is refused, however large it is") {
  for (const char* number : {"1e300", "0.5", "-1"})
    CHECK_FALSE(read_slot_record(altered(to_json(slot_record()), "440", number)));
  for (const char* number : {"1e300", "1700000000.5"})
    CHECK_FALSE(read_base_record(altered(to_json(base_record()), "1700000000", number)));
}

TEST_CASE("A record that is none is refused") {
  for (const char* text : {"", "{", "[]", "{\"base\": 1}", "null", "\xff\xfe"}) {
    const auto image = read_slot_record(text);
    REQUIRE_FALSE(image);
    CHECK(image.error().kind == ErrorKind::integrity);
    CHECK(image.error().message.starts_with("etc/mailstead/slot.json is not what Mailstead writes"));
    CHECK_FALSE(read_base_record(text));
  }
  for (const auto& [text, why] : {std::pair(std::string(900'000, '['), "it is nested too deeply"),
                                  std::pair(std::string(1'100'000, ' '), "it is too long")}) {
    const auto image = read_slot_record(text);
    REQUIRE_FALSE(image);
    CHECK(image.error().message ==
          std::string("etc/mailstead/slot.json is not what Mailstead writes: ") + why);
  }
  std::string cut = to_json(base_record());
  cut.resize(cut.size() / 2);
  CHECK_FALSE(read_base_record(cut));
}
