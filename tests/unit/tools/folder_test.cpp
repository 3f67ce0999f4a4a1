// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/folder.hpp"

#include <filesystem>
#include <string>
#include <utility>

#include "base/files.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace mailstead;
using namespace mailstead::tools;

namespace {

rootfs::Inode link_to(std::string target) {
  rootfs::Inode link;
  link.type = rootfs::FileType::symlink;
  link.target = std::move(target);
  return link;
}

}  // namespace

TEST_CASE("Symlinks of a written folder lead nowhere but into it") {
  const auto folder = TemporaryDirectory::create().value();
  rootfs::FileTree tree;
  const std::pair<const char*, const char*> kLinks[] = {{"usr/lib/relative", "x/y"},
                                                        {"usr/lib/up", "../../etc/x"},
                                                        {"usr/lib/dots", ".././../etc"},
                                                        {"usr/lib/absolute", "/etc/ssl/x"},
                                                        {"usr/lib/root", "//"},
                                                        {"top", "/var/x"},
                                                        {"root", "/"}};
  for (const auto& [name, target] : kLinks) REQUIRE(tree.put(name, link_to(target)));
  REQUIRE(write_folder(tree, folder.path()));
  const auto target_of = [&](const char* name) { return fs::read_symlink(folder.path() / name).string(); };
  CHECK(target_of("usr/lib/relative") == "x/y");
  CHECK(target_of("usr/lib/up") == "../../etc/x");
  CHECK(target_of("usr/lib/dots") == ".././../etc");
  CHECK(target_of("usr/lib/absolute") == "../../etc/ssl/x");
  CHECK(target_of("usr/lib/root") == "../../.");
  CHECK(target_of("top") == "var/x");
  CHECK(target_of("root") == ".");
}

TEST_CASE("A symlink that climbs out of a written folder is refused") {
  for (const auto& [name, target] : {std::pair("out", ".."), std::pair("usr/lib/out", "../../../tmp"),
                                     std::pair("usr/out", "/../tmp"), std::pair("usr/out", "/x/../../tmp"),
                                     // with "x" a link to "." this one climbs, too
                                     std::pair("usr/lib/out", "x/../../..")}) {
    const auto folder = TemporaryDirectory::create().value();
    rootfs::FileTree tree;
    REQUIRE(tree.put(name, link_to(target)));
    const auto written = write_folder(tree, folder.path());
    REQUIRE_FALSE(written);
    CHECK(written.error().kind == ErrorKind::integrity);
    CHECK(written.error().message ==
          std::string("the symlink ") + name + " leads out of the tree, to " + target);
    CHECK_FALSE(fs::is_symlink(fs::symlink_status(folder.path() / name)));
  }
}
