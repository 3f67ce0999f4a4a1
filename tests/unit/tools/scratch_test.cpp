// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/scratch.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace mailstead;
using namespace mailstead::tools;

namespace {

std::size_t count(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("A scratch folder goes with its owner, and others leave it alone until then") {
  const auto parent = TemporaryDirectory::create().value();
  const fs::path work = parent.path() / "cache/scratch";
  {
    auto one = ScratchFolder::create(work);
    auto two = ScratchFolder::create(work);
    REQUIRE(one);
    REQUIRE(two);
    CHECK(one->path() != two->path());
    REQUIRE(write_file(one->path() / "file", "x"));
    remove_leftovers(work);
    CHECK(fs::exists(one->path() / "file"));
    const ScratchFolder moved = *std::move(one);
    CHECK(fs::exists(moved.path() / "file"));
    CHECK(count(work) == 2);
  }
  CHECK(fs::is_empty(work));
}

TEST_CASE("What a killed process has left is removed, and nothing else") {
  const auto parent = TemporaryDirectory::create().value();
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto folder = ScratchFolder::create(parent.path());
    if (folder && make_directories(folder->path() / "a/b") &&
        write_file(folder->path() / "a/b/key", "secret"))
      static_cast<void>(::write(ready[1], "x", 1));
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  fs::create_directories(parent.path() / "other");
  REQUIRE(write_file(parent.path() / "mailstead.file", "x"));
  remove_leftovers(parent.path());
  CHECK(count(parent.path()) == 3);  // at work
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  // And one without a lock file, as a process that is killed at once leaves it.
  fs::create_directory(parent.path() / "mailstead.abcdef");
  remove_leftovers(parent.path());
  CHECK(count(parent.path()) == 2);
  CHECK(fs::exists(parent.path() / "other"));
  CHECK(fs::exists(parent.path() / "mailstead.file"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("Folders that were not used for 30 days are removed") {
  const auto parent = TemporaryDirectory::create().value();
  const auto make = [&](const char* name, int days, bool marked) {
    const fs::path folder = parent.path() / name;
    fs::create_directories(folder);
    const fs::path dated = marked ? folder / "mark" : folder;
    if (marked) REQUIRE(write_file(dated, "x"));
    fs::last_write_time(dated, fs::file_time_type::clock::now() - std::chrono::hours(24 * days));
  };
  make("old", 31, true);
  make("new", 29, true);
  make("touched", 90, true);
  make("unmarked", 31, false);
  make("unmarked-new", 0, false);
  touch(parent.path() / "touched/mark");
  REQUIRE(write_file(parent.path() / ".lock", ""));
  remove_unused(parent.path(), "mark");
  CHECK_FALSE(fs::exists(parent.path() / "old"));
  CHECK_FALSE(fs::exists(parent.path() / "unmarked"));
  for (const char* name : {"new", "touched", "unmarked-new", ".lock"})
    CHECK(fs::exists(parent.path() / name));
  CHECK(count(parent.path()) == 4);
  remove_unused(parent.path() / "missing", "mark");
  CHECK_FALSE(fs::exists(parent.path() / "missing"));
}
