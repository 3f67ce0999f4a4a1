// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>

#include "base/files.hpp"
#include "pipeline/base.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::pipeline;

TEST_CASE("Where a base cannot be put is said before it is made") {
  const auto folder = TemporaryDirectory::create().value();
  const std::filesystem::path top = folder.path();
  REQUIRE(make_directories(top / "full/inside"));
  REQUIRE(make_directories(top / "empty"));
  REQUIRE(write_file(top / "file", ""));
  for (const char* good : {"new", "new/", "empty", "empty/"}) {
    INFO(good);
    CHECK(require_export_place(top / good));
  }
  CHECK_FALSE(std::filesystem::exists(top / "new"));
  for (const char* taken : {"full", "file"}) {
    const auto refused = require_export_place(top / taken);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::usage);
    CHECK(refused.error().message == (top / taken).string() + " is not an empty folder");
  }
  for (const char* nowhere : {"none/new", "none/new/"}) {
    const auto refused = require_export_place(top / nowhere);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::io);
    CHECK(refused.error().message ==
          "cannot make " + (top / nowhere).string() + ": its folder does not exist");
    CHECK(refused.error().hint == "make it with `mkdir -p " + (top / "none").string() + "`");
  }
  CHECK_FALSE(require_export_place(top / "file/new"));
}
