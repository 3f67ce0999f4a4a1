// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/trees.hpp"

#include <functional>

#include "support/catch.hpp"

using namespace mailstead;
using rootfs::FileTree;
using rootfs::FileType;
using rootfs::Inode;

namespace {

FileTree tree() {
  FileTree made;
  Inode file;
  file.mode = 0640;
  file.uid = 1;
  file.gid = 2;
  file.mtime = 500;
  file.content = rootfs::Content("text");
  file.xattrs["security.capability"] = "\1\2";
  REQUIRE(made.put("etc/file", std::move(file)));
  REQUIRE(made.link("etc/second", "etc/file"));
  Inode link;
  link.type = FileType::symlink;
  link.target = "file";
  REQUIRE(made.put("etc/link", std::move(link)));
  return made;
}

std::string label(const std::string& path) {
  return path.starts_with("etc/") ? "label" : "other";
}

/// "path: expected / found" a line, after a change to what is found.
std::string differences(const std::function<void(FileTree&)>& change) {
  FileTree found = tree();
  change(found);
  verify::Check check;
  REQUIRE(verify::compare_trees(tree(), found, 1000, label, check));
  std::string text;
  for (const verify::Finding& finding : check.findings) {
    CHECK(finding.structure == "file");
    CHECK(finding.partition == "label");
    text += finding.path + ": " + finding.expected + " / " + finding.found + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("Equal trees have no differences") {
  CHECK(differences([](FileTree&) {}).empty());
}

TEST_CASE("Each attribute that differs is a finding of its own") {
  const auto change = [](const std::function<void(Inode&)>& how) {
    return differences([&](FileTree& found) { how(*found.find("etc/file")); });
  };
  const auto twice = [](const std::string& what) {
    return "etc/file: " + what + "\netc/second: " + what + "\n";
  };
  CHECK(change([](Inode& file) { file.mode = 04640; }) == twice("mode 0640 / mode 4640"));
  CHECK(change([](Inode& file) { file.uid = 0; }) == twice("owner 1:2 / owner 0:2"));
  CHECK(change([](Inode& file) { file.mtime = 501; }) == twice("time 500 / time 501"));
  CHECK(change([](Inode& file) { file.content = rootfs::Content("longer"); }) == twice("4 bytes / 6 bytes"));
  CHECK(change([](Inode& file) { file.content = rootfs::Content("tixt"); }).find("/ SHA-256 ") !=
        std::string::npos);
  CHECK(change([](Inode& file) { file.xattrs.clear(); }) ==
        twice("security.capability=0102 / no extended attributes"));
  CHECK(differences([](FileTree& found) { found.find("etc/link")->target = "second"; }) ==
        "etc/link: to file / to second\n");
  CHECK(differences([](FileTree& found) { found.find("etc/link")->mode = 0; }).empty());
}

TEST_CASE("What is missing, too much, of another type or no hard link any more is named") {
  CHECK(differences([](FileTree& found) { found.remove("etc/link"); }) == "etc/link: symlink / nothing\n");
  CHECK(differences([](FileTree& found) { REQUIRE(found.put("etc/more", Inode{})); }) ==
        "etc/more: nothing / file\n");
  CHECK(differences([](FileTree& found) {
          found.remove("etc/link");
          REQUIRE(found.put("etc/link", Inode{}));
        }) == "etc/link: symlink / file\n");
  CHECK(differences([](FileTree& found) {
          const Inode copy = *found.find("etc/second");
          found.remove("etc/second");
          REQUIRE(found.put("etc/second", copy));
        }) == "etc/second: a hard link to etc/file / a file of its own\n");
}

TEST_CASE("Times beyond the clock are expected to be the clock's") {
  FileTree expected;
  Inode late;
  late.mtime = 5000;
  REQUIRE(expected.put("late", late));
  FileTree found;
  late.mtime = 1000;
  REQUIRE(found.put("late", late));
  verify::Check check;
  REQUIRE(verify::compare_trees(expected, found, 1000, label, check));
  CHECK(check.findings.empty());
}

TEST_CASE("A report counts what it does not list") {
  verify::Check check;
  for (std::size_t i = 0; i < verify::kMostFindings + 3; ++i) check.add({});
  CHECK(check.findings.size() == verify::kMostFindings);
  CHECK(check.more == 3);
}
