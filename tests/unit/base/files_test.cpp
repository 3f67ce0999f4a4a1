// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>

#include "support/catch.hpp"

namespace mailstead {
namespace {

/// An environment variable as long as this is there.
class Variable {
 public:
  Variable(const char* name, const std::filesystem::path& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

TEST_CASE("write_all writes what a pipe takes in several pieces, and tells what nobody reads") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const FileDescriptor from(ends[0]);
  FileDescriptor to(ends[1]);
  const std::string data(1 << 20, 'x');
  std::string got;
  std::thread reader([&] {
    std::string part(4096, '\0');
    for (ssize_t count; (count = ::read(from.get(), part.data(), part.size())) > 0;)
      got.append(part, 0, static_cast<std::size_t>(count));
  });
  const bool written = write_all(to.get(), data);
  to.reset();
  reader.join();
  CHECK(written);
  CHECK(got == data);
  CHECK(write_all(to.get(), ""));
  CHECK_FALSE(write_all(from.get(), "x"));
  CHECK(errno == EBADF);
}

TEST_CASE("write_file replaces whole files with an exact mode whatever the umask") {
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder);
  const auto path = folder->path() / "key";
  const mode_t before = ::umask(0);
  CHECK(write_file(path, "one", 0600));
  ::umask(0777);
  CHECK(write_file(path, "two", 0640));
  ::umask(before);
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);
  CHECK(read_file(path).value() == "two");
  CHECK(std::distance(std::filesystem::directory_iterator(folder->path()), {}) == 1);
}

TEST_CASE("write_file leaves nothing behind when it cannot finish") {
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder);
  std::filesystem::create_directory(folder->path() / "taken");
  std::filesystem::create_directory(folder->path() / "taken" / "inside");
  CHECK_FALSE(write_file(folder->path() / "taken", "text"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder->path()), {}) == 1);
}

TEST_CASE("read_file refuses what is too large, not regular or not there") {
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder);
  REQUIRE(write_file(folder->path() / "big", std::string(100, 'x')));
  CHECK_FALSE(read_file(folder->path() / "big", 99));
  CHECK_FALSE(read_file(folder->path()));
  CHECK_FALSE(read_file("/dev/null"));
  CHECK_FALSE(read_file(folder->path() / "none"));
}

TEST_CASE("TemporaryDirectory goes with all that it holds") {
  std::filesystem::path path;
  {
    const auto folder = TemporaryDirectory::create();
    REQUIRE(folder);
    path = folder->path();
    REQUIRE(make_directories(path / "a" / "b"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("Folders named in the environment are known without '..' and symlinks") {
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder);
  const std::filesystem::path top = std::filesystem::canonical(folder->path());
  for (const char* there : {"site", "data", "data/profiles", "data/rootfs-overlays"})
    std::filesystem::create_directory(top / there);
  std::filesystem::create_directory_symlink("site", top / "link");
  {
    const Variable cache("MAILSTEAD_CACHE", folder->path() / "site/../new/cache");
    CHECK(cache_directory().value() == top / "new/cache");
    CHECK(std::filesystem::is_directory(top / "new/cache"));
  }
  {
    const Variable cache("MAILSTEAD_CACHE", folder->path() / "link/cache");
    CHECK(cache_directory().value() == top / "site/cache");
  }
  {
    const Variable cache("XDG_CACHE_HOME", folder->path() / "site/..");
    CHECK(cache_directory().value() == top / "mailstead");
  }
  const Variable data("MAILSTEAD_DATA", folder->path() / "link/../data");
  CHECK(data_directory().value() == top / "data");
}

TEST_CASE("human_size uses decimal units") {
  CHECK(human_size(0) == "0 B");
  CHECK(human_size(999) == "999 B");
  CHECK(human_size(1200) == "1.2 kB");
  CHECK(human_size(131587052) == "132 MB");
  CHECK(human_size(999999999) == "1.0 GB");
}

TEST_CASE("a cache without room is told before it is filled, with what helps") {
  const auto folder = TemporaryDirectory::create().value();
  REQUIRE(free_space(folder.path()));
  CHECK(!free_space(folder.path() / "none"));
  CHECK(require_cache_space(folder.path(), 1, "the packages to fetch"));
  CHECK(require_cache_space(folder.path() / "none", 1, "the packages to fetch"));
  const auto refused =
      require_cache_space(folder.path(), 9'000'000'000'000'000'000u, "the packages to fetch");
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::io);
  CHECK(refused.error().message.starts_with(
      "the packages to fetch need 9000000 TB, and the disk of the cache (" + folder.path().string() +
      ") has "));
  CHECK(refused.error().hint == kCacheFull);
}

}  // namespace
}  // namespace mailstead
