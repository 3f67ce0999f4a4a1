// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/store.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fetch_fixture.hpp"

namespace mailstead::fetch {
namespace {

using test::contains;
using test::HttpRequest;
using test::LoopbackServer;
using test::World;

/// Runs `work` in a process of its own, which ends with its result.
pid_t spawn(const std::function<bool()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work() ? 0 : 1);
  REQUIRE(child > 0);
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

/// A store in a folder of its own, and a package for it: "hello world".
struct PackageStore {
  PartialFile begin(const std::string& data = {}) const {
    auto partial = store.begin(package);
    REQUIRE(partial);
    REQUIRE(partial->append(data));
    return std::move(*partial);
  }
  std::filesystem::path partials() const { return folder.path() / "store/partial"; }

  TemporaryDirectory folder = std::move(*TemporaryDirectory::create());
  Store store = std::move(*Store::open(folder.path()));
  lock::Package package = test::package_of("p", "hello world");
};

TEST_CASE("an object gets its name only when its digest is right") {
  const PackageStore own;
  const auto& [folder, store, package] = own;
  CHECK(store.path(package.sha256) ==
        folder.path() / "store/sha256" / package.sha256.substr(0, 2) / package.sha256);
  {
    const PartialFile interrupted = own.begin("hello ");
    CHECK(store.get(package).value() == std::nullopt);
  }
  PartialFile partial = own.begin();
  CHECK(partial.size() == 6);

  SECTION("good") {
    REQUIRE(partial.append("world"));
    const auto path = partial.finish("from a test");
    REQUIRE(path);
    CHECK(*path == store.path(package.sha256));
    CHECK(store.get(package).value() == *path);
    struct stat status{};
    REQUIRE(::stat(path->c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0644);
  }
  SECTION("wrong bytes") {
    REQUIRE(partial.append("World"));
    const auto path = partial.finish("from a test");
    REQUIRE(!path);
    CHECK(path.error().kind == ErrorKind::integrity);
    CHECK(contains(path.error().message, crypto::sha256_hex("hello World")));
    CHECK(contains(path.error().message, package.sha256));
    CHECK(store.get(package).value() == std::nullopt);
  }
  SECTION("too many bytes") {
    const auto status = partial.append("world!");
    REQUIRE(!status);
    CHECK(status.error().kind == ErrorKind::integrity);
    CHECK(partial.size() == 6);
  }
  SECTION("too few bytes") {
    CHECK(!partial.finish("from a test"));
  }
}

TEST_CASE("an object that has changed is found out and fetched again") {
  World world(2);
  LoopbackServer server([&](const HttpRequest& request) { return world.good(request); });
  world.check_complete(world.fetch({server.address()}));
  const auto store = Store::open(world.folder.path());
  const auto& package = world.lock.packages[1];
  const auto path = store->path(package.sha256);
  auto bytes = *read_file(path);
  SECTION("a flipped bit") {
    bytes[1000] ^= 4;
    REQUIRE(write_file(path, bytes));
  }
  SECTION("hollowed out by a power cut") {
    REQUIRE(write_file(path, ""));
  }
  SECTION("not a file at all") {
    std::filesystem::remove(path);
    REQUIRE(make_directories(path / "x"));
  }
  SECTION("a link to somewhere else") {
    std::filesystem::remove(path);
    REQUIRE(write_file(world.folder.path() / "elsewhere", bytes));
    std::filesystem::create_symlink(world.folder.path() / "elsewhere", path);
  }
  const auto got = store->get(package);
  REQUIRE(!got);
  CHECK(got.error().kind == ErrorKind::integrity);
  CHECK(contains(got.error().message, "p1"));
  world.check_complete(world.fetch({server.address()}));
  CHECK(server.requests().size() == 3);
}

TEST_CASE("two writers of one object do not meet") {
  const PackageStore own;
  PartialFile first = own.begin("hello ");
  PartialFile second = own.begin();
  CHECK(second.size() == 0);
  REQUIRE(second.append("hello world"));
  REQUIRE(second.finish("from a test"));
  REQUIRE(first.append("world"));
  REQUIRE(first.finish("from a test"));
  CHECK(own.store.get(own.package).value() == own.store.path(own.package.sha256));
  CHECK(World::count_files(own.partials()) == 0);
}

TEST_CASE("a second writer makes a file of its own, though in another container its process id is taken") {
  const PackageStore own;
  const PartialFile first = own.begin();
  std::vector<std::filesystem::path> others;
  for (int i = 0; i < 100; ++i) {
    others.push_back(own.partials() / fmt::format("{}.{}.{}", own.package.sha256, ::getpid(), i));
    REQUIRE(write_file(others.back(), "another one's"));
  }
  const PartialFile second = own.begin();
  for (const auto& other : others) CHECK(read_file(other).value() == "another one's");
}

TEST_CASE("processes that fetch the same packages at the same time all succeed") {
  World world(30, 200'000);
  LoopbackServer server([&](const HttpRequest& request) { return world.good(request); });
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(spawn([&] {
      const auto fetched = world.fetch({server.address()});
      return fetched && fetched->size() == 30;
    }));
  }
  for (const pid_t child : children) CHECK(wait_for(child) == 0);
  CHECK(world.objects() == 30);
  world.options.offline = true;
  world.check_complete(world.fetch({}));
}

TEST_CASE("after kill -9 in the middle the next run continues") {
  World world(1, 1'000'000);
  std::atomic<bool> slow{true};
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    if (slow) {
      answer.cut_after = 600'000;
      answer.stall = std::chrono::seconds(60);
    }
    return answer;
  });
  world.options.stall_timeout = std::chrono::seconds(60);
  const pid_t child = spawn([&] { return world.fetch({server.address()}).has_value(); });
  const auto partial = world.folder.path() / "store/partial" / world.lock.packages[0].sha256;
  std::error_code error;
  for (int i = 0; i < 1000 && (error.clear(), std::filesystem::file_size(partial, error) != 600'000); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  REQUIRE(::kill(child, SIGKILL) == 0);
  CHECK(WTERMSIG(wait_for(child)) == SIGKILL);
  REQUIRE(std::filesystem::file_size(partial) == 600'000);
  CHECK(world.objects() == 0);
  slow = false;
  world.check_complete(world.fetch({server.address()}));
  CHECK(server.requests().back().range_start == 600'000);
}

TEST_CASE("partial files that nobody has continued for a week go away, unless somebody does") {
  const PackageStore own;
  const auto partials = own.partials();
  const PartialFile busy = own.begin("hello");
  REQUIRE(write_file(partials / "recent", "x"));
  REQUIRE(write_file(partials / "forgotten", "x"));
  REQUIRE(write_file(partials / "abc.1234.0", "a killed second writer's"));
  std::filesystem::last_write_time(partials / "abc.1234.0",
                                   std::filesystem::file_time_type::clock::now() - std::chrono::minutes(2));
  const auto past = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 8);
  std::filesystem::last_write_time(partials / "forgotten", past);
  std::filesystem::last_write_time(partials / own.package.sha256, past);
  REQUIRE(Store::open(own.folder.path()));
  CHECK(!std::filesystem::exists(partials / "forgotten"));
  CHECK(!std::filesystem::exists(partials / "abc.1234.0"));
  CHECK(std::filesystem::exists(partials / "recent"));
  CHECK(std::filesystem::exists(partials / own.package.sha256));
}

}  // namespace
}  // namespace mailstead::fetch
