// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/base.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::pipeline;

namespace {

struct Fixture {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  Platform platform;
  lock::Lock lock;

  Fixture() {
    platform.data = folder.path();
    platform.profile.name = "box";
    platform.profile.boot_packages = {"loader"};
    for (const char* name : {"initrd", "start", "mail"}) overlay(name, "description: first\n");
    load();
    lock.architecture = "amd64";
    lock.packages = {package("initrd", {false, true, false}), package("loader", {false, false, false, true}),
                     package("system", {true, false, false}), package("tool", {false, false, true})};
  }
  static lock::Package package(const std::string& name, lock::Roles roles) {
    lock::Package package;
    package.name = name;
    package.version = "1";
    package.architecture = "amd64";
    package.sha256 = "digest of " + name;
    package.roles = roles;
    return package;
  }
  void overlay(const std::string& name, const std::string& manifest) {
    REQUIRE(make_directories(folder.path() / "rootfs-overlays" / name));
    write("rootfs-overlays/" + name + "/manifest.yaml", manifest);
  }
  void load() {
    platform.overlays = overlay::load_overlays(folder.path(), {"start", "mail"}).value();
    platform.initrd_overlays = overlay::load_overlays(folder.path(), {"start", "initrd"}).value();
  }
  void write(const std::string& name, const std::string& text) {
    REQUIRE(write_file(folder.path() / name, text));
  }
  lock::Package& locked(std::string_view name) {
    for (lock::Package& package : lock.packages)
      if (package.name == name) return package;
    throw std::logic_error("no such package");
  }
  BaseId id() { return base_id(platform, lock).value(); }
};

}  // namespace

TEST_CASE("What changes no bytes of a base changes its place in the cache, not its identity") {
  Fixture f;
  const BaseId before = f.id();
  CHECK(f.id().key == before.key);
  SECTION("another review") {
    f.platform.overlays.front().reviews.push_back({"postfix", {"0123456789abcdef"}, "things", "elsewhere"});
  }
  SECTION("the tool of another build host") {
    f.locked("tool").architecture = "arm64";
    f.locked("tool").sha256 = "digest of another one";
  }
  CHECK(f.id().identity == before.identity);
  CHECK(f.id().key != before.key);
}

TEST_CASE("What is said to people, or for a site alone, changes no base") {
  Fixture f;
  const BaseId before = f.id();
  SECTION("words") {
    f.platform.profile.description = "another one";
    f.overlay("mail", "# A comment.\ndescription: second\n");
  }
  SECTION("what a site enables") {
    f.overlay("mail", "description: first\nenable: [postfix.service]\nmask: [apt.timer]\n");
  }
  SECTION("a template") {
    REQUIRE(make_directories(f.folder.path() / "rootfs-overlays/mail/etc"));
    f.write("rootfs-overlays/mail/etc/aliases.tmpl", "{{ hostname }}");
  }
  SECTION("a file of an optional overlay") {
    f.overlay("mail", "description: first\nwhen: ssh.enabled\n");
    REQUIRE(make_directories(f.folder.path() / "rootfs-overlays/mail/etc"));
    f.write("rootfs-overlays/mail/etc/aliases", "");
  }
  f.load();
  CHECK(f.id().identity == before.identity);
  CHECK(f.id().key == before.key);
}

TEST_CASE("A tool that is in the system too is the same tool on every build host") {
  Fixture f;
  f.locked("system").roles.tool = true;
  const BaseId before = f.id();
  f.locked("system").roles.tool = false;
  lock::Package elsewhere = Fixture::package("system", {false, false, true});
  elsewhere.architecture = "arm64";
  elsewhere.sha256 = "digest of another one";
  f.lock.packages.insert(f.lock.packages.end() - 1, elsewhere);
  CHECK(f.id().identity == before.identity);
  CHECK(f.id().key != before.key);
}

TEST_CASE("A size that the lock never had is not taken for what the cache has") {
  Fixture f;
  const BaseId before = f.id();
  f.locked("system").size = 2;
  CHECK(f.id().identity == before.identity);
  CHECK(f.id().key != before.key);
}

TEST_CASE("Whatever a base says of itself, its identity depends on") {
  Fixture f;
  const auto record = [&] { return image::to_json(record_of(f.platform, f.lock, {})); };
  const std::string said = record();
  const BaseId before = f.id();
  SECTION("a package's version") {
    f.locked("system").version = "2";
  }
  SECTION("a package's archive") {
    f.locked("initrd").archive = "debian-security";
  }
  SECTION("a package's place in the archive") {
    f.locked("loader").pool_path = "pool/elsewhere.deb";
  }
  SECTION("what a package is for") {
    f.locked("system").roles.initrd = true;
  }
  SECTION("the suite") {
    f.platform.profile.suite = "forky";
  }
  CHECK(record() != said);
  CHECK(f.id().identity != before.identity);
}

TEST_CASE("What changes bytes of a base changes its identity") {
  Fixture f;
  const BaseId before = f.id();
  SECTION("a package of the system") {
    f.locked("system").sha256 = "another digest";
  }
  SECTION("a package of the initrd") {
    f.locked("initrd").sha256 = "another digest";
  }
  SECTION("a package whose files are copied to boot") {
    f.locked("loader").sha256 = "another digest";
  }
  SECTION("a tool's version") {
    f.locked("tool").version = "2";
  }
  SECTION("the archive's time") {
    f.lock.archive_time = 1;
  }
  SECTION("the profile") {
    f.platform.profile.exclude = {"usr/share/doc/*"};
  }
  SECTION("the accounts") {
    f.platform.accounts.users.push_back({"root", 0, "root", "", "/root", "/bin/bash"});
  }
  SECTION("a file of an overlay") {
    REQUIRE(make_directories(f.folder.path() / "rootfs-overlays/mail/usr/bin"));
    f.write("rootfs-overlays/mail/usr/bin/tool", "tool");
  }
  SECTION("what an overlay removes") {
    f.overlay("mail", "description: first\nremove: [usr/bin/tool]\n");
  }
  SECTION("a mode that an overlay sets") {
    f.overlay("mail", "description: first\nfiles: {usr/bin/tool: {mode: \"0700\"}}\n");
  }
  SECTION("the overlay of the initrd") {
    f.overlay("initrd", "description: first\nlinks: {init: usr/lib/systemd/systemd}\n");
  }
  SECTION("the overlay that system and initrd have in common") {
    f.overlay("start", "description: first\nlinks: {init: usr/lib/systemd/systemd}\n");
  }
  f.load();
  CHECK(f.id().identity != before.identity);
  CHECK(f.id().key != before.key);
}
