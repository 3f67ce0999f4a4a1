// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/fetch.hpp"

#include "fetch_fixture.hpp"

namespace mailstead::fetch {
namespace {

using test::contains;
using test::HttpAnswer;
using test::HttpRequest;
using test::LoopbackServer;
using test::World;

std::string text_of(const Error& error) {
  return format_error(error);
}

TEST_CASE("packages are fetched over few connections, and only once") {
  World world(40);
  LoopbackServer server([&](const HttpRequest& request) { return world.good(request); });
  world.check_complete(world.fetch({server.address()}));
  CHECK(server.requests().size() == 40);
  CHECK(server.connections() <= world.options.connections);
  world.check_complete(world.fetch({server.address()}));
  CHECK(server.requests().size() == 40);
}

TEST_CASE("packages come from a folder as well, and those of the asked roles only") {
  World world(3);
  world.lock.packages[1].roles = {false, false, true};
  world.lock.packages[2].archive = "debian-security";
  const auto root = world.folder.path() / "mirror";
  for (const auto& package : world.lock.packages) {
    const auto file = root / package.archive / package.pool_path;
    REQUIRE(make_directories(file.parent_path()));
    const std::string encoded = "/debian/pool/main/" + package.name + "_1.0%2bb1_amd64.deb";
    REQUIRE(write_file(file, world.files.at(encoded)));
  }
  const auto reporter = make_quiet_reporter();
  auto store = Store::open(world.folder.path());
  REQUIRE(store);
  const lock::Mirrors mirrors{{"file://" + (root / "debian").string()},
                              {"file://" + (root / "debian-security").string()}};
  const auto fetched =
      fetch_packages(world.lock, {true, false, false}, *store, mirrors, world.options, *reporter);
  if (!fetched) FAIL(text_of(fetched.error()));
  REQUIRE(fetched->size() == 2);
  CHECK((*fetched)[0].package.name == "p0");
  CHECK((*fetched)[1].package.name == "p2");
  CHECK(world.objects() == 2);
}

TEST_CASE("a wrong digest names the package and both digests and leaves nothing behind") {
  World world(3);
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    if (contains(request.path, "/p1_")) answer.body[100] ^= 1;
    return answer;
  });
  const auto fetched = world.fetch({server.address()});
  REQUIRE(!fetched);
  CHECK(fetched.error().kind == ErrorKind::integrity);
  auto bytes = world.files.at("/debian/pool/main/p1_1.0%2bb1_amd64.deb");
  bytes[100] ^= 1;
  CHECK(contains(fetched.error().message, "p1 1.0+b1"));
  CHECK(contains(fetched.error().message, world.lock.packages[1].sha256));
  CHECK(contains(fetched.error().message, crypto::sha256_hex(bytes)));
  CHECK(world.partials() == 0);
  CHECK(world.objects() == 2);
}

TEST_CASE("a wrong digest on one mirror is made good by the next") {
  World world(2);
  LoopbackServer bad([&](const HttpRequest& request) {
    auto answer = world.good(request);
    answer.body.back() ^= 1;
    return answer;
  });
  LoopbackServer good([&](const HttpRequest& request) { return world.good(request); });
  world.check_complete(world.fetch({bad.address(), good.address()}));
}

TEST_CASE("more or fewer bytes than locked are refused without being kept") {
  World world(1);
  const bool say_length = GENERATE(true, false);
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    answer.body += std::string(500'000, 'x');
    answer.say_length = say_length;
    return answer;
  });
  const auto fetched = world.fetch({server.address()});
  REQUIRE(!fetched);
  INFO(text_of(fetched.error()));
  CHECK(fetched.error().kind == ErrorKind::integrity);
  CHECK(contains(fetched.error().message, "50000"));
  CHECK(world.partials() == 0);
  CHECK(world.objects() == 0);
}

