// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/archive_writer.hpp"

#include <archive.h>
#include <archive_entry.h>

#include "crypto/digest.hpp"
#include "support/catch.hpp"
#include "support/deb_builder.hpp"
#include "support/program.hpp"

using namespace mailstead;
using namespace mailstead::rootfs;

namespace {

Inode regular(std::string content, std::uint32_t mode = 0644) {
  Inode inode;
  inode.mode = mode;
  inode.mtime = 1'700'000'000;
  inode.content = Content(std::move(content));
  return inode;
}

const std::string kLong = "usr/" + std::string(110, 'p') + "/" + std::string(120, 'n') + "\xc5\x91";
const std::string kCapability(
    "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);

FileTree ordinary() {
  FileTree tree;
  Inode link;
  link.type = FileType::symlink;
  link.target = "usr/bin";
  link.mtime = 1;
  REQUIRE(tree.put("bin", link));
  Inode sudo = regular("sudo", 04755);
  sudo.uid = 7;
  sudo.gid = 61184;
  sudo.origin = "sudo";
  sudo.xattrs["security.capability"] = kCapability;
  REQUIRE(tree.put("usr/bin/sudo", sudo));
  REQUIRE(tree.link("usr/bin/zsudo", "usr/bin/sudo"));
  REQUIRE(tree.link("usr/aaa", "usr/bin/sudo"));
  Inode far = regular("far ids");
  far.uid = 4'000'000'000u;
  far.gid = 3'000'000u;
  REQUIRE(tree.put("usr/far", far));
  REQUIRE(tree.put("usr/empty", regular("")));
  REQUIRE(tree.put("usr/F\xc5\x91", regular("utf-8")));
  REQUIRE(tree.put(kLong, regular(std::string(3'000'001, 'B'))));
  Inode far_link;
  far_link.type = FileType::symlink;
  far_link.target = "/" + std::string(150, 't');
  REQUIRE(tree.put("usr/far-link", far_link));
  Inode tmp;
  tmp.type = FileType::directory;
  tmp.mode = 01777;
  REQUIRE(tree.put("tmp", tmp));
  return tree;
}

Sink into(std::string& bytes) {
  return [&bytes](const char* data, std::size_t size) {
    bytes.append(data, size);
    return ok();
  };
}

std::string tar_of(const FileTree& tree, Origins origins = Origins::leave_out) {
  std::string bytes;
  REQUIRE(write_tar(tree, into(bytes), origins));
  return bytes;
}
std::string cpio_of(const FileTree& tree) {
  std::string bytes;
  REQUIRE(write_cpio(tree, into(bytes)));
  return bytes;
}

/// The archive as libarchive, which wrote none of it, sees it. A line an entry.
std::string listing(const std::string& bytes) {
  archive* reader = archive_read_new();
  archive_read_support_format_tar(reader);
  archive_read_support_format_cpio(reader);
  REQUIRE(archive_read_open_memory(reader, bytes.data(), bytes.size()) == ARCHIVE_OK);
  std::string text;
  archive_entry* entry = nullptr;
  int status = 0;
  while ((status = archive_read_next_header(reader, &entry)) == ARCHIVE_OK) {
    const bool plain = archive_entry_filetype(entry) == AE_IFREG;
    std::string content(plain ? static_cast<std::size_t>(archive_entry_size(entry)) : 0, '\0');
    if (!content.empty())
      REQUIRE(archive_read_data(reader, content.data(), content.size()) ==
              static_cast<la_ssize_t>(content.size()));
    const char* hard = archive_entry_hardlink(entry);
    const char* soft = archive_entry_symlink(entry);
    text += archive_entry_strmode(entry);
    text += std::to_string(archive_entry_uid(entry)) + ":" + std::to_string(archive_entry_gid(entry)) + " @" +
            std::to_string(archive_entry_mtime(entry)) + " " + std::to_string(content.size()) + " " +
            archive_entry_pathname(entry);
    if (hard != nullptr) text += std::string(" = ") + hard;
    if (soft != nullptr) text += std::string(" -> ") + soft;
    if (archive_entry_xattr_count(entry) > 0) text += " +xattr";
    if (archive_entry_uname(entry) != nullptr && *archive_entry_uname(entry) != '\0') text += " uname";
    text += "\n";
  }
  CHECK(status == ARCHIVE_EOF);
  archive_read_free(reader);
  return text;
}

std::filesystem::path saved(const TemporaryDirectory& folder, const std::string& bytes) {
  const auto path = folder.path() / "archive";
  REQUIRE(write_file(path, bytes));
  return path;
}

}  // namespace

TEST_CASE("An independent reader sees the tar as the tree is") {
  CHECK(listing(tar_of(ordinary())) ==
        "lrwxrwxrwx 0:0 @1 0 bin -> usr/bin\n"
        "drwxrwxrwt 0:0 @0 0 tmp/\n"
        "drwxr-xr-x 0:0 @1700000000 0 usr/\n"
        "-rw-r--r-- 0:0 @1700000000 5 usr/F\xc5\x91\n"
        "-rwsr-xr-x 7:61184 @1700000000 4 usr/aaa +xattr\n"
        "drwxr-xr-x 0:0 @1700000000 0 usr/bin/\n"
        "hrwsr-xr-x 7:61184 @1700000000 0 usr/bin/sudo = usr/aaa\n"
        "hrwsr-xr-x 7:61184 @1700000000 0 usr/bin/zsudo = usr/aaa\n"
        "-rw-r--r-- 0:0 @1700000000 0 usr/empty\n"
        "-rw-r--r-- 4000000000:3000000 @1700000000 7 usr/far\n"
        "lrwxrwxrwx 0:0 @0 0 usr/far-link -> /" +
            std::string(150, 't') +
            "\n"
            "drwxr-xr-x 0:0 @1700000000 0 usr/" +
            std::string(110, 'p') +
            "/\n"
            "-rw-r--r-- 0:0 @1700000000 3000001 " +
            kLong + "\n");
}

TEST_CASE("An independent reader sees the cpio archive as the tree is") {
  CHECK(listing(cpio_of(ordinary())) ==
        "lrwxrwxrwx 0:0 @1 0 bin -> usr/bin\n"
        "drwxrwxrwt 0:0 @0 0 tmp\n"
        "drwxr-xr-x 0:0 @1700000000 0 usr\n"
        "-rw-r--r-- 0:0 @1700000000 5 usr/F\xc5\x91\n"
        "-rwsr-xr-x 7:61184 @1700000000 0 usr/aaa\n"
        "drwxr-xr-x 0:0 @1700000000 0 usr/bin\n"
        "-rwsr-xr-x 7:61184 @1700000000 0 usr/bin/sudo = usr/aaa\n"
        "-rwsr-xr-x 7:61184 @1700000000 4 usr/bin/zsudo = usr/aaa\n"
        "-rw-r--r-- 0:0 @1700000000 0 usr/empty\n"
        "-rw-r--r-- 4000000000:3000000 @1700000000 7 usr/far\n"
        "lrwxrwxrwx 0:0 @0 0 usr/far-link -> /" +
            std::string(150, 't') +
            "\n"
            "drwxr-xr-x 0:0 @1700000000 0 usr/" +
            std::string(110, 'p') +
            "\n"
            "-rw-r--r-- 0:0 @1700000000 3000001 " +
            kLong + "\n");
}

TEST_CASE("GNU tar and GNU cpio list the archives without complaint") {
  const auto folder = TemporaryDirectory::create().value();
  Command command;
  command.argv = {"tar", "--version"};
  if (run(command)) {
    command.argv = {"tar", "--quoting-style=literal", "-tf", saved(folder, tar_of(ordinary())).string()};
    const auto list = run(command);
    REQUIRE(list);
    CHECK(list->err.find("unknown extended header keyword 'hdrcharset'") ==
          list->err.rfind("unknown extended header keyword 'hdrcharset'"));
    CHECK(list->out.find("usr/bin/zsudo\nusr/empty\nusr/far\nusr/far-link\n") != std::string::npos);
    CHECK(list->out.find(kLong + "\n") != std::string::npos);
  }
  command.argv = {"cpio", "--version"};
  if (run(command)) {
    command.argv = {"cpio", "--quiet", "-t"};
    command.input = cpio_of(ordinary());
    const auto list = run(command);
    REQUIRE(list);
    CHECK(list->err.empty());
    CHECK(list->out.find("usr/bin/zsudo\nusr/empty\nusr/far\nusr/far-link\n") != std::string::npos);
  }
}

TEST_CASE("A tree comes back from its tar") {
  const auto folder = TemporaryDirectory::create().value();
  const FileTree tree = ordinary();
  const auto path = saved(folder, tar_of(tree, Origins::keep));
  const auto back = read_tar(path);
  REQUIRE(back);
  CHECK(dump(*back).value() == dump(tree).value());
  CHECK(back->find("usr/aaa") == back->find("usr/bin/zsudo"));
  CHECK(back->find("usr/aaa")->xattrs ==
        std::map<std::string, std::string>{{"security.capability", kCapability}});
  CHECK(back->find("usr/aaa")->origin == "sudo");
  CHECK(back->find("usr/aaa")->mtime == 1'700'000'000);
  CHECK(back->find("usr/far")->uid == 4'000'000'000u);
  CHECK(tar_of(*back, Origins::keep) == tar_of(tree, Origins::keep));
  std::filesystem::remove(path);
  CHECK(back->find(kLong)->content.read().value() == std::string(3'000'001, 'B'));
}

TEST_CASE("A tar of more paths or longer names than a tree may have is refused") {
  const auto folder = TemporaryDirectory::create().value();
  FileTree tree;
  Inode link;
  link.type = FileType::symlink;
  link.target = "b";
  REQUIRE(tree.put("a", link));
  Inode file = regular("content");
  file.xattrs["user.x"] = "12345";
  REQUIRE(tree.put("b/cd", file));  // and the folder
  REQUIRE(tree.link("b/e", "b/cd"));
  const auto path = saved(folder, tar_of(tree));
  constexpr std::size_t kNames = 1 + 1 + 1 + 4 + 3 + 6 + 5;
  const auto whole = read_tar(path, {4, kNames});
  REQUIRE(whole);
  CHECK(dump(*whole).value() == dump(tree).value());
  const auto refusal = [](const std::filesystem::path& tar, const TarLimits& limits) {
    const auto read = read_tar(tar, limits);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::integrity);
    return read.error().message;
  };
  CHECK(refusal(path, {3, kNames}) == "the archive has more than 3 paths");
  CHECK(refusal(path, {4, kNames - 1}) == "the names in the archive have more than 20 bytes");

  // Folders that are not named themselves: one entry is as many as there are in its path.
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "d/";
  std::filesystem::create_directories(folder.path() / deep);
  const std::string tar = (folder.path() / "deep.tar").string();
  test::output_of({"tar", "--no-recursion", "-cf", tar, "-C", folder.path().string(), deep});
  REQUIRE(read_tar(tar, {40, 80 + 39 * 4095}));
  CHECK(refusal(tar, {39, 1u << 20}) == "the archive has more than 39 paths");
  CHECK(refusal(tar, {40, 78 + 39 * 4095}) == "the names in the archive have more than 159783 bytes");

  // A folder that comes where a symlink is lies where that one points.
  const std::string both = (folder.path() / "both.tar").string();
  std::filesystem::create_symlink("long", folder.path() / "s");
  test::output_of({"tar", "-cf", both, "-C", folder.path().string(), "s"});
  std::filesystem::remove(folder.path() / "s");
  std::filesystem::create_directory(folder.path() / "s");
  test::output_of({"tar", "-rf", both, "-C", folder.path().string(), "s"});
  CHECK(read_tar(both, {2, 1 + 4 + 4095}));
  CHECK(refusal(both, {2, 1 + 4 + 4094}) == "the names in the archive have more than 4099 bytes");
}

TEST_CASE("A tar that is cut or damaged is refused") {
  const auto folder = TemporaryDirectory::create().value();
  const std::string whole = tar_of(ordinary());
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{512}, whole.size() / 2, whole.size() - 1024, whole.size() - 1}) {
    INFO(size);
    CHECK_FALSE(read_tar(saved(folder, whole.substr(0, size))));
  }
  std::string damaged = whole;
  damaged[600] ^= 1;
  CHECK(read_tar(saved(folder, damaged)).error().kind == ErrorKind::integrity);
  CHECK(read_tar(folder.path() / "missing").error().kind == ErrorKind::io);
}

