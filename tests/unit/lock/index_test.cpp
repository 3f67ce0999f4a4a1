// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/index.hpp"

#include "base/files.hpp"
#include "support/catch.hpp"

namespace mailstead::lock {
namespace {

TEST_CASE("dates of Release files") {
  CHECK(*parse_release_date("Sat, 21 Nov 2026 09:15:44 UTC") == 1795252544);
  CHECK(*parse_release_date("Thu, 01 Jan 2026 00:00:00 +0000") == 1767225600);
  CHECK(*parse_release_date("Thu,  1 Jan 2026  0:00:00 UTC") == 1767225600);
  for (const std::string text :
       {"", "yesterday", "Sat, 31 Feb 2026 09:15:44 UTC", "Sat, 21 Nov 2026 24:15:44 UTC",
        "Sat, 21 Nov 2026 09:15:44 CET", "Sat, 21 Nov 2026 09:15 UTC", "Sat, 21 Nov 26 09:15:44 UTC",
        "Sat, -1 Nov 2026 09:15:44 UTC", "Sat 21 Nov 2026 09:15:44 UTC", "Sat, 21 Nov 2026 09-15-44 UTC"}) {
    INFO(text);
    const auto time = parse_release_date(text);
    REQUIRE(!time);
    CHECK(time.error().kind == ErrorKind::integrity);
  }
}

TEST_CASE("only the signed part of an InRelease counts") {
  const auto release = parse_release(
      "-----BEGIN PGP SIGNED MESSAGE-----\nCodename: forged\nDate: Sat, 21 Nov 2020 09:15:44 UTC\n\n"
      "Suite: stable\nCodename: trixie\nDate: Sat, 21 Nov 2026 09:15:44 UTC\nSHA256:\n abc 1 main/x\n"
      "-----BEGIN PGP SIGNATURE-----\nCodename: forged\n",
      "InRelease");
  REQUIRE(release);
  CHECK(release->codename == "trixie");
  CHECK(release->suite == "stable");
  CHECK(release->date == 1795252544);
}

TEST_CASE("stanzas of an index are found by name, version and architecture") {
  const auto directory = TemporaryDirectory::create();
  REQUIRE(directory);
  const auto file = directory->path() / "Packages";
  const std::string digest(64, 'c');
  REQUIRE(write_file(
      file,
      "Package: a\nVersion: 1\nArchitecture: amd64\nDescription: x\n Size: 9\nFilename: pool/a.deb\n"
      "Size: 5\nSHA256: " +
          digest +
          "\n\nPackage: a\nVersion: 2\nArchitecture: amd64\nFilename: pool/b.deb\n"
          "Size: x\nSHA256: " +
          digest +
          "\n\n\nPackage: last\nVersion: 3\nArchitecture: all\n"
          "Filename: pool/c.deb\nSize: 7\nSHA256: " +
          digest));
  std::map<Identity, Package> wanted;
  wanted[{"a", "1", "amd64"}];
  wanted[{"last", "3", "all"}];
  wanted[{"last", "3", "amd64"}];
  REQUIRE(fill_from_index(file, "debian", wanted));
  const auto& first = wanted[{"a", "1", "amd64"}];
  CHECK(first.pool_path == "pool/a.deb");
  CHECK(first.size == 5);
  CHECK(first.sha256 == digest);
  CHECK(first.archive == "debian");
  CHECK(wanted[{"last", "3", "all"}].size == 7);
  CHECK(wanted[{"last", "3", "amd64"}].sha256.empty());

  SECTION("the first index that has a package wins") {
    REQUIRE(fill_from_index(file, "debian-security", wanted));
    CHECK(wanted[{"a", "1", "amd64"}].archive == "debian");
  }
  SECTION("a size that is none is an error") {
    wanted[{"a", "2", "amd64"}];
    const auto status = fill_from_index(file, "debian", wanted);
    REQUIRE(!status);
    CHECK(status.error().kind == ErrorKind::integrity);
  }
}

}  // namespace
}  // namespace mailstead::lock
