// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/file_tree.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::rootfs;

namespace {

Inode regular(std::string text, std::uint32_t mode = 0644) {
  Inode inode;
  inode.mode = mode;
  inode.content = Content(std::move(text));
  return inode;
}

Inode folder(std::uint32_t mode = 0755) {
  Inode inode;
  inode.type = FileType::directory;
  inode.mode = mode;
  return inode;
}

Inode link_to(std::string target) {
  Inode inode;
  inode.type = FileType::symlink;
  inode.target = std::move(target);
  return inode;
}

std::string paths_of(const FileTree& tree) {
  std::string text;
  for (const auto& [path, inode] : tree) text += path + "\n";
  return text;
}

}  // namespace

TEST_CASE("a symlink is root's, and all have the same mode") {
  const Inode inode = symlink_inode("../x", 7, "origin");
  CHECK(inode.type == FileType::symlink);
  CHECK(inode.mode == 0777);
  CHECK(inode.uid == 0);
  CHECK(inode.gid == 0);
  CHECK(inode.mtime == 7);
  CHECK(inode.target == "../x");
  CHECK(inode.origin == "origin");
}

TEST_CASE("A tree makes missing parents and dumps a line a path") {
  FileTree tree;
  REQUIRE(tree.put("etc/postfix/main.cf", regular("a\n")));
  REQUIRE(tree.put("bin", link_to("usr/bin")));
  Inode sudo = regular("x", 04755);
  sudo.gid = 7;
  REQUIRE(tree.put("usr/bin/sudo", sudo));
  // sha256sum of "a\n" and "x"
  CHECK(dump(tree).value() ==
        "/bin symlink usr/bin\n"
        "/etc dir 0755 0:0\n"
        "/etc/postfix dir 0755 0:0\n"
        "/etc/postfix/main.cf file 0644 0:0 87428fc5\n"
        "/usr dir 0755 0:0\n"
        "/usr/bin dir 0755 0:0\n"
        "/usr/bin/sudo file 4755 0:7 2d711642\n");
}

TEST_CASE("Paths go through the symlinks of the tree") {
  FileTree tree;
  REQUIRE(tree.put("bin", link_to("usr/bin")));
  REQUIRE(tree.put("a/b/up", link_to("../../bin")));
  REQUIRE(tree.put("abs", link_to("/a/b")));
  CHECK(tree.canonical("bin/sh").value() == "usr/bin/sh");
  CHECK(tree.canonical("bin").value() == "bin");
  CHECK(tree.canonical("a/b/up/sh").value() == "usr/bin/sh");
  CHECK(tree.canonical("abs/up/x/y").value() == "usr/bin/x/y");
  REQUIRE(tree.put("bin/sh", regular("dash")));
  CHECK(tree.find("usr/bin/sh") != nullptr);
  CHECK(tree.find("bin/sh") == tree.find("abs/up/sh"));
  CHECK(tree.remove("bin/sh") == 1);
  CHECK(tree.find("usr/bin/sh") == nullptr);
}

TEST_CASE("Unsafe paths are refused") {
  FileTree tree;
  REQUIRE(tree.put("out", link_to("../../etc")));
  REQUIRE(tree.put("d/out", link_to("../..")));
  REQUIRE(tree.put("loop", link_to("pool")));
  REQUIRE(tree.put("pool", link_to("loop/x")));
  for (const std::string path : {"", "/etc", "etc/", "a//b", "./a", "a/./b", "../a", "a/..", ".."}) {
    INFO(path);
    CHECK_FALSE(tree.canonical(path));
    CHECK_FALSE(tree.put(path, regular("")));
    CHECK(tree.find(path) == nullptr);
  }
  CHECK_FALSE(tree.canonical(std::string_view("a\0b", 3)));
  CHECK(tree.canonical("out/x").error().message == "path 'out/x' leads out of the tree through a symlink");
  CHECK(tree.canonical("d/out/x").error().message ==
        "path 'd/out/x' leads out of the tree through a symlink");
  CHECK(tree.canonical("loop/x").error().message == "path 'loop/x' has a loop of symlinks");
  CHECK(tree.canonical("loop/x").error().kind == ErrorKind::integrity);
}

TEST_CASE("Types that do not fit are refused") {
  FileTree tree;
  REQUIRE(tree.put("d/f", regular("1")));
  Inode mine = regular("2");
  mine.origin = "hello";
  CHECK(tree.put("d", mine).error().message == "file 'd' of hello meets a directory of the same name");
  CHECK(tree.put("d", link_to("e")).error().message == "symlink 'd' meets a directory of the same name");
  CHECK(tree.put("d/f", folder()).error().message == "directory 'd/f' meets a file of the same name");
  CHECK(tree.put("d/f/g", regular("3")).error().message == "'d/f/g' cannot be below 'd/f', which is a file");
  CHECK(paths_of(tree) == "d\nd/f\n");
}

