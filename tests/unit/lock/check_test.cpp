// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/check.hpp"

#include "lock/version.hpp"
#include "support/catch.hpp"

namespace mailstead::lock {
namespace {

Request make_request() {
  Request request;
  request.suite = "trixie";
  request.architecture = "amd64";
  request.host_architecture = "amd64";
  request.system = {"postfix", "rspamd"};
  request.initrd = {"udev"};
  request.tools = {"kmod"};
  request.users = {{"root", 0}, {"postfix", 900}};
  request.groups = {{"root", 0}};
  return request;
}

const std::vector<std::string> essential = {
    "base-files",  "base-passwd",         "bash",     "bsdutils",     "coreutils",   "dash",
    "debianutils", "diffutils",           "dpkg",     "findutils",    "grep",        "gzip",
    "hostname",    "init-system-helpers", "libc-bin", "ncurses-base", "ncurses-bin", "perl-base",
    "sed",         "sysvinit-utils",      "tar",      "util-linux"};

Lock lock_for(const Request& request) {
  Lock lock;
  lock.suite = request.suite;
  lock.architecture = request.architecture;
  lock.host_architecture = request.host_architecture;
  lock.users = request.users;
  lock.groups = request.groups;
  lock.requested_system = request.system;
  lock.requested_initrd = request.initrd;
  lock.requested_tools = request.tools;
  lock.request_digest = request_digest(request);
  const auto add = [&](const std::vector<std::string>& names, bool Roles::* role) {
    for (const std::string& name : names) {
      Package package;
      package.name = name;
      package.roles.*role = true;
      lock.packages.push_back(package);
    }
  };
  add(request.system, &Roles::system);
  add(request.initrd, &Roles::initrd);
  add(request.tools, &Roles::tool);
  add(essential, &Roles::system);
  return lock;
}

TEST_CASE("an older state of the archive than the lock's is refused with both times") {
  Lock before = lock_for(make_request());
  before.archive_time = 1'795'435'200;
  Lock after = before;
  CHECK(check_not_older(before, after));
  after.archive_time += 1;
  CHECK(check_not_older(before, after));
  after.archive_time = before.archive_time - 86'399;
  const auto refused = check_not_older(before, after);
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::integrity);
  CHECK(
      format_error(refused.error()) ==
      "the mirror offers an older state of the archive than the lock has: 2026-11-22 12:00:01 UTC instead of "
      "2026-11-23 12:00:00 UTC\n"
      "  try another mirror with --mirror; to go back on purpose, move the lock away first\n");
  after.suite = "forky";
  CHECK(check_not_older(before, after));
}

TEST_CASE("the digest of a request is that of its meaning") {
  const auto request = make_request();
  auto other = request;
  other.system = {"rspamd", "postfix", "rspamd"};
  other.users = {{"postfix", 900}, {"root", 0}};
  CHECK(request_digest(other) == request_digest(request));
  other.system.push_back("nftables");
  CHECK(request_digest(other) != request_digest(request));
  other = request;
  std::swap(other.initrd, other.tools);
  CHECK(request_digest(other) != request_digest(request));
  CHECK(request_digest(request_of(lock_for(request))) == request_digest(request));
}

TEST_CASE("a lock that answers another request says what differs") {
  const auto lock = lock_for(make_request());
  CHECK(check_lock(lock, make_request()));
  auto edited = lock;
  edited.packages.erase(edited.packages.begin());
  for (Package& package : edited.packages) {
    if (package.name == "kmod") package.roles = {true, false, false};
  }
  const auto refused = check_lock(edited, make_request());
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::usage);
  CHECK(refused.error().message ==
        "the lock lacks packages that it was asked for: postfix and kmod; it has been changed by hand");
  auto request = make_request();
  request.suite = "forky";
  request.host_architecture = "arm64";
  request.system = {"postfix", "nftables", "chrony"};
  request.tools = {};
  request.users[1].id = 901;
  const auto status = check_lock(lock, request);
  REQUIRE(!status);
  CHECK(status.error().kind == ErrorKind::usage);
  CHECK(status.error().message ==
        "the lock was made for something else than what the profile asks for now\n"
        "  suite: trixie when it was made, forky now\n"
        "  architecture of the build host: amd64 when it was made, arm64 now\n"
        "  packages of the system asked for now but not when it was made: chrony and nftables\n"
        "  packages of the system no longer asked for: rspamd\n"
        "  tools no longer asked for: kmod\n"
        "  user ids asked for now but not when it was made: postfix=901\n"
        "  user ids no longer asked for: postfix=900");
  CHECK(status.error().hint.find("`mailstead lock SPEC --update`") == 0);
}

