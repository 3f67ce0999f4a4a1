// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.hpp"
#include "overlay/overlay.hpp"
#include "support/catch.hpp"

using namespace mailstead;

namespace {

/// A data folder with one overlay, "x".
class Data {
 public:
  Data() : folder_(*TemporaryDirectory::create()) { REQUIRE(make_directories(overlay())); }
  Result<std::vector<overlay::Overlay>> load() const { return overlay::load_overlays(folder_.path(), {"x"}); }
  void write(const std::string& name, const std::string& text) const {
    REQUIRE(write_file(overlay() / name, text));
  }

 private:
  std::filesystem::path overlay() const { return folder_.path() / "rootfs-overlays/x"; }
  TemporaryDirectory folder_;
};

Result<overlay::Accounts> accounts(const std::string& text) {
  const Data data;
  data.write("manifest.yaml", "description: x\n" + text);
  TRY(const auto overlays, data.load());
  return overlay::merge_accounts(overlays);
}

Result<std::vector<overlay::Review>> reviews(const std::string& text) {
  const Data data;
  data.write("manifest.yaml", "description: x\n");
  data.write("maintainer-scripts.yaml", text);
  TRY(const auto overlays, data.load());
  return overlay::merge_reviews(overlays);
}

}  // namespace

TEST_CASE("accounts are sorted by number and have defaults") {
  const auto read = accounts(
      "groups: {b: {gid: 20, members: [z, a]}, a: {gid: 10}}\n"
      "users: {z: {uid: 9, group: b, home: /var/z}, a: {uid: 7}}\n");
  REQUIRE(read);
  REQUIRE(read->users.size() == 2);
  CHECK(read->users[0].name == "a");
  CHECK(read->users[0].group == "a");
  CHECK(read->users[0].home == "/nonexistent");
  CHECK(read->users[0].shell == "/usr/sbin/nologin");
  CHECK(read->users[1].group == "b");
  CHECK(read->groups[0].gid == 10);
  CHECK(read->groups[1].members == std::vector<std::string>{"a", "z"});
}

TEST_CASE("accounts that would confuse owners of files are refused") {
  const auto message = [](const std::string& text) {
    const auto read = accounts(text);
    REQUIRE_FALSE(read);
    return read.error().message;
  };
  CHECK(message("groups: {a: {gid: 1}, b: {gid: 1}}\nusers: {}\n") == "'b' has gid 1, which belongs to 'a'");
  CHECK(message("groups: {a: {gid: 1}}\nusers: {x: {uid: 1, group: a}, y: {uid: 1, group: a}}\n") ==
        "'y' has uid 1, which belongs to 'x'");
  CHECK(message("groups: {a: {gid: 1}}\nusers: {x: {uid: 1}}\n") ==
        "user 'x' has the group 'x', which is not declared");
  CHECK(message("groups: {a: {gid: 1, members: [who]}}\nusers: {}\n") ==
        "member 'who' is not a declared user");
  CHECK(message("groups: {\"a:b\": {gid: 1}}\nusers: {}\n") == "'a:b' is not a name for a user or group");
  CHECK(message("groups: {a: {gid: 1}}\nusers: {a: {uid: 1, home: \"/x:/y\"}}\n") ==
        "'home' must not contain a colon or a line break");
  CHECK_FALSE(accounts("groups: {a: {gid: 65536}}\nusers: {}\n"));
}

TEST_CASE("a review needs a digest, and words on what is done and how it is met") {
  const auto good = reviews(
      "packages:\n"
      "  b: {digests: [\"0123456789abcdef\"], does: things, met: elsewhere}\n"
      "  a: {digests: [\"0123456789abcdef\", \"fedcba9876543210\"], does: more, met: nowhere}\n");
  REQUIRE(good);
  REQUIRE(good->size() == 2);
  CHECK((*good)[0].package == "a");
  CHECK((*good)[0].digests.size() == 2);
  CHECK((*good)[1].met == "elsewhere");

  const auto message = [](const std::string& fields) {
    const auto read = reviews("packages:\n  a: {" + fields + "}\n");
    REQUIRE_FALSE(read);
    return read.error().message;
  };
  CHECK(message("digests: [], does: x, met: y") == "a review needs at least one digest");
  CHECK(message("digests: [\"0123\"], does: x, met: y") == "'0123' is not a digest of scripts");
  CHECK(message("digests: [\"0123456789ABCDEF\"], does: x, met: y") ==
        "'0123456789ABCDEF' is not a digest of scripts");
  CHECK(message("digests: [\"0123456789abcdef\"], does: \"\", met: y") == "'does' is empty");
}
