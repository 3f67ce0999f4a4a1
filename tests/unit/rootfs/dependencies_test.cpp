// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/dependencies.hpp"

#include "support/catch.hpp"

namespace mailstead::rootfs {
namespace {

/// What is missing among packages, each given by its control file without the version if that is 1.
std::vector<std::string> missing(const std::vector<std::string>& stanzas) {
  std::vector<ControlData> packages;
  for (std::string stanza : stanzas) {
    if (stanza.find("Version:") == std::string::npos) stanza += "\nVersion: 1";
    if (stanza.find("Architecture:") == std::string::npos) stanza += "\nArchitecture: amd64";
    auto control = parse_control("Package: " + stanza + "\n");
    REQUIRE(control);
    packages.push_back(*std::move(control));
  }
  std::vector<const ControlData*> all;
  for (const ControlData& package : packages) all.push_back(&package);
  return missing_dependencies(all);
}
using Lines = std::vector<std::string>;

TEST_CASE("a dependency that is not there is named, with the package that needs it") {
  CHECK(missing({"mailer\nDepends: libextra (>= 2), data", "libextra\nVersion: 2", "data\nArchitecture: all"})
            .empty());
  CHECK(missing({"mailer\nDepends: libextra (>= 2), data", "data"}) ==
        Lines{"mailer 1 needs libextra (>= 2)"});
  CHECK(missing({"mailer\nDepends: libextra (>= 2),\n data:any"}) ==
        Lines{"mailer 1 needs libextra (>= 2)", "mailer 1 needs data:any"});
  CHECK(missing({"mailer\nPre-Depends: early\nDepends: late"}) ==
        Lines{"mailer 1 needs early", "mailer 1 needs late"});
  CHECK(missing({"mailer\nRecommends: more\nSuggests: much\nConflicts: other\nBreaks: older"}).empty());
  CHECK(missing({"mailer\nDepends: , ,", "plain\nDepends:"}).empty());
}

TEST_CASE("versions are compared as Debian does") {
  const auto with = [](const std::string& constraint, const std::string& version) {
    return missing({"a\nDepends: b (" + constraint + ")", "b\nVersion: " + version}).empty();
  };
  CHECK(with(">= 1:2.0~rc1", "1:2.0"));
  CHECK(!with(">= 1:2.0", "1:2.0~rc1"));
  CHECK(!with(">= 1:2.0", "3.0"));
  CHECK(with("= 2.0-1+b1", "2.0-1+b1"));
  CHECK(!with("= 2.0-1", "2.0-1+b1"));
  CHECK(with("<< 3", "3~~"));
  CHECK(!with("<< 3", "3"));
  CHECK(with("<= 3", "3"));
  CHECK(!with(">> 3", "3"));
  CHECK(with(">>3", "3.1"));
  CHECK(with("< 3", "3"));
  CHECK(!with("~ 3", "3"));
}

TEST_CASE("one of the alternatives is enough") {
  CHECK(missing({"a\nDepends: b (>= 2) | c | d:any", "b", "c"}).empty());
  CHECK(missing({"a\nDepends: b (>= 2) | c|d:any", "b"}) == Lines{"a 1 needs b (>= 2) or c or d:any"});
}

TEST_CASE("what is provided counts, with a version only if one is provided") {
  CHECK(missing({"a\nDepends: mta", "b\nProvides: x, mta"}).empty());
  CHECK(missing({"a\nDepends: mta (>= 1)", "b\nProvides: mta"}) == Lines{"a 1 needs mta (>= 1)"});
  CHECK(missing({"a\nDepends: mta (>= 1)", "b\nProvides: mta (= 1.5)"}).empty());
  CHECK(missing({"a\nDepends: mta (>= 2)", "b\nProvides: mta (= 1.5)"}) == Lines{"a 1 needs mta (>= 2)"});
  CHECK(missing({"a\nDepends: mta (>= 2)", "b\nProvides: mta (= 1.5)", "c\nProvides: mta (= 2)"}).empty());
  CHECK(missing({"a\nDepends: x (= 3)", "b\nProvides:\n y (= 2),\n x (= 3)"}).empty());
}

TEST_CASE("qualifiers want an architecture, or a package that serves any") {
  CHECK(missing({"a\nDepends: perl:any", "perl\nMulti-Arch: allowed"}).empty());
  CHECK(missing({"a\nDepends: perl:any", "perl\nMulti-Arch: foreign"}) == Lines{"a 1 needs perl:any"});
  CHECK(missing({"a\nDepends: perl:any (>= 2)", "perl\nMulti-Arch: allowed"}) ==
        Lines{"a 1 needs perl:any (>= 2)"});
  CHECK(missing({"a\nDepends: libc6:amd64", "libc6"}).empty());
  CHECK(missing({"a\nDepends: libc6:i386", "libc6"}) == Lines{"a 1 needs libc6:i386"});
}

TEST_CASE("the size that a package says its files have") {
  const auto size_of = [](const std::string& field) {
    return installed_size(parse_control("Package: a\nVersion: 1\nArchitecture: all\n" + field).value());
  };
  CHECK(size_of("Installed-Size: 12\n") == 12 * 1024);
  CHECK(size_of("") == 0);
  CHECK(size_of("Installed-Size: many\n") == 0);
  CHECK(size_of("Installed-Size: 18446744073709551615\n") == std::uint64_t{8} << 30);
}

}  // namespace
}  // namespace mailstead::rootfs
