// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/dpkg_status.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::inspect;

TEST_CASE("Packages have the source that they name, or their own name") {
  const auto entries = read_dpkg_status(
      "Package: libc6\nVersion: 2.41-12+b1\nArchitecture: amd64\nSource: glibc (2.41-12)\nInstalled-Size: "
      "2\n\n"
      "Package: bash\nVersion: 5.2\nArchitecture: amd64\n\n"
      "Package: perl-base\nVersion: 5.40\nArchitecture: amd64\nSource: perl\nInstalled-Size: many\n");
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  const DpkgEntry& libc = entries->at("libc6:amd64");
  CHECK(libc.source == "glibc");
  CHECK(libc.source_version == "2.41-12");
  CHECK(libc.version == "2.41-12+b1");
  CHECK(libc.installed == 2048);
  CHECK(entries->at("bash:amd64").source == "bash");
  CHECK(entries->at("bash:amd64").source_version == "5.2");
  CHECK(entries->at("perl-base:amd64").source == "perl");
  CHECK(entries->at("perl-base:amd64").installed == 0);
}

TEST_CASE("A package database that is damaged is refused") {
  const std::string bash = "Package: bash\nVersion: 5.2\nArchitecture: amd64\n\n";
  CHECK_FALSE(read_dpkg_status(bash + bash));
  CHECK_FALSE(read_dpkg_status("Package: bash\n"));
  CHECK_FALSE(read_dpkg_status("nonsense"));
  const auto none = read_dpkg_status("");
  REQUIRE(none);
  CHECK(none->empty());
}
