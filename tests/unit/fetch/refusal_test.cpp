// SPDX-License-Identifier: GPL-3.0-or-later
// Servers that refuse, and what is told of them; logins and proxies.
#include "base/address.hpp"
#include "crypto/digest.hpp"
#include "fetch_fixture.hpp"
#include "text/base64.hpp"

namespace mailstead::fetch {
namespace {

using test::contains;
using test::HttpAnswer;
using test::HttpRequest;
using test::LoopbackServer;
using test::NotingReporter;
using test::World;

HttpAnswer page(int status = 200) {
  HttpAnswer answer = test::answer_with(status);
  answer.body = "<html>please log in</html>";
  answer.type = "text/html; charset=utf-8";
  return answer;
}

/// A server that answers everything the same.
LoopbackServer::Handler always(HttpAnswer answer) {
  return [answer](const HttpRequest&) { return answer; };
}

struct Refusing {
  HttpAnswer answer;
  std::string told;
};

std::vector<Refusing> refusing() {
  return {{test::answer_with(401), " requires a user and a password (401)"},
          {page(401), " requires a user and a password (401)"},
          {test::answer_with(403), " refuses everything (403)"},
          {test::answer_with(407), " cannot be asked: the proxy requires a user and a password (407)"},
          {test::answer_with(451), " refuses everything (451)"},
          {page(), " answers with a web page instead of Debian's archive"},
          {test::answer_with(302, "/debian/loop"), " cannot be used: Maximum (5) redirects followed"}};
}

TEST_CASE(
    "a mirror that refuses is named, and all comes from the next one, which the others are asked for at "
    "once") {
  for (const Refusing& refusal : refusing()) {
    INFO(refusal.told);
    World world(20);
    LoopbackServer first(always(refusal.answer));
    LoopbackServer second([&](const HttpRequest& request) { return world.good(request); });
    world.check_complete(world.fetch({first.address(), second.address()}));
    CHECK(second.requests().size() == 20);
    // Six at a time, and whether it refuses all.
    CHECK(first.requests().size() <= 60);
  }
}

TEST_CASE("mirrors that all refuse are named in one error, each with its reason, and nobody else is asked") {
  for (const Refusing& refusal : refusing()) {
    INFO(refusal.told);
    World world(30);
    LoopbackServer first(always(refusal.answer));
    LoopbackServer second(always(test::answer_with(401)));
    LoopbackServer snapshot(always(test::answer_with(500)));
    world.options.snapshot = snapshot.root();
    const auto fetched = world.fetch({first.address(), second.address()});
    REQUIRE(!fetched);
    const std::string text = format_error(fetched.error());
    INFO(text);
    CHECK(fetched.error().kind == ErrorKind::network);
    CHECK(fetched.error().others.empty());
    CHECK(contains(text, first.address() + refusal.told));
    CHECK(contains(text, second.address() + " requires a user and a password (401)"));
    CHECK(!contains(text, "no longer on the mirrors"));
    CHECK(contains(text, "\n  nor "));
    CHECK(snapshot.requests().empty());
    CHECK(first.requests().size() < 60);
  }
}

TEST_CASE("servers in trouble are named, all of them") {
  World world(3);
  LoopbackServer first(always(test::answer_with(503)));
  LoopbackServer second(always(test::answer_with(429)));
  const auto fetched = world.fetch({first.address(), second.address()});
  REQUIRE(!fetched);
  const std::string text = format_error(fetched.error());
  INFO(text);
  CHECK(contains(text, first.address() + ": The requested URL returned error: 503"));
  CHECK(contains(text, second.address() + ": The requested URL returned error: 429"));
}

TEST_CASE("a web page instead of one package is a package that is not there") {
  World world(3);
  LoopbackServer soft([&](const HttpRequest& request) {
    return contains(request.path, "/p1_") ? page() : world.good(request);
  });
  LoopbackServer snapshot([&](const HttpRequest& request) {
    HttpRequest plain = request;
    plain.path = "/debian" + request.path.substr(request.path.find("/pool/"));
    return world.good(plain);
  });
  world.options.snapshot = snapshot.root();
  world.check_complete(world.fetch({soft.address()}));
}

const std::string kLogin = "Authorization: Basic " + text::to_base64("user:se/cr@et");

/// A mirror for those who log in.
LoopbackServer::Handler locked(const World& world) {
  return [&world](const HttpRequest& request) {
    return contains(request.head, kLogin) ? world.good(request) : test::answer_with(401);
  };
}

std::string with_login(const std::string& address) {
  return "http://user:se%2Fcr%40et@" + address.substr(7);
}

TEST_CASE("the login of an address, or of auth.conf, is sent, and to no other server") {
  World world(3);
  LoopbackServer mirror(locked(world));
  SECTION("of the address") {
    world.check_complete(world.fetch({with_login(mirror.address())}));
  }
  SECTION("of auth.conf") {
    world.options.transport = lock::Transport(
        {}, lock::parse_auth("machine " + mirror.root() + "/deb login user password se/cr@et"));
    world.check_complete(world.fetch({mirror.address()}));
  }
  SECTION("not where it redirects to") {
    LoopbackServer redirector(
        [&](const HttpRequest& request) { return test::answer_with(302, mirror.root() + request.path); });
    CHECK(!world.fetch({with_login(redirector.address())}));
    for (const auto& request : mirror.requests()) CHECK(!contains(request.head, "Authorization"));
  }
}

TEST_CASE(
    "the proxy of apt's configuration is used, with its login, and left out for who is to be reached "
    "directly") {
  World world(3);
  // A proxy is asked by the whole address.
  LoopbackServer proxy([&](const HttpRequest& request) {
    HttpRequest plain = request;
    const auto path = request.path.find("/debian");
    plain.path = path == std::string::npos ? "" : request.path.substr(path);
    return contains(request.head, "Proxy-" + kLogin) ? world.good(plain) : test::answer_with(407);
  });
  SECTION("in its address") {
    world.options.transport = lock::Transport({{"acquire::http::proxy", with_login(proxy.root())}}, {});
    world.check_complete(world.fetch({"http://mirror.invalid/debian"}));
  }
  SECTION("in auth.conf") {
    world.options.transport =
        lock::Transport({{"acquire::http::proxy::mirror.invalid", proxy.root()}},
                        lock::parse_auth("machine " + proxy.root() + " login user password se/cr@et"));
    world.check_complete(world.fetch({"http://mirror.invalid/debian"}));
  }
  SECTION("directly") {
    LoopbackServer mirror([&](const HttpRequest& request) { return world.good(request); });
    world.options.transport = lock::Transport(
        {{"acquire::http::proxy", "http://proxy.invalid"}, {"acquire::http::proxy::127.0.0.1", "DIRECT"}},
        {});
    world.check_complete(world.fetch({mirror.address()}));
  }
  SECTION("without the login, the proxy is what refuses") {
    world.options.transport = lock::Transport({{"acquire::http::proxy", proxy.root()}}, {});
    const auto fetched = world.fetch({"http://mirror.invalid/debian"});
    REQUIRE(!fetched);
    CHECK(contains(fetched.error().message, "the proxy requires a user and a password (407)"));
  }
}

TEST_CASE("no message shows a login, whatever goes wrong") {
  std::vector<HttpAnswer> faults;
  for (const Refusing& refusal : refusing()) faults.push_back(refusal.answer);
  for (const int status : {404, 410, 416, 429, 500, 503}) faults.push_back(test::answer_with(status));
  faults.push_back(test::answer_with(302, "http://user:secret@127.0.0.1:1/x"));
  faults.push_back(test::answer_with(302, "gopher://user:secret@host.invalid/x"));
  faults.push_back(test::answer_with(302, "http://user:sec ret@/x"));
  HttpAnswer other_bytes;
  other_bytes.body = std::string(50'000, 'x');
  faults.push_back(other_bytes);
  other_bytes.body += "more";
  faults.push_back(other_bytes);
  for (const HttpAnswer& fault : faults) {
    World world(2);
    world.options.attempts = 2;
    LoopbackServer first(always(fault));
    LoopbackServer second(always(fault));
    LoopbackServer snapshot(always(fault));
    const auto named = [](const LoopbackServer& server) {
      return Address("http://user:secret@" + server.root().substr(7) + "/debian");
    };
    world.options.snapshot = named(snapshot);
    NotingReporter reporter;
    const auto fetched = world.fetch({named(first), named(second)}, reporter);
    REQUIRE(!fetched);
    std::string text = format_error(fetched.error());
    for (const auto& warning : reporter.warnings) text += warning + "\n";
    INFO(text);
    CHECK(!contains(text, "secret"));
    CHECK(!contains(text, "user:"));
  }
}

}  // namespace
}  // namespace mailstead::fetch