TEST_CASE("a shorter file is refused") {
  World world(1);
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    answer.body.resize(49'000);
    return answer;
  });
  const auto fetched = world.fetch({server.address()});
  REQUIRE(!fetched);
  CHECK(fetched.error().kind == ErrorKind::integrity);
  CHECK(contains(fetched.error().message, "p0 1.0+b1 has 49000 bytes at http://127.0.0.1:"));
  CHECK(world.partials() == 0);
}

TEST_CASE("a connection that breaks is continued where it ended") {
  World world(1);
  std::atomic<int> tries{0};
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    if (tries++ < 2) answer.cut_after = 15'000;
    return answer;
  });
  world.check_complete(world.fetch({server.address()}));
  const auto requests = server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(!requests[0].has_range);
  CHECK(requests[1].range_start == 15'000);
  CHECK(requests[2].range_start == 30'000);
}

TEST_CASE("a server that cannot continue sends the whole file again") {
  World world(1);
  std::atomic<int> tries{0};
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    answer.honour_range = false;
    if (tries++ == 0) answer.cut_after = 15'000;
    return answer;
  });
  world.check_complete(world.fetch({server.address()}));
}

TEST_CASE("a server that continues at another place is not believed") {
  World world(1);
  std::atomic<int> tries{0};
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    if (tries++ == 0) answer.cut_after = 15'000;
    if (tries == 2) answer.lie_about_start = 7;
    return answer;
  });
  world.check_complete(world.fetch({server.address()}));
  CHECK(server.requests().size() == 3);
}

TEST_CASE("what an earlier run left damaged is fetched anew") {
  World world(1);
  const auto folder = world.folder.path() / "store/partial";
  REQUIRE(make_directories(folder));
  const auto& package = world.lock.packages[0];
  const std::size_t size = GENERATE(std::size_t{20'000}, std::size_t{50'000}, std::size_t{70'000});
  REQUIRE(write_file(folder / package.sha256, std::string(size, 'z')));
  LoopbackServer server([&](const HttpRequest& request) { return world.good(request); });
  world.check_complete(world.fetch({server.address()}));
}

TEST_CASE("a lock that is wrong about a size takes no package from others") {
  World world(1);
  LoopbackServer server([&](const HttpRequest& request) { return world.good(request); });
  world.check_complete(world.fetch({server.address()}));
  const std::uint64_t size = world.lock.packages[0].size;
  world.lock.packages[0].size = 5;
  const auto wrong = world.fetch({server.address()});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().kind == ErrorKind::usage);
  CHECK(contains(text_of(wrong.error()),
                 "has 5 bytes, but the package of that digest has " + std::to_string(size)));
  world.lock.packages[0].size = size;
  world.check_complete(world.fetch({server.address()}));
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a stalled download is given up and continued") {
  World world(1);
  world.options.stall_timeout = std::chrono::seconds(1);
  std::atomic<int> tries{0};
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    if (tries++ == 0) {
      answer.cut_after = 10'000;
      answer.stall = std::chrono::seconds(20);
    }
    return answer;
  });
  const auto begin = std::chrono::steady_clock::now();
  world.check_complete(world.fetch({server.address()}));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(12));
  CHECK(server.requests().back().range_start == 10'000);
}

TEST_CASE("a server that is busy for a moment is asked again") {
  World world(1);
  const int status = GENERATE(503, 500, 429);
  std::atomic<int> tries{0};
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    if (tries++ < 3) answer.status = status;
    return answer;
  });
  world.check_complete(world.fetch({server.address()}));
  CHECK(server.requests().size() == 4);
}

TEST_CASE("a server that stays busy is an error, after the tries that were allowed") {
  World world(30);
  LoopbackServer server([&](const HttpRequest&) { return test::answer_with(503); });
  const auto fetched = world.fetch({server.address()});
  REQUIRE(!fetched);
  INFO(text_of(fetched.error()));
  CHECK(fetched.error().kind == ErrorKind::network);
  CHECK(contains(text_of(fetched.error()), "503"));
  // Nobody waits for the packages that come later.
  CHECK(server.requests().size() <= world.options.connections * world.options.attempts);
}

