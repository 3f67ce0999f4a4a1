// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/output.hpp"

#include <sys/stat.h>

#include "base/files.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace mailstead;

namespace {

std::string refusal(const Result<fs::path>& result) {
  REQUIRE(!result);
  return result.error().message + "; " + result.error().hint;
}

}  // namespace

TEST_CASE("a result goes to the file that a symbolic link leads to") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const fs::path root = fs::canonical(folder.path());
  fs::create_directories(root / "store");
  REQUIRE(write_file(root / "store/real", "old"));
  fs::create_symlink("store/real", root / "inner");
  fs::create_symlink(root / "inner", root / "outer");
  CHECK(output_file(root / "outer").value() == root / "store/real");
  CHECK(output_file(root / "new").value() == root / "new");
  // Internal files follow the same rule.
  REQUIRE(write_file(root / "outer", "new"));
  CHECK(fs::is_symlink(root / "outer"));
  CHECK(read_file(root / "store/real").value() == "new");
}

TEST_CASE("what is no place for a result is refused with the way out") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const fs::path root = fs::canonical(folder.path());
  const std::string at = root.string() + "/";
  fs::create_symlink("none", root / "dangling");
  fs::create_symlink("b", root / "a");
  fs::create_symlink("a", root / "b");
  fs::create_symlink(root, root / "to-folder");
  fs::create_symlink("/dev/null", root / "to-device");
  REQUIRE(::mkfifo((root / "pipe").c_str(), 0600) == 0);
  CHECK(refusal(output_file(root / "dangling")) == at + "dangling is a symbolic link to none, which does not "
                                                        "exist; remove the link, or make what it leads to "
                                                        "available (is a disk not mounted?)");
  // What is missing is named, not a link on the way to it.
  fs::create_directories(root / "sub");
  fs::create_symlink("../none", root / "sub/middle");
  fs::create_symlink("sub/middle", root / "chain");
  CHECK(
      refusal(output_file(root / "chain")) ==
      at + "chain is a symbolic link to sub/middle, which leads to " + at +
          "sub/../none, which does not exist; remove the link, or make what it leads to available (is a disk "
          "not mounted?)");
  CHECK(refusal(output_file(root / "a")) ==
        "the symbolic link " + at + "a leads to itself; remove it, or name another file");
  CHECK(refusal(output_file(root)) == root.string() + " is a folder; name a file in it");
  CHECK(refusal(output_file(root / "to-folder")) ==
        root.string() + " (by " + at + "to-folder) is a folder; name a file in it");
  CHECK(refusal(output_file(root / "to-device")) ==
        "/dev/null (by " + at + "to-device) is not a file; name a file");
  CHECK(refusal(output_file(root / "pipe")) == at + "pipe is not a file; name a file");
  CHECK(refusal(output_file("-")) ==
        "the result cannot be written to standard output; name a file (./- for a file named -)");
  CHECK(refusal(output_file(root / "none/file")) ==
        "cannot write " + at + "none/file: its folder does not exist; make it with `mkdir -p " + at +
            "none`");
  CHECK(output_file(fs::path(".") / "-").value() == fs::path(".") / "-");
}

TEST_CASE("a document replaces nothing but a document") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  REQUIRE(write_file(folder.path() / "letter", "Dear"));
  REQUIRE(write_file(folder.path() / "json", "{}"));
  REQUIRE(write_file(folder.path() / "empty", ""));
  CHECK(refusal(document_file(folder.path() / "letter")) ==
        (folder.path() / "letter").string() +
            " exists and is not a JSON document, so it is not overwritten; name another file, or remove "
            "this one");
  CHECK(document_file(folder.path() / "json"));
  CHECK(document_file(folder.path() / "empty"));
  CHECK(document_file(folder.path() / "new"));
}
