// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/compose.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/interrupt.hpp"
#include "support/catch.hpp"
#include "support/deb_builder.hpp"

using namespace mailstead;
using namespace mailstead::rootfs;
using test::Deb;
using test::directory;
using test::file;
using test::symbolic_link;

namespace {

struct Fixture {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  std::unique_ptr<Reporter> reporter = make_quiet_reporter();
  UnpackInput unpack;
  ComposeInput input;

  Fixture() {
    unpack.spool_folder = folder.path();
    input.clock = 1'600'000'000;
  }
  void add(const Deb& deb) {
    const auto path = test::write_bytes(folder.path(), deb.name + ".deb", test::make_deb(deb));
    unpack.packages.push_back({deb.name, deb.version, deb.architecture, path});
  }
  Result<Composed> compose() {
    TRY(const auto debs, unpack_packages(unpack, *reporter));
    input.packages.clear();
    for (const UnpackedDeb& deb : debs) input.packages.push_back(&deb);
    return rootfs::compose(input);
  }
  std::string message() {
    const auto result = compose();
    return result ? "composed" : result.error().message;
  }
};

Deb package(std::string name, std::vector<test::TarEntry> entries, std::string more_fields = {}) {
  Deb deb;
  deb.name = std::move(name);
  deb.more_fields = std::move(more_fields);
  deb.entries = std::move(entries);
  return deb;
}

std::string text_of(const FileTree& tree, std::string_view path) {
  const Inode* inode = tree.find(path);
  return inode == nullptr ? "(missing)" : inode->content.read().value();
}

}  // namespace

TEST_CASE("Packages become one tree with merged usr, whatever their order") {
  Fixture fixture;
  fixture.add(package("aaa", {directory("./"), directory("./bin/"), file("./bin/sh", "dash", 0755),
                              file("./lib64/ld.so", "ld")}));
  fixture.add(package(
      "base-files", {symbolic_link("./bin", "usr/bin"), directory("./usr/bin"), directory("./tmp", 01777)}));
  fixture.add(package("zzz", {directory("./tmp", 0755), file("./usr/bin/zzz", "z")}));
  const auto composed = fixture.compose();
  REQUIRE(composed);
  // sha256sum of "dash", "z", "ld"
  CHECK(dump(composed->tree).value() ==
        "/bin symlink usr/bin\n"
        "/lib64 symlink usr/lib64\n"
        "/tmp dir 1777 0:0\n"
        "/usr dir 0755 0:0\n"
        "/usr/bin dir 0755 0:0\n"
        "/usr/bin/sh file 0755 0:0 af9d2c92\n"
        "/usr/bin/zzz file 0644 0:0 594e519a\n"
        "/usr/lib64 dir 0755 0:0\n"
        "/usr/lib64/ld.so file 0644 0:0 e5a08ffd\n");
  CHECK(composed->tree.find("usr/bin/sh")->mtime == fixture.input.clock);
  CHECK(composed->tree.find("usr/bin/sh")->origin == "aaa");
  REQUIRE(composed->packages.size() == 3);
  CHECK(composed->packages[0].control.name == "aaa");
  CHECK(composed->packages[0].paths == std::vector<std::string>{"bin", "usr/bin/sh", "usr/lib64/ld.so"});
}

TEST_CASE("The number of threads does not matter") {
  Fixture fixture;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "p" + std::to_string(i);
    fixture.add(package(name, {directory("./shared", i % 2 == 0 ? 0755 : 0700),
                               file("./opt/" + name, std::string(static_cast<std::size_t>(i) * 1000, 'x'))}));
  }
  fixture.unpack.threads = 1;
  const auto one = fixture.compose();
  fixture.unpack.threads = 8;
  const auto many = fixture.compose();
  REQUIRE(one);
  REQUIRE(many);
  CHECK(dump(one->tree).value() == dump(many->tree).value());
  CHECK(many->tree.find("shared")->mode == 0755);
}

