// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/snapshot.hpp"

#include <algorithm>
#include <set>

#include "fetch_fixture.hpp"

namespace mailstead::fetch {
namespace {

using test::contains;
using test::HttpAnswer;
using test::HttpRequest;
using test::LoopbackServer;
using test::World;

/// Where the snapshot archive is asked first, then, and last, for a lock of 2026-11-20 12:00:00.
constexpr const char* kStamps[] = {"20261121T120000Z", "20261120T120000Z", "20261127T120000Z"};

std::string snapshot_path(const std::string& name, const std::string& stamp,
                          const std::string& archive = "debian") {
  return "/archive/" + archive + "/" + stamp + "/pool/main/" + name + "_1.0%2bb1_amd64.deb";
}

std::string mirror_path(const std::string& name) {
  return "/debian/pool/main/" + name + "_1.0%2bb1_amd64.deb";
}

std::set<std::string> paths_of(const std::vector<HttpRequest>& requests) {
  std::set<std::string> paths;
  for (const auto& request : requests) paths.insert(request.path);
  return paths;
}

/// A world whose mirror has lost some packages, beside a snapshot archive that has them all. Tests set what
/// the two do otherwise.
struct StaleWorld : World {
  explicit StaleWorld(std::size_t count, std::set<std::string> lost, std::size_t size = 50'000)
      : World(count, size), lost_names(std::move(lost)) {
    lock.archive_time = 1'795'176'000;  // 2026-11-20 12:00:00 UTC
    options.backoff = std::chrono::milliseconds(5);
    options.snapshot = snapshot.root();
    options.update_command = "mailstead lock mail.yaml --update";
  }

  Result<std::vector<FetchedPackage>> fetch_stale() { return fetch({mirror.address()}, reporter); }

  HttpAnswer from_mirror(const HttpRequest& request) const {
    for (const auto& name : lost_names) {
      if (request.path == mirror_path(name)) return test::answer_with(missing_status);
    }
    HttpAnswer answer = good(request);
    if (mirror_fault) mirror_fault(request, answer);
    return answer;
  }

  HttpAnswer from_snapshot(const HttpRequest& request) const {
    HttpRequest plain = request;
    const auto pool = request.path.find("/pool/");
    if (pool != std::string::npos) plain.path = "/debian" + request.path.substr(pool);
    HttpAnswer answer = good(plain);
    if (snapshot_fault) snapshot_fault(request, answer);
    return answer;
  }

  using Fault = std::function<void(const HttpRequest&, HttpAnswer&)>;
  std::set<std::string> lost_names;
  int missing_status = 404;
  Fault mirror_fault;
  Fault snapshot_fault;
  test::NotingReporter reporter;
  LoopbackServer mirror{[this](const HttpRequest& request) { return from_mirror(request); }};
  LoopbackServer snapshot{[this](const HttpRequest& request) { return from_snapshot(request); }};
};

TEST_CASE(
    "what all mirrors have lost, and nothing else, comes from the snapshot archive, a day after the lock") {
  StaleWorld world(8, {"p1", "p3"});
  world.missing_status = GENERATE(404, 410);
  world.check_complete(world.fetch_stale());
  CHECK(world.mirror.requests().size() == 8);
  CHECK(world.snapshot.requests().size() == 2);
  CHECK(paths_of(world.snapshot.requests()) ==
        std::set{snapshot_path("p1", kStamps[0]), snapshot_path("p3", kStamps[0])});
  CHECK(world.reporter.warnings ==
        std::vector<std::string>{
            "2 of the locked packages are no longer on the mirrors; they came from the snapshot archive of "
            "2026-11-20 12:00:00 UTC: the lock is old, and `mailstead lock mail.yaml --update` moves on"});
  world.reporter.warnings.clear();
  world.check_complete(world.fetch_stale());
  CHECK(world.snapshot.requests().size() == 2);
  CHECK(world.reporter.warnings.empty());
}

TEST_CASE("another mirror comes before the snapshot archive") {
  StaleWorld world(3, {"p1"});
  LoopbackServer other([&](const HttpRequest& request) { return world.good(request); });
  world.check_complete(world.fetch({world.mirror.address(), other.address()}, world.reporter));
  CHECK(world.snapshot.requests().empty());
  CHECK(world.reporter.warnings.empty());
}

TEST_CASE("a mirror that is down does not keep what another one has dropped from the snapshot archive") {
  StaleWorld world(3, {"p1"});
  world.options.attempts = 2;
  LoopbackServer down([](const HttpRequest&) { return test::answer_with(503); });
  const std::vector<Address> mirrors{down.address(), world.mirror.address()};
  SECTION("that has it") {
    world.check_complete(world.fetch(mirrors, world.reporter));
    CHECK(paths_of(world.snapshot.requests()) == std::set{snapshot_path("p1", kStamps[0])});
    REQUIRE(world.reporter.warnings.size() == 2);
    CHECK(contains(world.reporter.warnings[0], "skipped: cannot fetch p1 1.0+b1 from " + down.address()));
    CHECK(contains(world.reporter.warnings[1], "1 of the locked packages is no longer on the mirrors"));
  }
  SECTION("that has it no more") {
    world.snapshot_fault = [](const HttpRequest&, HttpAnswer& answer) { answer = test::answer_with(404); };
    const auto fetched = world.fetch(mirrors, world.reporter);
    REQUIRE(!fetched);
    const std::string text = format_error(fetched.error());
    INFO(text);
    CHECK(contains(text, "1 of the locked packages is gone"));
    CHECK(contains(text, "\n  p1 1.0+b1\n"));
    CHECK(contains(text, "not every mirror has said whether it has them: cannot fetch p1 1.0+b1 from " +
                             down.address()));
  }
}

TEST_CASE("a mirror that forbids what it has lost does not keep it from the snapshot archive") {
  // What an object store answers for a file that is not there, when it does not let anyone list its files.
  StaleWorld world(3, {"p1"});
  world.missing_status = 403;
  const std::string refusal =
      world.mirror.address() + " refuses p1 1.0+b1: The requested URL returned error: 403";
  SECTION("that has it") {
    world.check_complete(world.fetch_stale());
    CHECK(paths_of(world.snapshot.requests()) == std::set{snapshot_path("p1", kStamps[0])});
    REQUIRE(world.reporter.warnings.size() == 2);
    CHECK(world.reporter.warnings[0] == "skipped: " + refusal);
    CHECK(contains(world.reporter.warnings[1], "1 of the locked packages is no longer on the mirrors"));
  }
  SECTION("that has it no more") {
    world.snapshot_fault = [](const HttpRequest&, HttpAnswer& answer) { answer = test::answer_with(404); };
    const auto fetched = world.fetch_stale();
    REQUIRE(!fetched);
    CHECK(format_error(fetched.error()) ==
          "1 of the locked packages is gone: neither the mirrors nor the snapshot archive " +
              world.snapshot.root() +
              " has it\n"
              "  `mailstead lock mail.yaml --update` moves on to the versions that the archive has now\n"
              "  p1 1.0+b1\n"
              "  not every mirror has said whether it has them: " +
              refusal + "\n");
  }
  SECTION("nor what is left when another one sends other bytes") {
    LoopbackServer wrong([&](const HttpRequest& request) {
      HttpAnswer answer = world.good(request);
      if (contains(request.path, "/p1_")) answer.body[100] ^= 1;
      return answer;
    });
    world.check_complete(world.fetch({wrong.address(), world.mirror.address()}, world.reporter));
    CHECK(world.reporter.warnings.size() == 3);
    const auto& warnings = world.reporter.warnings;
    CHECK(std::count(warnings.begin(), warnings.end(), "skipped: " + refusal) == 1);
  }
}

TEST_CASE("where no mirror can be asked, the snapshot archive is not asked in their place") {
  StaleWorld world(2, {});
  const auto fetched = world.fetch({"gopher://mirror.example/debian"}, world.reporter);
  REQUIRE(!fetched);
  CHECK(contains(format_error(fetched.error()), "gopher://mirror.example/debian cannot be used: "));
  CHECK(contains(fetched.error().hint, "--mirror"));
  CHECK(world.snapshot.requests().empty());
}

TEST_CASE("security updates have a snapshot archive of their own") {
  StaleWorld world(2, {"p1"});
  world.lock.packages[1].archive = "debian-security";
  world.check_complete(world.fetch_stale());
  CHECK(paths_of(world.snapshot.requests()) == std::set{snapshot_path("p1", kStamps[0], "debian-security")});
}

TEST_CASE("the snapshot archive is asked for other times when the first has lost the package") {
  StaleWorld world(1, {"p0"});
  const std::size_t has_it = GENERATE(0u, 1u, 2u);
  world.snapshot_fault = [&](const HttpRequest& request, HttpAnswer& answer) {
    if (!contains(request.path, kStamps[has_it])) answer = test::answer_with(404);
  };
  world.check_complete(world.fetch_stale());
  const auto requests = world.snapshot.requests();
  REQUIRE(requests.size() == has_it + 1);
  for (std::size_t i = 0; i <= has_it; ++i) CHECK(requests[i].path == snapshot_path("p0", kStamps[i]));
}

TEST_CASE("a redirection to the last import before the time is followed") {
  StaleWorld world(2, {"p0"});
  world.snapshot_fault = [&](const HttpRequest& request, HttpAnswer& answer) {
    const std::string imported = snapshot_path("p0", "20261121T084512Z");
    if (request.path != imported) answer = test::answer_with(302, imported);
  };
  world.check_complete(world.fetch_stale());
  CHECK(world.snapshot.requests().size() == 2);
}

TEST_CASE("the snapshot archive sees few connections") {
  StaleWorld world(30, {});
  for (const auto& package : world.lock.packages) world.lost_names.insert(package.name);
  world.check_complete(world.fetch_stale());
  CHECK(world.snapshot.requests().size() == 30);
  CHECK(world.snapshot.connections() <= 2);
}

TEST_CASE("packages that nobody has any more are all named, with the way on; the others stay in the store") {
  StaleWorld world(12, {});
  for (const auto& package : world.lock.packages) {
    if (package.name != "p0" && package.name != "p5") world.lost_names.insert(package.name);
  }
  world.snapshot_fault = [](const HttpRequest& request, HttpAnswer& answer) {
    if (!contains(request.path, "/p7_")) answer = test::answer_with(404);
  };
  const auto fetched = world.fetch_stale();
  REQUIRE(!fetched);
  CHECK(fetched.error().kind == ErrorKind::network);
  CHECK(format_error(fetched.error()) ==
        "9 of the locked packages are gone: neither the mirrors nor the snapshot archive " +
            world.snapshot.root() +
            " has them\n"
            "  `mailstead lock mail.yaml --update` moves on to the versions that the archive has now\n"
            "  p1 1.0+b1\n  p10 1.0+b1\n  p11 1.0+b1\n  p2 1.0+b1\n  p3 1.0+b1\n  p4 1.0+b1\n  p6 1.0+b1\n"
            "  p8 1.0+b1\n  p9 1.0+b1\n");
  CHECK(world.snapshot.requests().size() == 9 * 3 + 1);
  CHECK(world.objects() == 3);
  CHECK(world.partials() == 0);
  world.snapshot_fault = nullptr;
  world.check_complete(world.fetch_stale());
  CHECK(world.mirror.requests().size() == 12 + 9);
}

TEST_CASE("a snapshot archive that stalls is asked to continue") {
  StaleWorld world(1, {"p0"});
  world.options.stall_timeout = std::chrono::seconds(1);
  std::atomic<int> tries{0};
  world.snapshot_fault = [&](const HttpRequest&, HttpAnswer& answer) {
    if (tries++ > 0) return;
    answer.cut_after = 10'000;
    answer.stall = std::chrono::seconds(20);
  };
  world.check_complete(world.fetch_stale());
  const auto requests = world.snapshot.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].path == snapshot_path("p0", kStamps[0]));
  CHECK(requests[1].range_start == 10'000);
}

TEST_CASE("a snapshot archive that is busy is asked again after the pause that it asks for") {
  StaleWorld world(1, {"p0"});
  const int status = GENERATE(503, 429);
  std::atomic<int> tries{0};
  world.snapshot_fault = [&](const HttpRequest&, HttpAnswer& answer) {
    if (tries++ > 0) return;
    answer.status = status;
    answer.retry_after = "1";
  };
  const auto begin = std::chrono::steady_clock::now();
  world.check_complete(world.fetch_stale());
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::seconds(1));
  CHECK(world.snapshot.requests().size() == 2);
  CHECK(paths_of(world.snapshot.requests()) == std::set{snapshot_path("p0", kStamps[0])});
}

TEST_CASE("a snapshot archive that gives no answer is told from one that lacks the packages") {
  StaleWorld world(9, {"p1", "p2", "p3", "p4", "p5"});
  world.options.connections = 1;  // so that p1 is the one that is told
  std::string reason;
  SECTION("busy") {
    world.snapshot_fault = [](const HttpRequest&, HttpAnswer& answer) { answer.status = 503; };
    reason = "The requested URL returned error: 503";
  }
  SECTION("busy for long") {
    world.options.attempts = 1'000;
    world.snapshot_fault = [](const HttpRequest&, HttpAnswer& answer) {
      answer.status = 429;
      answer.retry_after = "3600";
    };
    reason = "The requested URL returned error: 429, and it asks to come back after 3600 s";
  }
  const auto fetched = world.fetch_stale();
  REQUIRE(!fetched);
  CHECK(fetched.error().kind == ErrorKind::network);
  CHECK(format_error(fetched.error()) ==
        "5 of the locked packages are no longer on the mirrors, and the snapshot archive " +
            world.snapshot.root() +
            " could not be reached\n"
            "  try again later, what has arrived is kept; or `mailstead lock mail.yaml --update` moves on to "
            "the versions that the archive has now\n"
            "  p1 1.0+b1\n  p2 1.0+b1\n  p3 1.0+b1\n  p4 1.0+b1\n  p5 1.0+b1\n"
            "  cannot fetch p1 1.0+b1 from " +
            world.snapshot.root() + "/archive/debian/" + kStamps[0] + ": " + reason + "\n");
  CHECK(world.snapshot.requests().size() <= 5);
  CHECK(world.objects() == 4);
}

TEST_CASE("a snapshot archive that shuts us out is asked once") {
  StaleWorld world(9, {"p1", "p2", "p3"});
  world.options.connections = 1;
  world.snapshot_fault = [](const HttpRequest&, HttpAnswer& answer) { answer.status = 403; };
  const auto fetched = world.fetch_stale();
  REQUIRE(!fetched);
  INFO(format_error(fetched.error()));
  CHECK(contains(fetched.error().message, "could not be reached"));
  CHECK(contains(fetched.error().notes.back(), "refuses p1 1.0+b1: The requested URL returned error: 403"));
  CHECK(world.snapshot.requests().size() == 1);
}

TEST_CASE("one that is gone and one that could not be asked for are told apart") {
  StaleWorld world(4, {"p1", "p2"});
  world.options.connections = 1;
  world.snapshot_fault = [](const HttpRequest& request, HttpAnswer& answer) {
    answer.status = contains(request.path, "/p1_") ? 404 : 503;
  };
  const auto fetched = world.fetch_stale();
  REQUIRE(!fetched);
  const std::string text = format_error(fetched.error());
  INFO(text);
  CHECK(contains(text, "1 of the locked packages is gone: neither the mirrors nor the snapshot archive " +
                           world.snapshot.root() + " has it\n"));
  CHECK(contains(text, "1 of the locked packages is no longer on the mirrors, and the snapshot archive " +
                           world.snapshot.root() + " could not be reached\n"));
}

TEST_CASE("altered and truncated files on the mirror are made good by the snapshot archive, and told") {
  StaleWorld world(3, {});
  std::string altered = world.files.at(mirror_path("p1"));
  altered[100] ^= 1;
  world.mirror_fault = [&](const HttpRequest& request, HttpAnswer& answer) {
    if (contains(request.path, "/p1_")) answer.body = altered;
    if (contains(request.path, "/p2_")) answer.body.resize(49'000);
  };
  world.check_complete(world.fetch_stale());
  REQUIRE(world.reporter.warnings.size() == 3);
  std::sort(world.reporter.warnings.begin(), world.reporter.warnings.end());
  CHECK(contains(world.reporter.warnings[0], "2 of the locked packages are no longer on the mirrors"));
  CHECK(world.reporter.warnings[1] ==
        "skipped: p1 1.0+b1 from " + world.mirror.address() +
            " is not what the lock says\n  SHA-256 locked: " + world.lock.packages[1].sha256 +
            "\n  SHA-256 found:  " + crypto::sha256_hex(altered));
  CHECK(world.reporter.warnings[2] ==
        "skipped: p2 1.0+b1 has 49000 bytes at " + world.mirror.address() + "; the lock says 50002");
}

TEST_CASE("wrong bytes everywhere are named with all digests, and not kept") {
  StaleWorld world(3, {"p2"});
  std::string first = world.files.at(mirror_path("p1"));
  std::string second = first;
  first[100] ^= 1;
  second[200] ^= 1;
  world.mirror_fault = [&](const HttpRequest& request, HttpAnswer& answer) {
    if (contains(request.path, "/p1_")) answer.body = first;
  };
  world.snapshot_fault = [&](const HttpRequest& request, HttpAnswer& answer) {
    if (contains(request.path, "/p1_")) answer.body = second;
    if (contains(request.path, "/p2_")) answer.body.resize(10);
    if (!contains(request.path, kStamps[0])) answer = test::answer_with(404);
  };
  const auto fetched = world.fetch_stale();
  REQUIRE(!fetched);
  CHECK(fetched.error().kind == ErrorKind::integrity);
  const std::string hint =
      "  `mailstead lock mail.yaml --update` pins what the archive has now; if the bytes still differ, use "
      "another mirror: --mirror\n";
  const std::string stored = world.snapshot.root() + "/archive/debian/" + kStamps[0];
  const std::string lacking =
      "  the snapshot archive " + world.snapshot.root() + " does not have the locked one\n";
  const std::string locked = "  SHA-256 locked: " + world.lock.packages[1].sha256 + "\n";
  CHECK(format_error(fetched.error()) ==
        "p1 1.0+b1 from " + world.mirror.address() + " is not what the lock says\n" + locked +
            "  SHA-256 found:  " + crypto::sha256_hex(first) + "\n" + hint + "  p1 1.0+b1 from " + stored +
            " is not what the lock says\n" + locked + "  SHA-256 found:  " + crypto::sha256_hex(second) +
            "\n" + lacking + "p2 1.0+b1 has 10 bytes at " + stored + "; the lock says 50002\n" + hint +
            lacking);
  CHECK(world.objects() == 1);
  CHECK(world.partials() == 0);
}

TEST_CASE("without a snapshot archive nobody else is asked") {
  StaleWorld world(4, {"p1", "p3"});
  world.options.snapshot = Address();
  std::string altered = world.files.at(mirror_path("p2"));
  altered.back() ^= 1;
  world.mirror_fault = [&](const HttpRequest& request, HttpAnswer& answer) {
    if (contains(request.path, "/p2_")) answer.body = altered;
  };
  const auto fetched = world.fetch_stale();
  REQUIRE(!fetched);
  const std::string text = format_error(fetched.error());
  INFO(text);
  CHECK(contains(text,
                 "2 of the locked packages are no longer on the mirrors, and the snapshot archive is turned "
                 "off\n  without --snapshot none (or MAILSTEAD_SNAPSHOT=none) it is asked for them; or "
                 "`mailstead lock mail.yaml --update` moves on to the versions that the archive has now\n"
                 "  p1 1.0+b1\n  p3 1.0+b1\n"));
  CHECK(contains(text, crypto::sha256_hex(altered)));
  CHECK(contains(text, world.lock.packages[2].sha256));
  CHECK(world.snapshot.requests().empty());
  CHECK(world.objects() == 1);
}

TEST_CASE("while a mirror gives no answer, the snapshot archive is not asked for what others lack") {
  StaleWorld world(4, {"p1"});
  world.options.connections = 4;
  world.mirror_fault = [](const HttpRequest& request, HttpAnswer& answer) {
    if (contains(request.path, "/p2_")) answer.status = 503;
  };
  const auto fetched = world.fetch_stale();
  REQUIRE(!fetched);
  const std::string text = format_error(fetched.error());
  INFO(text);
  CHECK(contains(text, "cannot fetch p2 1.0+b1 from " + world.mirror.address()));
  CHECK(
      contains(text,
               "1 of the locked packages is no longer on the mirrors\n  when every mirror has answered, the "
               "snapshot archive is asked for them; or `mailstead lock mail.yaml --update`"));
  CHECK(contains(text, "\n  p1 1.0+b1\n"));
  CHECK(world.snapshot.requests().empty());
}

}  // namespace
}  // namespace mailstead::fetch