TEST_CASE("a line that drops often is no reason to give up as long as each try brings some more") {
  World world(1, 1'000'000);
  world.options.backoff = std::chrono::milliseconds(1);
  LoopbackServer server([&](const HttpRequest& request) {
    auto answer = world.good(request);
    answer.cut_after = 20'000;
    return answer;
  });
  SECTION("to the end") {
    world.check_complete(world.fetch({server.address()}));
    CHECK(server.requests().size() == 50);
  }
  SECTION("but not for ever") {
    world.options.attempts = 2;
    CHECK_FALSE(world.fetch({server.address()}));
    CHECK(server.requests().size() == 40);
  }
}

TEST_CASE("what is running when a package cannot be fetched is finished, and all that failed are named") {
  World world(3, 200'000);
  world.options.attempts = 1;
  LoopbackServer server([&](const HttpRequest& request) {
    if (!contains(request.path, "/p0_")) return test::answer_with(503);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return world.good(request);
  });
  const auto fetched = world.fetch({server.address()});
  REQUIRE(!fetched);
  CHECK(world.objects() == 1);
  const std::string text = text_of(fetched.error());
  INFO(text);
  CHECK(contains(text, "p1 1.0+b1"));
  CHECK(contains(text, "p2 1.0+b1"));
}

TEST_CASE("what one mirror does not have, or refuses, comes from the next") {
  World world(3);
  const int status = GENERATE(404, 403);
  LoopbackServer poor([&](const HttpRequest&) { return test::answer_with(status); });
  LoopbackServer rich([&](const HttpRequest& request) { return world.good(request); });
  world.check_complete(world.fetch({poor.address(), rich.address()}));
}

TEST_CASE("a dead mirror is followed by a living one") {
  World world(3);
  std::string dead;
  {
    LoopbackServer gone([&](const HttpRequest&) { return HttpAnswer{}; });
    dead = gone.address();
  }
  LoopbackServer living([&](const HttpRequest& request) { return world.good(request); });
  world.check_complete(world.fetch({dead, living.address()}));
  const auto fetched = World(1).fetch({dead});
  REQUIRE(!fetched);
  CHECK(fetched.error().kind == ErrorKind::network);
  CHECK(contains(fetched.error().hint, "--mirror"));
}

TEST_CASE("redirections are followed, but not into the machine and not for ever") {
  World world(1);
  LoopbackServer good([&](const HttpRequest& request) { return world.good(request); });
  std::string target;
  LoopbackServer redirecting([&](const HttpRequest& request) {
    return test::answer_with(302, target.empty() ? request.path : target);
  });
  SECTION("to another server") {
    target = good.address() + "/pool/main/p0_1.0%2bb1_amd64.deb";
    world.check_complete(world.fetch({redirecting.address()}));
  }
  SECTION("to a file") {
    const auto file = world.folder.path() / "local.deb";
    REQUIRE(write_file(file, world.files.begin()->second));
    target = "file://" + file.string();
    CHECK(!world.fetch({redirecting.address()}));
  }
  SECTION("in a circle") {
    CHECK(!world.fetch({redirecting.address()}));
  }
}

TEST_CASE("offline, the store is all there is") {
  World world(8);
  LoopbackServer server([&](const HttpRequest& request) { return world.good(request); });
  world.options.offline = true;
  auto fetched = world.fetch({});
  REQUIRE(!fetched);
  CHECK(fetched.error().kind == ErrorKind::usage);
  CHECK(fetched.error().message ==
        "8 of the locked packages are not in the store: p0 1.0+b1, p1 1.0+b1, p2 1.0+b1, p3 1.0+b1, p4 "
        "1.0+b1 and 3 more");
  CHECK(contains(fetched.error().hint, "without --offline"));
  CHECK(server.requests().empty());
  world.options.offline = false;
  world.check_complete(world.fetch({server.address()}));
  world.options.offline = true;
  world.check_complete(world.fetch({}));
}

}  // namespace
}  // namespace mailstead::fetch