TEST_CASE("A directory over a directory keeps the children, over a symlink to one it keeps the symlink") {
  FileTree tree;
  REQUIRE(tree.put("d/f", regular("1")));
  REQUIRE(tree.put("d", folder(0700)));
  REQUIRE(tree.put("l", link_to("d")));
  REQUIRE(tree.put("l", folder(0711)));
  REQUIRE(tree.put("dangling", link_to("later/on")));
  REQUIRE(tree.put("dangling", folder(0750)));
  CHECK(tree.find("d")->mode == 0700);
  CHECK(tree.find("l")->type == FileType::symlink);
  CHECK(tree.find("later/on")->mode == 0750);
  CHECK(paths_of(tree) == "d\nd/f\ndangling\nl\nlater\nlater/on\n");
  REQUIRE(tree.put("file-link", link_to("d/f")));
  CHECK_FALSE(tree.put("file-link", folder()));
}

TEST_CASE("Iteration is in byte order and removal takes children only") {
  FileTree tree;
  for (const char* path : {"a/b", "a-b", "a.c", "a0", "a/b-c", "B", "a/z/y"})
    REQUIRE(tree.put(path, regular(path)));
  CHECK(paths_of(tree) == "B\na\na-b\na.c\na/b\na/b-c\na/z\na/z/y\na0\n");
  CHECK(tree.remove("nothing") == 0);
  CHECK(tree.remove("a") == 5);
  CHECK(paths_of(tree) == "B\na-b\na.c\na0\n");
}

TEST_CASE("Globs remove what they match, also below directories") {
  FileTree tree;
  for (const char* path :
       {"usr/share/doc/x/README", "usr/share/doc/x/copyright", "usr/share/man/man1/x.1", "usr/bin/x"}) {
    REQUIRE(tree.put(path, regular(path)));
  }
  CHECK(tree.remove_matching("usr/share/doc/*/README") == 1);
  CHECK(tree.find("usr/share/doc/x/copyright") != nullptr);
  CHECK(tree.remove_matching("usr/share/*/*") == 4);
  CHECK(paths_of(tree) == "usr\nusr/bin\nusr/bin/x\nusr/share\nusr/share/doc\nusr/share/man\n");
}

TEST_CASE("Hard links share one inode") {
  FileTree tree;
  REQUIRE(tree.put("a", regular("1")));
  REQUIRE(tree.put("d", folder()));
  REQUIRE(tree.link("x/b", "a"));
  tree.find("x/b")->mode = 0600;
  CHECK(tree.find("a")->mode == 0600);
  CHECK_FALSE(tree.link("c", "missing"));
  CHECK_FALSE(tree.link("c", "d"));
  REQUIRE(tree.put("a", regular("2")));
  CHECK(tree.find("x/b")->content.read().value() == "1");
}

TEST_CASE("A subtree has relative paths and shares inodes") {
  FileTree tree;
  REQUIRE(tree.put("usr/lib/a", regular("1")));
  REQUIRE(tree.put("usr-local", regular("2")));
  const FileTree usr = tree.subtree("usr");
  CHECK(paths_of(usr) == "lib\nlib/a\n");
  CHECK(usr.find("lib/a") == tree.find("usr/lib/a"));
  CHECK(tree.subtree("missing").empty());
}

TEST_CASE("Content comes from memory or from a range of a file") {
  char name[] = "/tmp/mailstead-content-XXXXXX";
  const int fd = ::mkstemp(name);
  REQUIRE(fd >= 0);
  ::unlink(name);
  std::string data(700'000, 'a');
  data[300'000] = 'b';
  REQUIRE(::write(fd, data.data(), data.size()) == static_cast<ssize_t>(data.size()));
  const auto spool = std::make_shared<const FileDescriptor>(fd);

  const Content range(spool, 1, data.size() - 1);
  CHECK(range.size() == data.size() - 1);
  CHECK(range.read().value() == data.substr(1));
  std::string streamed;
  int blocks = 0;
  REQUIRE(range.stream([&](const char* bytes, std::size_t size) {
    streamed.append(bytes, size);
    ++blocks;
    return ok();
  }));
  CHECK(streamed == data.substr(1));
  CHECK(blocks > 1);

  CHECK(Content().read().value().empty());
  CHECK(Content("x").read().value() == "x");
  CHECK(Content(spool, 0, data.size() + 1).read().error().kind == ErrorKind::internal);
  const Status stopped = range.stream([](const char*, std::size_t) { return fail(ErrorKind::io, "full"); });
  CHECK(stopped.error().message == "full");
}
