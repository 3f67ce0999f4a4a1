// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/records.hpp"

#include <string>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::image;

namespace {

BaseRecord base_record() {
  RecordedPackage package{"bash", "5.2.37-2+b8", "amd64", "debian", "pool/main/b/bash/bash.deb",
                          "abcd", true,          false,   true};
  return {"0123", "0.1.0", "cloud-amd64", "trixie", "amd64", 1'700'000'000, {package}};
}

ImageRecord image_record() {
  return {"0123", "4567", {{kUsrPart, 4096, "89ab"}, {kMbrPart, 440, "cdef"}}, {"console=ttyS0", "quiet"}};
}

}  // namespace

TEST_CASE("What an image says of its base is read as it was written") {
  const std::string json = to_json(base_record());
  CHECK(json == R"({
  "identity": "0123",
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
      "sha256": "abcd",
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
  CHECK(record->parts.at(1).name == kMbrPart);
  CHECK(record->parts.at(1).size == 440);
  CHECK(record->kernel_arguments == std::vector<std::string>{"console=ttyS0", "quiet"});
}

TEST_CASE("A size that is no whole number is refused, however large it is") {
  for (const char* size : {"1e300", "0.5", "-1"})
    CHECK_FALSE(read_image_record(R"({"base":"a","usr_root_hash":"b","kernel_arguments":[],"parts":[)"
                                  R"({"name":"usr","sha256":"c","size":)" +
                                  std::string(size) + "}]}"));
}

TEST_CASE("A record that is none is refused") {
  for (const char* text : {"", "{", "[]", "{\"base\": 1}", "null", "\xff\xfe"}) {
    const auto image = read_image_record(text);
    REQUIRE_FALSE(image);
    CHECK(image.error().kind == ErrorKind::integrity);
    CHECK(image.error().message.starts_with("etc/mailstead/image.json is not what Mailstead writes"));
    CHECK_FALSE(read_base_record(text));
  }
  std::string cut = to_json(base_record());
  cut.resize(cut.size() / 2);
  CHECK_FALSE(read_base_record(cut));
}
