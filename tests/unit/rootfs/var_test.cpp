// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/var.hpp"

#include <unistd.h>

#include "base/run.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::rootfs;

namespace {

Inode made(FileType type, std::uint32_t mode, std::uint32_t uid = 0, std::uint32_t gid = 0) {
  Inode inode;
  inode.type = type;
  inode.mode = mode;
  inode.uid = uid;
  inode.gid = gid;
  return inode;
}
Inode folder(std::uint32_t mode, std::uint32_t uid = 0, std::uint32_t gid = 0) {
  return made(FileType::directory, mode, uid, gid);
}
Inode text(std::string content, std::uint32_t mode = 0644, std::uint32_t uid = 0) {
  Inode inode = made(FileType::regular, mode, uid, uid);
  inode.content = Content(std::move(content));
  return inode;
}
Inode link_to(std::string target) {
  Inode inode = made(FileType::symlink, 0777);
  inode.target = std::move(target);
  return inode;
}

std::string lines_of(const FileTree& tree) {
  const auto whole = tree.find(kVarDeclaration)->content.read().value();
  return whole.substr(whole.find('\n') + 1);  // without the comment
}

}  // namespace

TEST_CASE("What is below var is declared, and only links stay") {
  FileTree tree;
  REQUIRE(tree.put("var/mail", folder(02775, 0, 8)));
  REQUIRE(tree.put("var/lib/app", folder(0750, 401, 402)));
  REQUIRE(tree.put("var/lib/app/state.db", text("state", 0600, 401)));
  REQUIRE(tree.put("var/spool/mail", link_to("../mail")));
  REQUIRE(tree.put("usr/bin/x", text("x")));
  REQUIRE(declare_var(tree, 9));
  CHECK(lines_of(tree) ==
        "d /var/lib 0755 0 0 -\n"
        "d /var/lib/app 0750 401 402 -\n"
        "C /var/lib/app/state.db 0600 401 401 - /usr/share/factory/mailstead/var/lib/app/state.db\n"
        "d /var/mail 2775 0 8 -\n"
        "d /var/spool 0755 0 0 -\n"
        "L /var/spool/mail - - - - ../mail\n");
  CHECK(tree.find("var")->type == FileType::directory);
  CHECK(dump(tree.subtree("var")).value() == "/spool dir 0755 0:0\n/spool/mail symlink ../mail\n");
  const Inode* factory = tree.find("usr/share/factory/mailstead/var/lib/app/state.db");
  REQUIRE(factory != nullptr);
  CHECK(factory->content.read().value() == "state");
  CHECK(factory->mode == 0600);
  CHECK(tree.find(kVarDeclaration)->mtime == 9);
}

TEST_CASE("Names that tmpfiles.d would misread are escaped") {
  FileTree tree;
  REQUIRE(tree.put("var/a b%c\"d\\e$\xc3\xa9", text("x")));
  REQUIRE(tree.put("var/l", link_to("a b%h")));
  REQUIRE(declare_var(tree, 0));
  CHECK(lines_of(tree) ==
        "C \"/var/a b%%c\\\"d\\\\e$\xc3\xa9\" 0644 0 0 - "
        "/usr/share/factory/mailstead/var/a\\x20b%%c\\x22d\\x5ce\\x24\xc3\xa9\n"
        "L /var/l - - - - a\\x20b%%h\n");
  REQUIRE(tree.put("var/two\nlines", text("x")));
  CHECK_FALSE(declare_var(tree, 0));
}

TEST_CASE("What packages declare themselves is left to them") {
  FileTree tree;
  REQUIRE(tree.put("usr/lib/tmpfiles.d/var.conf",
                   text("# comment\nq /var 0755 - - -\n  d\t/var/log/ 0755 - - -\nL /var/run - - - - ../run\n"
                        "z /var/cache 0700 - - -\nd\nd \n")));
  REQUIRE(tree.put("etc/tmpfiles.d/local.conf", text("d! /var/local 0700 - - -")));
  for (const char* path : {"var/log", "var/run/old", "var/cache", "var/local"})
    REQUIRE(tree.put(path, folder(0755)));
  REQUIRE(declare_var(tree, 0));
  CHECK(lines_of(tree) == "d /var/cache 0755 0 0 -\n");

  REQUIRE(tree.put("var/run/file", text("x")));
  CHECK(declare_var(tree, 0).error().message ==
        "file '/var/run/file' lies below '/var/run', which will be a symlink");
}

TEST_CASE("What systemd-tmpfiles would refuse as unsafe is an error") {
  FileTree tree;
  REQUIRE(tree.put("var/lib/app", folder(0755, 401)));
  REQUIRE(tree.put("var/lib/app/root-owned", folder(0755, 0)));
  CHECK(declare_var(tree, 0).error().message ==
        "/var/lib/app/root-owned belongs to uid 0, but lies in a directory of uid 401");
}

TEST_CASE("systemd-tmpfiles makes /var again from the declaration") {
  Command command;
  command.argv = {"systemd-tmpfiles", "--version"};
  if (!run(command)) return;
  // Without root only our own ids can be given.
  const auto uid = static_cast<std::uint32_t>(::getuid());
  const auto gid = static_cast<std::uint32_t>(::getgid());
  FileTree tree;
  REQUIRE(tree.put("var", folder(0755, uid, gid)));
  REQUIRE(tree.put("var/lib", folder(0711, uid, gid)));
  Inode odd = text("odd\n", 0640, uid);
  odd.gid = gid;
  REQUIRE(tree.put("var/lib/odd %n \\name\"", odd));
  Inode link = link_to("/usr/a b%c");
  link.uid = uid;
  link.gid = gid;
  REQUIRE(tree.put("var/lib/link", link));
  const FileTree before = tree.subtree("var");
  REQUIRE(declare_var(tree, 0));

  const auto root = TemporaryDirectory::create().value();
  const auto lay = [&](const std::string& path) {
    std::filesystem::create_directories((root.path() / path).parent_path());
    REQUIRE(write_file(root.path() / path, tree.find(path)->content.read().value(), 0600));
  };
  lay(kVarDeclaration);
  lay(std::string(kVarFactory) + "/lib/odd %n \\name\"");
  command.argv = {"systemd-tmpfiles", "--create", "--root=" + root.path().string()};
  const auto result = run(command);
  REQUIRE(result);
  INFO(result->err);
  CHECK(result->err.empty());
  CHECK(read_file(root.path() / "var/lib/odd %n \\name\"").value() == "odd\n");
  CHECK(std::filesystem::read_symlink(root.path() / "var/lib/link") == "/usr/a b%c");
  CHECK(static_cast<unsigned>(std::filesystem::status(root.path() / "var/lib").permissions()) == 0711);
  CHECK(static_cast<unsigned>(
            std::filesystem::status(root.path() / "var/lib/odd %n \\name\"").permissions()) == 0640);
}