TEST_CASE(
    "Names that another writer declares to be UTF-8 are read as the bytes they are, whatever the locale") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const std::string name = "F\xc5\x91tan\xc3\xbas";
  REQUIRE(write_file(folder.path() / name, "text"));
  const std::string tar = (folder.path() / "made.tar").string();
  test::output_of({"tar", "--format=posix", "-cf", tar, "-C", folder.path().string(), name});
  const auto tree = read_tar(tar);
  REQUIRE(tree);
  REQUIRE(tree->find(name) != nullptr);
  CHECK(tree->find(name)->content.read().value() == "text");
}

TEST_CASE("The error of a sink comes back") {
  const Sink full = [](const char*, std::size_t) -> Status { return fail(ErrorKind::io, "disk full"); };
  CHECK(write_tar(ordinary(), full).error().message == "disk full");
  CHECK(write_cpio(ordinary(), full).error().message == "disk full");
}

TEST_CASE("Times and sizes that a format lacks are refused") {
  FileTree tree;
  Inode old = regular("x");
  old.mtime = -1;
  REQUIRE(tree.put("x", old));
  std::string bytes;
  CHECK_FALSE(write_tar(tree, into(bytes)));
  CHECK_FALSE(write_cpio(tree, into(bytes)));
}

TEST_CASE("What no tree can hold is refused with its path") {
  const auto folder = TemporaryDirectory::create().value();
  const auto refused = read_tar(saved(folder, test::make_tar({test::symbolic_link("./y", "a\x1b")})));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "the symlink's target 'a\\x1b' holds control characters");
  REQUIRE(refused.error().notes.size() == 2);
  CHECK(refused.error().notes[0] == "reading its file 'y'");
}