TEST_CASE("a lock from before what starts the machine was locked says so, and what to do") {
  Request request = make_request();
  const Lock lock = lock_for(request);
  request.boot = {"shim-signed", "grub-pc-bin"};
  const auto status = check_lock(lock, request);
  REQUIRE(!status);
  CHECK(status.error().message ==
        "the lock was made for something else than what the profile asks for now\n"
        "  packages that start the machine asked for now but not when it was made: grub-pc-bin and "
        "shim-signed");
  CHECK(status.error().hint == "`mailstead lock SPEC --update` resolves it again and shows what changes");
  // Its digest stays what it was.
  CHECK(request_digest(make_request()) == lock.request_digest);
}

TEST_CASE("a lock without an Essential package, which nothing depends on, is refused") {
  for (const std::string& name : essential) {
    Lock lock = lock_for(make_request());
    std::erase_if(lock.packages, [&](const Package& package) { return package.name == name; });
    const auto refused = check_lock(lock, make_request());
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::usage);
    CHECK(refused.error().message ==
          "the lock lacks Essential packages of trixie: " + name + "; it has been changed by hand");
  }
}

Package make_package(const std::string& name, const std::string& version, char digest = 'a') {
  Package package;
  package.name = name;
  package.version = version;
  package.architecture = "amd64";
  package.sha256 = std::string(64, digest);
  package.roles.system = true;
  return package;
}

TEST_CASE("a package that would become older is refused, though the archive's state is newer") {
  Lock before = lock_for(make_request());
  before.archive_time = 1'795'435'200;
  before.packages = {make_package("openssl", "3.5.4-1~deb13u2"), make_package("zlib", "1.3")};
  Lock after = before;
  after.archive_time += 3600;
  after.packages[0].version = "3.5.4-1~deb13u1";
  after.packages[1].version = "1.4";
  const auto refused = check_not_older(before, after);
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::integrity);
  CHECK(format_error(refused.error()) ==
        "the mirror offers older packages than the lock has:\n"
        "  openssl 3.5.4-1~deb13u1 instead of 3.5.4-1~deb13u2\n"
        "  try another mirror with --mirror; to go back on purpose, move the lock away first\n");
  // Also where the package has moved to another architecture's name meanwhile.
  after.packages[0].architecture = "all";
  CHECK(!check_not_older(before, after));
  after.packages[0].version = "3.5.4-1~deb13u2";
  CHECK(check_not_older(before, after));
}

TEST_CASE("the difference of two locks, a line a package") {
  Lock before = lock_for(make_request());
  before.packages = {make_package("gone", "1"),  make_package("new-bytes", "1"), make_package("newer", "1.9"),
                     make_package("older", "2"), make_package("roles", "1"),     make_package("same", "1")};
  Lock after = before;
  CHECK(diff_locks(before, after).empty());
  after.packages = {make_package("added", "3"),    make_package("new-bytes", "1", 'b'),
                    make_package("newer", "1.10"), make_package("older", "2~rc1"),
                    make_package("roles", "1"),    make_package("same", "1")};
  after.packages[4].roles.initrd = true;
  CHECK(diff_locks(before, after) ==
        std::vector<std::string>{"+ added 3", "- gone 1",
                                 "= new-bytes 1 (other bytes under the same version)", "^ newer 1.9 -> 1.10",
                                 "v older 2 -> 2~rc1", "= roles 1 (for system and initrd; was for system)"});
}

