// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/lock_file.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "support/catch.hpp"

namespace mailstead::lock {
namespace {

const std::string kDigestA(64, 'a');
const std::string kDigestB(64, 'b');

Lock make_lock() {
  Lock lock;
  lock.suite = "trixie";
  lock.architecture = "arm64";
  lock.host_architecture = "amd64";
  lock.archive_time = 1'795'313'345;
  lock.users = {{"_rspamd", 905}, {"root", 0}};
  lock.groups = {{"root", 0}};
  lock.requested_system = {"acl", "g++"};
  lock.requested_initrd = {"acl"};
  lock.requested_tools = {"kmod"};
  lock.packages = {
      {"acl",
       "2.3.2-2+b1",
       "arm64",
       "debian",
       "pool/main/a/acl/acl_2.3.2-2+b1_arm64.deb",
       58'000,
       kDigestA,
       {true, true, false}},
      {"g++",
       "4:12.2.0-3",
       "arm64",
       "debian-security",
       "pool/updates/main/g/g++/g++_12.2.0-3_arm64.deb",
       1,
       kDigestB,
       {true, false, false}},
      {"kmod",
       "34-1",
       "amd64",
       "debian",
       "pool/main/k/kmod/kmod_34-1_amd64.deb",
       2,
       kDigestA,
       {false, false, true}},
      {"kmod",
       "34-1",
       "arm64",
       "debian",
       "pool/main/k/kmod/kmod_34-1_arm64.deb",
       3,
       kDigestB,
       {true, false, false}},
  };
  lock.request_digest = request_digest(request_of(lock));
  return lock;
}

/// The lock with one place changed.
std::string altered(const std::string& from, const std::string& to) {
  std::string text = format_lock(make_lock());
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// A text with an end that fits it.
std::string sealed(std::string text) {
  text.erase(text.rfind("end "));
  return text + "end " + crypto::sha256_hex(text.substr(text.find('\n') + 1)) + "\n";
}

TEST_CASE("a lock survives its file, and equal locks are equal bytes") {
  const auto directory = TemporaryDirectory::create();
  REQUIRE(directory);
  const auto path = lock_path_for(directory->path() / "mail.yaml");
  CHECK(path == directory->path() / "mailstead.lock");
  const Lock lock = make_lock();
  REQUIRE(save_lock(path, lock));
  const auto read = load_lock(path);
  if (!read) FAIL(format_error(read.error()));
  CHECK(format_lock(*read) == format_lock(lock));
  CHECK(read->packages.size() == 4);
  CHECK(read->packages[1].version == "4:12.2.0-3");
  CHECK(read->packages[1].archive == "debian-security");
  CHECK(read->packages[0].roles == Roles{true, true, false});
  CHECK(read->users[0].id == 905);
  CHECK(read->requested_system == lock.requested_system);
}

TEST_CASE("a package that starts the machine is for its architecture, and was asked for by name") {
  Lock lock = make_lock();
  lock.requested_boot = {"kmod"};
  lock.packages[3].roles = {false, false, false, true};
  lock.request_digest = request_digest(request_of(lock));
  const std::string text = format_lock(lock);
  CHECK(text.find("\nask-boot kmod\n") != std::string::npos);
  CHECK(text.find(kDigestB + " boot\n") != std::string::npos);
  const auto read = parse_lock(text, "lock");
  if (!read) FAIL(format_error(read.error()));
  CHECK(read->requested_boot == lock.requested_boot);
  CHECK(read->packages[3].roles == Roles{false, false, false, true});
  lock.packages[2].roles.boot = true;
  CHECK_FALSE(parse_lock(format_lock(lock), "lock"));
}

TEST_CASE("a package is one line") {
  const auto text = format_lock(make_lock());
  CHECK(text.find("\npackage acl 2.3.2-2+b1 arm64 debian pool/main/a/acl/acl_2.3.2-2+b1_arm64.deb 58000 " +
                  kDigestA + " system,initrd\n") != std::string::npos);
}

TEST_CASE("a spec in the place of a lock is told to be one, with the lock beside it") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const std::filesystem::path spec = folder.path() / "mail.yaml";
  REQUIRE(write_file(spec, "# a site\nmailstead: 1\n"));
  const auto refusal = [&] {
    const auto lock = load_lock(spec);
    REQUIRE(!lock);
    CHECK(lock.error().kind == ErrorKind::usage);
    return lock.error().message + "; " + lock.error().hint;
  };
  CHECK(refusal() ==
        spec.string() + " is a spec, not a lock; make a lock with `mailstead lock " + spec.string() + "`");
  REQUIRE(write_file(lock_path_for(spec), ""));
  CHECK(refusal() ==
        spec.string() + " is a spec, not a lock; name the lock beside it: " + lock_path_for(spec).string());
}

TEST_CASE("every hostile or damaged lock is refused at its line") {
  struct Case {
    std::string text;
    std::string message;
  };
  const std::string pool = "pool/main/a/acl/acl_2.3.2-2+b1_arm64.deb";
  const std::string path_message = "the package's path is not a .deb file below pool/";
  const std::string changed_message =
      "the lock has been changed by hand: the digest in its last line is not that of the others";
  const std::vector<Case> cases = {
      {"", "the lock is empty"},
      {"{}", "this is not a lock: it does not begin with 'mailstead-lock 1'"},
      {altered("mailstead-lock 1", "mailstead-lock 2"),
       "this lock has a format that this version of mailstead does not know"},
      {altered("suite trixie\n", "suite trixie\nsuite trixie\n"), "this entry is listed twice"},
      {altered("suite trixie\n", ""), "the lock ends without 'suite'"},
      {altered("suite trixie", "suite ../sid"), "a name of small letters, digits and dashes is expected"},
      {altered("archive-time 1795313345", "archive-time -1"),
       "the archive's time is not a possible one (seconds since 1970)"},
      {altered("archive-time 1795313345", "archive-time 99999999999999999999"),
       "the archive's time is not a possible one (seconds since 1970)"},
      {altered("request ", "request x"), "a digest of 64 hexadecimal digits is expected"},
      {altered("ask-system acl\n", "ask-system zsh\n"), "the entries are not sorted, or one is listed twice"},
      {sealed(altered("ask-system acl\n", "")),
       "what the lock says was asked for does not match its own digest: it has been changed by hand"},
      {altered("user root 0", "user root 4294967295"), "a name and a number below 4294967295 are expected"},
      {altered("user root 0", "user root 00"), "a name and a number below 4294967295 are expected"},
      {altered("user root 0", "user ro:ot 0"), "a name and a number below 4294967295 are expected"},
      {altered("user root 0", "usr root 0"), "unknown entry"},
      {altered("group root 0\n", "group root 0\n\n"), "an empty line does not belong here"},
      {altered("group root 0\n", "<<<<<<< HEAD\n"), "this is an unresolved merge conflict"},
      {altered(pool, "/etc/passwd.deb"), path_message},
      {altered(pool, "pool/../../x.deb"), path_message},
      {altered(pool, "pool/a/..deb"), path_message},
      {altered(pool, "pool//x.deb"), path_message},
      {altered(pool, "pool/x?y.deb"), path_message},
      {altered(pool, "pool/x%2e.deb"), path_message},
      {altered(pool, "http://evil.example/x.deb"), path_message},
      {altered(pool, "pool/x"), path_message},
      {altered(" 58000 ", " 0 "), "the package's size is not a possible one"},
      {altered(" 58000 ", " -5 "), "the package's size is not a possible one"},
      {altered(" 58000 ", " 5e3 "), "the package's size is not a possible one"},
      {altered(" 58000 ", " 4000000001 "), "the package's size is not a possible one"},
      {altered(" " + kDigestA, " A" + kDigestA.substr(1)),
       "the package's SHA-256 is not 64 hexadecimal digits"},
      {altered(" " + kDigestA, " " + kDigestA.substr(1)),
       "the package's SHA-256 is not 64 hexadecimal digits"},
      {altered("system,initrd\n", "initrd,system\n"),
       "the package's roles are not of system,initrd,tool,boot"},
      {altered("system,initrd\n", "none\n"), "the package's roles are not of system,initrd,tool,boot"},
      {altered(" 2.3.2-2+b1 ", " $(id) "), "the package's version cannot be one"},
      {altered("package acl ", "package -o "), "the package's name cannot be one"},
      {altered("package acl ", "package ../a "), "the package's name cannot be one"},
      {altered("package acl ", "package zsh "), "the packages are not sorted, or one is listed twice"},
      {altered(" debian-security ", " elsewhere "), "the archive is neither 'debian' nor 'debian-security'"},
      {sealed(altered("arm64 debian-security", "amd64 debian-security")),
       "package g++ is for amd64, which its roles are not"},
      {format_lock(make_lock()) + "user zoe 5\n", "something follows the end of the lock"},
      {altered("\nend ", "\n# "), "the lock ends without 'end'"},
      {altered("\nend ", "\nend now "), "unknown entry"},
      {altered("\nend ", "\nend\n# "), changed_message},
      {altered("\nend ", "\nend 0"), changed_message},
      {altered("archive-time 1795313345", "archive-time 1795313346"), changed_message},
      {altered("package g++ 4:12.2.0-3 arm64 debian-security "
               "pool/updates/main/g/g++/g++_12.2.0-3_arm64.deb 1 " +
                   kDigestB + " system\n",
               ""),
       changed_message},
      {altered("system,initrd\n", "system,initrd extra\n"),
       "a package needs name, version, architecture, archive, path, size, SHA-256 and roles"},
  };
  for (const auto& [text, message] : cases) {
    INFO(message << "\n" << text);
    const auto lock = parse_lock(text, "mailstead.lock");
    REQUIRE(!lock);
    CHECK(lock.error().message == message);
    CHECK(lock.error().kind == ErrorKind::usage);
    REQUIRE(lock.error().place);
    CHECK(lock.error().place->file == "mailstead.lock");
  }
}

TEST_CASE("comments and line ends may be others than those that were written") {
  std::string text = altered("\nsuite ", "\n# the suite\nsuite ");
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, "\r");
  const auto lock = parse_lock(text, "mailstead.lock");
  if (!lock) FAIL(format_error(lock.error()));
  CHECK(format_lock(*lock) == format_lock(make_lock()));
}

TEST_CASE("the line of an error is the line of the file") {
  const auto lock = parse_lock(altered("user root 0", "user root x"), "mailstead.lock");
  REQUIRE(!lock);
  CHECK(lock.error().place->line == 13);
  CHECK(lock.error().place->source_line == "user root x");
}

TEST_CASE("control characters of a damaged lock are not shown") {
  const auto lock = parse_lock(altered("user root 0", "user \x1b[31mroot 0"), "mailstead.lock");
  REQUIRE(!lock);
  CHECK(lock.error().place->source_line.empty());
}

TEST_CASE("every cut of a lock is an error, not a shorter lock") {
  const auto text = format_lock(make_lock());
  for (std::size_t length = 0; length + 1 < text.size(); ++length) {
    INFO(length);
    CHECK(!parse_lock(text.substr(0, length), "mailstead.lock"));
  }
}

}  // namespace
}  // namespace mailstead::lock
