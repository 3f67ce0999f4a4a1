// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/ownership.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

#include "base/files.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace mailstead;

namespace {

struct Cache {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  fs::path path = fs::canonical(folder.path()) / "cache";
  Cache() { fs::create_directories(path / "tools/bin"); }
  void mode(const char* name, unsigned mode) const { REQUIRE(::chmod((path / name).c_str(), mode) == 0); }
  std::string refusal() const {
    const Status own = require_own_tree(path);
    return own ? "" : own.error().message + "; " + own.error().hint;
  }
};

std::string writable(const fs::path& path, const char* mode) {
  return "other users can write to " + path.string() + " (mode " + mode +
         "), and so change what images are made of; close it with `chmod go-w " + path.string() + "`";
}

}  // namespace

TEST_CASE("a cache that only its owner can write is accepted, below sticky folders, too") {
  const Cache cache;
  CHECK(cache.refusal().empty());
  cache.mode("..", 01777);
  CHECK(cache.refusal().empty());
}

TEST_CASE("a cache that others can write is refused: itself, above, within") {
  const Cache cache;
  cache.mode(".", 0777);
  CHECK(cache.refusal() == writable(cache.path, "0777"));
  cache.mode(".", 01777);  // where everybody may add what we would run
  CHECK(cache.refusal() == writable(cache.path, "1777"));
  cache.mode(".", 0755);
  cache.mode("..", 0777);
  CHECK(cache.refusal() == writable(cache.path.parent_path(), "0777"));
  cache.mode("..", 0755);
  cache.mode("tools/bin", 0757);
  CHECK(cache.refusal() == writable(cache.path / "tools/bin", "0757"));
  cache.mode("tools/bin", 0755);
  REQUIRE(write_file(cache.path / "tools/bin/tool", "x", 0666));
  CHECK(cache.refusal() == writable(cache.path / "tools/bin/tool", "0666"));
}

TEST_CASE("a link in a cache is followed to a folder that others can write") {
  const Cache cache;
  const fs::path store = cache.path.parent_path() / "store";
  fs::create_directories(store);
  fs::create_directory_symlink(store, cache.path / "store");
  CHECK(cache.refusal().empty());
  REQUIRE(::chmod(store.c_str(), 0777) == 0);
  CHECK(cache.refusal() == writable(store, "0777"));
}

namespace {

/// Gives a file an access control list as the kernel takes it: entries of tag, permissions and id. False
/// where the file system has none.
bool set_acl(const fs::path& path, const char* kind,
             std::initializer_list<std::array<std::uint32_t, 3>> entries) {
  std::string bytes("\2\0\0\0", 4);
  const auto append = [&](std::uint32_t value, int count) {
    for (; count > 0; --count, value >>= 8) bytes += static_cast<char>(value & 0xff);
  };
  for (const auto& [tag, permissions, id] : entries) {
    append(tag, 2);
    append(permissions, 2);
    append(id, 4);
  }
  return ::setxattr(path.c_str(), kind, bytes.data(), bytes.size(), 0) == 0;
}

constexpr const char* kAccess = "system.posix_acl_access";
constexpr const char* kDefault = "system.posix_acl_default";
constexpr std::uint32_t kNobody = 0xffffffff;

}  // namespace

TEST_CASE("a cache that others can write by an access control list is refused") {
  const Cache cache;
  const fs::path tools = cache.path / "tools";
  // user::rwx, user:64321:rwx, group::r-x, mask::rwx, other::r-x
  if (!set_acl(tools, kAccess,
               {{1, 7, kNobody}, {2, 7, 64321}, {4, 5, kNobody}, {16, 7, kNobody}, {32, 5, kNobody}}))
    return;
  CHECK(cache.refusal() == writable(tools, "0775, with an ACL"));
  // The remedy takes it from all that the list names.
  cache.mode("tools", 0755);
  CHECK(cache.refusal().empty());
  // A group
  REQUIRE(set_acl(tools, kAccess,
                  {{1, 7, kNobody}, {4, 5, kNobody}, {8, 7, 64321}, {16, 7, kNobody}, {32, 5, kNobody}}));
  CHECK(cache.refusal() == writable(tools, "0775, with an ACL"));
  // Oneself, others who may only read, and a mask that takes the right away
  REQUIRE(set_acl(tools, kAccess,
                  {{1, 7, kNobody},
                   {2, 7, ::geteuid()},
                   {2, 5, 64321},
                   {4, 5, kNobody},
                   {16, 7, kNobody},
                   {32, 5, kNobody}}));
  CHECK(cache.refusal().empty());
  REQUIRE(set_acl(tools, kAccess,
                  {{1, 7, kNobody}, {2, 7, 64321}, {4, 5, kNobody}, {16, 5, kNobody}, {32, 5, kNobody}}));
  CHECK(cache.refusal().empty());
  // What is made there later
  REQUIRE(set_acl(tools, kDefault,
                  {{1, 7, kNobody}, {2, 7, 64321}, {4, 5, kNobody}, {16, 7, kNobody}, {32, 5, kNobody}}));
  CHECK(cache.refusal() == "other users could write to what is made in " + tools.string() +
                               " (its default ACL), and so change what images are made of; close it with "
                               "`setfacl -k " +
                               tools.string() + "`");
}

TEST_CASE("a cache with a file of another user is refused") {
  if (::geteuid() != 0) return;  // nobody else can give files away
  const Cache cache;
  REQUIRE(write_file(cache.path / "tools/bin/tool", "x"));
  REQUIRE(::chown((cache.path / "tools/bin/tool").c_str(), 64321, 0) == 0);
  CHECK(cache.refusal() ==
        (cache.path / "tools/bin/tool").string() +
            " belongs to another user (id 64321), who could change what images are made of; let "
            "MAILSTEAD_CACHE name a folder of your own");
}

TEST_CASE("the cache of the environment is looked at before it is used, and so is TMPDIR") {
  const Cache cache;
  ::setenv("MAILSTEAD_CACHE", cache.path.c_str(), 1);
  CHECK(cache_directory());
  cache.mode(".", 0777);
  CHECK(!cache_directory());
  ::unsetenv("MAILSTEAD_CACHE");
  ::setenv("TMPDIR", cache.path.c_str(), 1);
  const auto temporary = TemporaryDirectory::create();
  ::unsetenv("TMPDIR");
  REQUIRE(!temporary);
  CHECK(temporary.error().hint == "let TMPDIR name a folder of your own");
}

TEST_CASE("this file system keeps permissions, and the remedy is chmod") {
  const Cache cache;
  CHECK(keeps_permissions(cache.path));
  CHECK(closing_hint(cache.path / "key", "a key") == "close it with `chmod 600 'a key'`");
}
