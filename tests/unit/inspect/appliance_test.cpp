// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/appliance.hpp"

#include <map>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::inspect;

namespace {

image::RecordedPackage recorded(const char* name, const char* version, const char* architecture = "amd64") {
  image::RecordedPackage package;
  package.name = name;
  package.version = version;
  package.architecture = architecture;
  return package;
}

DpkgEntry entry(const char* version) {
  DpkgEntry entry;
  entry.version = version;
  return entry;
}

}  // namespace

TEST_CASE("Packages of the record have what the package database says of them") {
  const auto packages = match_packages({recorded("tzdata", "2025b-4", "all"), recorded("bash", "5.2")},
                                       {{"bash:amd64", entry("5.2")}, {"tzdata:all", entry("2025b-4")}});
  REQUIRE(packages);
  REQUIRE(packages->size() == 2);
  CHECK(packages->at(0).record.name == "tzdata");
  CHECK(packages->at(0).dpkg.version == "2025b-4");
  CHECK(packages->at(1).dpkg.version == "5.2");
  CHECK(match_packages({}, {}).value().empty());
}

TEST_CASE("Record and package database have the same packages, or the image is refused") {
  struct Case {
    std::vector<image::RecordedPackage> packages;
    std::map<std::string, DpkgEntry> entries;
    std::string message;
  };
  const std::string lacks =
      "the image records bash 5.2, and its package database has another version or none";
  const std::vector<Case> cases = {
      {{recorded("bash", "5.2")}, {}, lacks},
      {{recorded("bash", "5.2")}, {{"bash:amd64", entry("5.3")}}, lacks},
      {{recorded("bash", "5.2")}, {{"bash:arm64", entry("5.2")}}, lacks},
      {{recorded("bash", "5.2")},
       {{"bash:amd64", entry("5.2")}, {"sudo:amd64", entry("1.9")}, {"tcpdump:amd64", entry("4.99")}},
       "the image's package database has sudo:amd64, and its record does not"},
      {{},
       {{"sudo:amd64", entry("1.9")}},
       "the image's package database has sudo:amd64, and its record does not"},
  };
  for (const auto& [packages, entries, message] : cases) {
    const auto matched = match_packages(packages, entries);
    REQUIRE_FALSE(matched);
    CHECK(matched.error().kind == ErrorKind::integrity);
    CHECK(matched.error().message == message);
  }
}
