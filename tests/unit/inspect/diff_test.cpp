// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/diff.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::inspect;
using rootfs::Content;
using rootfs::FileTree;
using rootfs::FileType;
using rootfs::Inode;

namespace {

void put(FileTree& tree, const char* path, std::string text, std::uint32_t mode = 0644,
         std::uint32_t gid = 0) {
  Inode inode;
  inode.mode = mode;
  inode.gid = gid;
  inode.content = Content(std::move(text));
  REQUIRE(tree.put(path, inode));
}

void put_folder(FileTree& tree, const char* path, std::uint32_t mode) {
  Inode inode;
  inode.type = FileType::directory;
  inode.mode = mode;
  REQUIRE(tree.put(path, inode));
}

InstalledPackage package(const char* name, const char* version) {
  InstalledPackage package;
  package.record.name = name;
  package.record.version = version;
  package.record.architecture = "amd64";
  return package;
}

std::string words(const std::vector<FileDifference>& differences) {
  ImageDifference difference;
  difference.files = differences;
  return describe(difference);
}

}  // namespace

TEST_CASE("Trees differ by type, owner, mode, content and target, not by time") {
  FileTree before;
  FileTree after;
  put(before, "etc/same", "x");
  put(after, "etc/same", "x");
  after.find("etc/same")->mtime = 5;
  put(before, "etc/gone", "x");
  put(before, "etc/mode", "x", 0644, 0);
  put(after, "etc/mode", "x", 0600, 8);
  put(before, "etc/text", "one");
  put(after, "etc/text", "two");
  put(before, "etc/size", "one");
  put(after, "etc/size", "three");
  put(before, "etc/type", "x");
  put_folder(after, "etc/type", 0644);
  put(after, "new\x1b", "x");
  const auto differences = diff_trees(before, after);
  REQUIRE(differences);
  CHECK(words(*differences) == R"(files
  - /etc/gone
  ~ /etc/mode: mode 0644 -> 0600; owner 0:0 -> 0:8
  ~ /etc/size: content, 3 -> 5 bytes
  ~ /etc/text: content
  ~ /etc/type: file -> folder
  + /new\x1b
)");
  const auto none = diff_trees(before, before);
  REQUIRE(none);
  CHECK(none->empty());
}

TEST_CASE("Configuration is shown as a unified diff") {
  FileTree before;
  FileTree after;
  put(before, "etc/a.conf", "one\ntwo\n");
  put(after, "etc/a.conf", "one\n\tthree\x1b[0m\n");
  const auto changed = unified_diff(before, after, "etc/a.conf");
  REQUIRE(changed);
  CHECK(*changed == "--- a/etc/a.conf\n+++ b/etc/a.conf\n@@ -1,2 +1,2 @@\n one\n-two\n+\tthree\\x1b[0m\n");
  put(after, "etc/b.conf", "new\n");
  const auto added = unified_diff(before, after, "etc/b.conf");
  REQUIRE(added);
  CHECK(*added == "--- /dev/null\n+++ b/etc/b.conf\n@@ -0,0 +1 @@\n+new\n");
}

TEST_CASE("What is not for everyone to read is never shown, on whichever side it is so") {
  FileTree open;
  FileTree closed;
  put(open, "etc/key", "secret one\n");
  put(closed, "etc/key", "secret two\n", 0640);
  put_folder(open, "etc/private", 0755);
  put_folder(closed, "etc/private", 0700);
  put(open, "etc/private/key", "secret one\n");
  put(closed, "etc/private/key", "secret two\n");
  for (const char* path : {"etc/key", "etc/private/key"}) {
    CHECK(is_public(open, path));
    CHECK_FALSE(is_public(closed, path));
    for (const auto& shown : {unified_diff(open, closed, path), unified_diff(closed, open, path),
                              unified_diff(FileTree(), closed, path)}) {
      REQUIRE(shown);
      CHECK(shown->empty());
    }
  }
}

TEST_CASE("Maps that are no text are not shown") {
  FileTree before;
  FileTree after;
  put(before, "etc/map.cdb", std::string("a\0b", 3));
  put(after, "etc/map.cdb", "text\n");
  const auto shown = unified_diff(before, after, "etc/map.cdb");
  REQUIRE(shown);
  CHECK(shown->empty());
}

TEST_CASE("Packages differ by version, in Debian's order of versions") {
  ImageDifference difference;
  difference.packages =
      diff_packages({package("a", "1.9"), package("b", "1.0"), package("c", "2.0"), package("e", "1")},
                    {package("a", "1.10"), package("c", "2.0~rc1"), package("d", "1"), package("e", "1")});
  CHECK(describe(difference) == R"(packages
  ~ a 1.9 -> 1.10
  - b 1.0
  ~ c 2.0 -> 2.0~rc1 (older)
  + d 1
)");
}

TEST_CASE("No difference is no text") {
  const ImageDifference difference;
  CHECK(difference.empty());
  CHECK(describe(difference).empty());
  CHECK(to_json(difference).starts_with("{\n  \"same\": true,\n"));
}