TEST_CASE("Unpacking stops when the user asks to") {
  Fixture fixture;
  fixture.add(package("one", {file("./usr/x", "x")}));
  fixture.add(package("two", {file("./usr/y", "y")}));
  // In a process of its own, as the wish to stop is never taken back.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    catch_interrupts();
    ::raise(SIGINT);
    const auto debs = unpack_packages(fixture.unpack, *fixture.reporter);
    const bool right = !debs && debs.error().kind == ErrorKind::interrupted && debs.error().others.empty();
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("A package that is not what the lock says is refused, and all of them are named") {
  Fixture fixture;
  fixture.add(package("one", {}));
  fixture.add(package("two", {}));
  fixture.unpack.packages[0].version = "9";
  fixture.unpack.packages[1].architecture = "arm64";
  const auto composed = fixture.compose();
  REQUIRE_FALSE(composed);
  const std::string text = format_error(composed.error());
  CHECK(text.find("one.deb holds one 1.0-1 (amd64), but the lock says one 9 (amd64)") != std::string::npos);
  CHECK(text.find("two.deb holds two 1.0-1 (amd64), but the lock says two 1.0-1 (arm64)") !=
        std::string::npos);
}

TEST_CASE("Two packages with one path conflict unless the files are the same") {
  Fixture fixture;
  fixture.add(package("one", {file("./etc/x", "1"), file("./etc/same", "s")}));
  fixture.add(package("two", {file("./etc/x", "2"), file("./etc/same", "s")}));
  CHECK(fixture.message() == "packages one 1.0-1 and two 1.0-1 both bring 'etc/x', with different contents");
  Fixture link;
  link.add(package("one", {symbolic_link("./etc/x", "a")}));
  link.add(package("two", {symbolic_link("./etc/x", "b")}));
  CHECK(link.message() == "packages one 1.0-1 and two 1.0-1 both bring 'etc/x', with different contents");
  Fixture modes;
  modes.add(package("one", {file("./etc/x", "1", 0644)}));
  modes.add(package("two", {file("./etc/x", "1", 0600)}));
  CHECK(modes.message() != "composed");
  Fixture merged;
  merged.add(package("one", {file("./bin/x", "1")}));
  merged.add(package("two", {file("./usr/bin/x", "2")}));
  CHECK(merged.message() ==
        "packages one 1.0-1 and two 1.0-1 both bring 'usr/bin/x', with different contents");
}

TEST_CASE("A file over another package's directory is an error") {
  Fixture fixture;
  fixture.add(package("one", {directory("./opt/x")}));
  fixture.add(package("two", {file("./opt/x", "2")}));
  CHECK(fixture.message() == "file 'opt/x' of two meets a directory of the same name of one");
}

TEST_CASE("Replaces lets the replacing package win in both orders") {
  for (const bool replacing_first : {true, false}) {
    Fixture fixture;
    const auto replacing = package("new", {file("./etc/x", "new")}, "Replaces: other, old (<< 2)\n");
    const auto old = package("old", {file("./etc/x", "old")});
    fixture.add(replacing_first ? replacing : old);
    fixture.add(replacing_first ? old : replacing);
    const auto composed = fixture.compose();
    REQUIRE(composed);
    CHECK(text_of(composed->tree, "etc/x") == "new");
  }
  Fixture newer;
  newer.add(package("new", {file("./etc/x", "new")}, "Replaces: old (<< 0.5)\n"));
  newer.add(package("old", {file("./etc/x", "old")}));
  CHECK(newer.message() != "composed");
}

TEST_CASE("Diversions move the files of all packages but the diverting one") {
  Fixture fixture;
  fixture.add(package("diverting", {file("./bin/tool", "better")}));
  fixture.add(package("tool", {file("./usr/bin/tool", "plain"), file("./etc/local", "x")}));
  fixture.input.diversions = {{"usr/bin/tool", {.to = "usr/bin/tool.distrib", .package = "diverting"}},
                              {"etc/local", {.to = "etc/local.away", .package = ""}}};
  const auto composed = fixture.compose();
  REQUIRE(composed);
  CHECK(text_of(composed->tree, "usr/bin/tool") == "better");
  CHECK(text_of(composed->tree, "usr/bin/tool.distrib") == "plain");
  CHECK(text_of(composed->tree, "etc/local.away") == "x");
  CHECK(composed->tree.find("etc/local") == nullptr);
}

TEST_CASE("Globs leave files out, licences stay") {
  Fixture fixture;
  fixture.add(
      package("one", {directory("./usr/share/doc"), directory("./usr/share/doc/one"),
                      file("./usr/share/doc/one/README", "r"), file("./usr/share/doc/one/copyright", "c"),
                      file("./usr/share/man/man1/one.1", "m"),
                      test::hard_link("./usr/bin/readme", "./usr/share/doc/one/README")}));
  fixture.input.exclude = {"usr/share/doc/*", "usr/share/man/*"};
  fixture.input.keep = {"usr/share/doc/*/copyright"};
  const auto composed = fixture.compose();
  REQUIRE(composed);
  CHECK(composed->packages[0].paths ==
        std::vector<std::string>{"usr/bin/readme", "usr/share/doc", "usr/share/doc/one/copyright"});
  CHECK(composed->unmatched.empty());
  CHECK(text_of(composed->tree, "usr/bin/readme") == "r");
  CHECK(composed->tree.find("usr/share/doc/one/README") == nullptr);
}

TEST_CASE("Globs that match nothing are told") {
  Fixture fixture;
  fixture.add(package("one", {file("./usr/bin/perl5.42", "p"), file("./usr/share/doc/one/copyright", "c")}));
  fixture.input.exclude = {"usr/share/doc/*", "usr/bin/perl5.40", "usr/*/one/*"};
  fixture.input.keep = {"usr/share/doc/*/copyright", "usr/share/doc/*/NOTICE", "usr/bin/*"};
  const auto composed = fixture.compose();
  REQUIRE(composed);
  CHECK(composed->unmatched ==
        std::vector<std::string>{"usr/bin/perl5.40", "usr/share/doc/*/NOTICE", "usr/bin/*"});
}

TEST_CASE("A path through another package's symlink out of the tree is refused") {
  Fixture fixture;
  fixture.add(package("one", {symbolic_link("./opt/y", "../../../tmp")}));
  fixture.add(package("two", {file("./opt/y/x", "2")}));
  const auto composed = fixture.compose();
  REQUIRE_FALSE(composed);
  CHECK(composed.error().message == "path 'opt/y/x' leads out of the tree through a symlink");
  CHECK(composed.error().notes.back() == "laying package two");
}

TEST_CASE("Symlinks in the root directory other than those of the usr-merge are refused, all of them") {
  Fixture fixture;
  fixture.add(package("one", {symbolic_link("./var", "/tmp/victim"), symbolic_link("./lib", "usr/lib64")}));
  fixture.add(package("two", {symbolic_link("./bin", "usr/bin"), symbolic_link("./opt", "usr/opt")}));
  const auto composed = fixture.compose();
  REQUIRE_FALSE(composed);
  const std::string text = format_error(composed.error());
  INFO(text);
  CHECK(text.find("package one 1.0-1 makes '/var' a symlink to '/tmp/victim'") != std::string::npos);
  CHECK(text.find("package one 1.0-1 makes '/lib' a symlink to 'usr/lib64'") != std::string::npos);
  CHECK(text.find("package two 1.0-1 makes '/opt' a symlink to 'usr/opt'") != std::string::npos);
  CHECK(text.find("/bin'") == std::string::npos);
}

TEST_CASE("The package database lists what is in the tree") {
  Fixture fixture;
  Deb shared = package(
      "libx", {directory("./usr"), file("./usr/lib/libx.so", "so"), file("./usr/share/doc/libx/NEWS", "n")},
      "Multi-Arch: same\n");
  shared.control_files = {{"md5sums",
                           "0123456789abcdef0123456789abcdef  "
                           "usr/lib/libx.so\nfedcba9876543210fedcba9876543210  usr/share/doc/libx/NEWS\n"}};
  fixture.add(shared);
  fixture.add(package("tool", {file("./bin/tool", "t"), directory("./var/lib/dpkg/info")}));
  fixture.input.exclude = {"usr/share/doc/*"};
  auto composed = fixture.compose();
  REQUIRE(composed);
  REQUIRE(add_dpkg_database(*composed, {}, fixture.input.clock));
  const FileTree& tree = composed->tree;
  CHECK(tree.find("var/lib/dpkg")->target == "../../usr/share/mailstead/dpkg");
  CHECK(text_of(tree, "var/lib/dpkg/status") ==
        "Package: libx\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\nMulti-Arch: same\n"
        "Description: a test package\n of two lines\n\n"
        "Package: tool\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n"
        "Description: a test package\n of two lines\n\n");
  CHECK(text_of(tree, "usr/share/mailstead/dpkg/info/libx:amd64.list") == "/.\n/usr\n/usr/lib/libx.so\n");
  CHECK(text_of(tree, "usr/share/mailstead/dpkg/info/libx:amd64.md5sums") ==
        "0123456789abcdef0123456789abcdef  usr/lib/libx.so\n");
  CHECK(text_of(tree, "usr/share/mailstead/dpkg/info/tool.list") == "/.\n/usr/bin/tool\n");
  CHECK(tree.find("usr/share/mailstead/dpkg/info/tool.md5sums") == nullptr);
}

TEST_CASE("Packages that are not in the tree are listed with their licences") {
  Fixture fixture;
  fixture.add(package("system", {file("./usr/bin/x", "x")}));
  auto composed = fixture.compose();
  REQUIRE(composed);
  Fixture boot;
  Deb loader = package("loader", {file("./usr/lib/loader.efi", "l"), directory("./usr/share/doc/loader"),
                                  file("./usr/share/doc/loader/copyright", "GPL"),
                                  file("./usr/share/doc/loader/README", "r")});
  loader.control_files = {{"md5sums",
                           "0123456789abcdef0123456789abcdef  usr/lib/loader.efi\n"
                           "fedcba9876543210fedcba9876543210  usr/share/doc/loader/copyright\n"}};
  boot.add(package("loader-bin", {symbolic_link("./usr/share/doc/loader-bin", "loader")}));
  boot.add(loader);
  const auto debs = unpack_packages(boot.unpack, *boot.reporter);
  REQUIRE(debs);
  SECTION("a link to the licence of another package") {
    REQUIRE(add_dpkg_database(*composed, {&(*debs)[0], &(*debs)[1]}, fixture.input.clock));
    const FileTree& tree = composed->tree;
    const std::string status = text_of(tree, "var/lib/dpkg/status");
    for (const char* name : {"Package: system\n", "Package: loader\n", "Package: loader-bin\n"})
      CHECK(status.find(name) != std::string::npos);
    CHECK(text_of(tree, "usr/share/doc/loader-bin/copyright") == "GPL");
    CHECK(tree.find("usr/share/doc/loader/copyright")->mtime == fixture.input.clock);
    CHECK(tree.find("usr/share/doc/loader/README") == nullptr);
    CHECK(tree.find("usr/lib/loader.efi") == nullptr);
    CHECK(text_of(tree, "usr/share/mailstead/dpkg/info/loader.list") ==
          "/.\n/usr/share/doc/loader/copyright\n");
    CHECK(text_of(tree, "usr/share/mailstead/dpkg/info/loader.md5sums") ==
          "fedcba9876543210fedcba9876543210  usr/share/doc/loader/copyright\n");
  }
  SECTION("a link into nothing") {
    const auto added = add_dpkg_database(*composed, {debs->data()}, fixture.input.clock);
    REQUIRE_FALSE(added);
    CHECK(added.error().message ==
          "the package loader-bin brings no licence file usr/share/doc/loader-bin/copyright");
  }
}