TEST_CASE("the difference of two locks, in what they are for") {
  Lock before = lock_for(make_request());
  before.archive_time = 1'795'435'200;
  Request request = make_request();
  request.suite = "forky";
  request.architecture = "arm64";
  request.host_architecture = "arm64";
  request.system = {"chrony", "postfix"};
  request.initrd = {"dracut", "udev"};
  request.tools = {};
  request.users = {{"root", 0}, {"valkey", 903}};
  request.groups = {{"root", 0}, {"valkey", 903}};
  Lock after = lock_for(request);
  after.archive_time = before.archive_time + 1;
  after.packages = before.packages;
  CHECK(diff_locks(before, after) ==
        std::vector<std::string>{"suite: trixie -> forky", "architecture: amd64 -> arm64",
                                 "architecture of the build host: amd64 -> arm64",
                                 "archive time: 2026-11-23 12:00:00 UTC -> 2026-11-23 12:00:01 UTC",
                                 "+ asked for the system: chrony", "- asked for the system: rspamd",
                                 "+ asked for the initrd: dracut", "- asked for as tool: kmod",
                                 "+ user valkey=903", "- user postfix=900", "+ group valkey=903"});
}

TEST_CASE("a changed id is refused, and a number that another name takes over") {
  Lock before = lock_for(make_request());
  before.groups = {{"mail", 8}, {"root", 0}};
  Lock after = before;
  after.users.push_back({"valkey", 903});
  CHECK(check_same_ids(before, after));
  after.users = {{"root", 0}};
  CHECK(check_same_ids(before, after));
  after.users = {{"postfix", 901}, {"root", 0}};
  after.groups = {{"root", 0}, {"vmail", 8}};
  const auto refused = check_same_ids(before, after);
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::integrity);
  CHECK(format_error(refused.error()) ==
        "numeric ids have changed, but the files of appliances that run keep the old ones:\n"
        "  user postfix: 900 in the lock, 901 now\n"
        "  group id 8: of mail in the lock, of vmail now\n"
        "  give them back their numbers in rootfs-overlays/; to change them on purpose, move the lock "
        "away first\n");
}

TEST_CASE("a package that moves to architecture all is the same package; a foreign tool is not") {
  Lock before = lock_for(make_request());
  before.packages = {make_package("data", "1")};
  Lock after = before;
  after.packages[0].architecture = "all";
  after.packages[0].version = "2";
  CHECK(diff_locks(before, after) == std::vector<std::string>{"^ data 1 -> 2"});
  after.host_architecture = "arm64";
  after.packages = before.packages;
  after.packages.push_back(make_package("data", "1"));
  after.packages[1].architecture = "arm64";
  after.packages[1].roles = {false, false, true};
  CHECK(diff_locks(before, after) ==
        std::vector<std::string>{"architecture of the build host: amd64 -> arm64", "+ data:arm64 1"});
}

TEST_CASE("Debian versions are ordered as the policy says") {
  const std::vector<std::string> ascending = {
      "0~~",      "0~~a",          "0~",      "0",      "0.1",        "1.0~rc1-1", "1.0-1",
      "1.0-1+b1", "1.0-1+deb12u1", "1.0-1.1", "1.0a-1", "1.0+dfsg-1", "1.0.1-1",   "1.9",
      "1.10",     "2.0-1~bpo1",    "2.0-1",   "10",     "1:0.1",      "1:0.1-1-2", "2:0",
  };
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      INFO(ascending[i] << " and " << ascending[j]);
      const int order = compare_versions(ascending[i], ascending[j]);
      CHECK((order < 0) == (i < j));
      CHECK((order > 0) == (i > j));
    }
  }
  CHECK(compare_versions("1.0", "0:1.0") == 0);
  CHECK(compare_versions("1.00", "1.0") == 0);
  CHECK(compare_versions("1.0-0", "1.0") == 0);
}

}  // namespace
}  // namespace mailstead::lock
