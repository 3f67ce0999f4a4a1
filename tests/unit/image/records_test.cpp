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

BaseRecord base_record() {
  RecordedPackage package{"bash",   "5.2.37-2+b8", "amd64", "debian", "pool/main/b/bash/bash.deb",
                          kDigestB, true,          false,   true};
  return {kDigestA, "0.1.0", "cloud-amd64", "trixie", "amd64", 1'700'000'000, {package}};
}

ImageRecord image_record() {
  return {kDigestA,
          kDigestB,
          {{kUsrPart, 4096, kDigestA},
           {kKernelPart, 1, kDigestA},
           {kInitrdPart, 2, kDigestA},
           {kEspPart, 3, kDigestA},
           {kMbrPart, 440, kDigestB}},
          {"console=ttyS0", "quiet"}};
}

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

TEST_CASE("What an image says of its disk is read as it was written") {
  const std::string json = to_json(image_record());
  const auto record = read_image_record(json);
  REQUIRE(record);
  CHECK(to_json(*record) == json);
  CHECK(record->parts.at(4).name == kMbrPart);
  CHECK(record->parts.at(4).size == 440);
  CHECK(record->kernel_arguments == std::vector<std::string>{"console=ttyS0", "quiet"});
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

TEST_CASE("What cannot be true of a disk is refused, with the field and what is wrong with it") {
  const std::string json = to_json(image_record());
  check_refused(
      json, kImageRecordPath, read_image_record,
      {
          {R"("base": ")" + kDigestA, R"("base": ")", R"(base is "", not 64 lower-case hexadecimal digits)"},
          {kDigestB, "x", R"(usr_root_hash is "x", not 64 lower-case hexadecimal digits)"},
          {R"("mbr")", R"("mbr\n")", R"(parts[4].name is "mbr\n", not the name of a part)"},
          {R"("mbr")", R"("esp")", R"(parts[4].name is "esp", not behind that of the part before it)"},
          {R"("initrd")", R"("usr")", R"(parts[2].name is "usr", not behind that of the part before it)"},
          {R"("esp")", R"("bios")", R"(parts[4].name is "mbr", not behind that of the part before it)"},
          {"440", "0", "parts[4].size is 0, not the size of a part"},
          {R"("sha256": ")" + kDigestB, R"("sha256": ")" + kDigestB + "b",
           R"(parts[4].sha256 is ")" + kDigestB + R"(b", not 64 lower-case hexadecimal digits)"},
          {"quiet", "", R"(kernel_arguments[1] is "", not a word for the kernel's command line)"},
          {"quiet", R"(quiet\nhalt)",
           R"(kernel_arguments[1] is "quiet\nhalt", not a word for the kernel's command line)"},
      });
}

TEST_CASE("An image without a part that all have is refused; those for the legacy BIOS may be missing") {
  for (const char* part : {kUsrPart, kKernelPart, kInitrdPart, kEspPart}) {
    ImageRecord record = image_record();
    std::erase_if(record.parts, [&](const PublicPart& one) { return one.name == part; });
    check_refused(to_json(record), kImageRecordPath, read_image_record,
                  {{"", "", "parts lacks \"" + std::string(part) + "\""}});
  }
  ImageRecord record = image_record();
  record.parts.pop_back();
  CHECK(read_image_record(to_json(record)));
}

TEST_CASE("A number that is no whole number is refused, however large it is") {
  for (const char* number : {"1e300", "0.5", "-1"})
    CHECK_FALSE(read_image_record(altered(to_json(image_record()), "440", number)));
  for (const char* number : {"1e300", "1700000000.5"})
    CHECK_FALSE(read_base_record(altered(to_json(base_record()), "1700000000", number)));
}

TEST_CASE("A record that is none is refused") {
  for (const char* text : {"", "{", "[]", "{\"base\": 1}", "null", "\xff\xfe"}) {
    const auto image = read_image_record(text);
    REQUIRE_FALSE(image);
    CHECK(image.error().kind == ErrorKind::integrity);
    CHECK(image.error().message.starts_with("etc/mailstead/image.json is not what Mailstead writes"));
    CHECK_FALSE(read_base_record(text));
  }
  for (const auto& [text, why] : {std::pair(std::string(900'000, '['), "it is nested too deeply"),
                                  std::pair(std::string(1'100'000, ' '), "it is too long")}) {
    const auto image = read_image_record(text);
    REQUIRE_FALSE(image);
    CHECK(image.error().message ==
          std::string("etc/mailstead/image.json is not what Mailstead writes: ") + why);
  }
  std::string cut = to_json(base_record());
  cut.resize(cut.size() / 2);
  CHECK_FALSE(read_base_record(cut));
}
