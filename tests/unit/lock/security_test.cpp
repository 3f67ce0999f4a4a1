// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/security.hpp"

#include "archive_fixture.hpp"
#include "support/loopback_server.hpp"

namespace mailstead::lock {
namespace {

using test::Archive;

const SecuritySuite kSuite{"trixie", "amd64"};

struct World {
  Archive archive;
  SecurityOptions options;

  World() {
    options.now = 1'795'435'200;
    options.keyring = test::archive_key().keyring();
    archive.publish("trixie-security", {{"postfix", "3.10.13-0+deb13u1", ""},
                                        {"postfix", "3.10.9-0+deb13u1", ""},
                                        {"data", "1:2-1", "", "all"},
                                        {"foreign", "9", "", "arm64"}});
  }
  Result<SecurityState> ask(const std::vector<Address>& mirrors) const {
    return ask_security_archive(kSuite, mirrors, archive.cache(), options);
  }
  Result<SecurityState> ask() const { return ask(archive.mirrors().security); }
};

std::vector<std::string> found(const SecurityState& state) {
  std::vector<std::string> lines;
  for (const auto& update : find_security_updates(
           {{"data", "2-1"}, {"foreign", "1"}, {"other", "1"}, {"postfix", "3.10.9-0+deb13u1"}}, state))
    lines.push_back(update.name + " " + update.version + " -> " + update.fixed);
  return lines;
}
const std::vector<std::string> kFixed = {"data 2-1 -> 1:2-1",
                                         "postfix 3.10.9-0+deb13u1 -> 3.10.13-0+deb13u1"};

TEST_CASE("older packages are told with what the security archive has, and what is not older is not") {
  const World world;
  const auto state = world.ask();
  if (!state) FAIL(format_error(state.error()));
  CHECK(state->asked == world.options.now);
  CHECK(found(*state) == kFixed);
  CHECK(find_security_updates({{"postfix", "3.10.13-0+deb13u1"}, {"data", "1:2-1+b1"}}, *state).empty());
  // It stays known.
  const SecurityState later = load_security_state(kSuite, world.archive.cache());
  CHECK(later.asked == state->asked);
  CHECK(later.date == state->date);
  CHECK(found(later) == kFixed);
  CHECK(load_security_state({"forky", "amd64"}, world.archive.cache()).date == 0);
}

TEST_CASE("a security archive that cannot be asked leaves what is known, and is left alone for an hour") {
  World world;
  const mailstead::test::LoopbackServer down([](const auto&) { return mailstead::test::answer_with(503); });
  world.options.transport = Transport({{"acquire::retries", "0"}}, {});
  const auto never = world.ask({down.address()});
  REQUIRE(!never);
  CHECK(never.error().kind == ErrorKind::network);
  CHECK(load_security_state(kSuite, world.archive.cache()).date == 0);
  REQUIRE(world.ask());
  const auto date = load_security_state(kSuite, world.archive.cache()).date;
  CHECK(date > 0);
  world.options.now += 48 * 3600;
  REQUIRE(!world.ask({down.address()}));
  const SecurityState after = load_security_state(kSuite, world.archive.cache());
  CHECK(after.date == date);
  CHECK(after.asked == world.options.now - 23 * 3600);
  CHECK(found(after) == kFixed);
  // The next mirror is asked.
  auto mirrors = world.archive.mirrors().security;
  mirrors.insert(mirrors.begin(), down.address());
  CHECK(world.ask(mirrors));
}

TEST_CASE("only what Debian has signed counts") {
  World world;
  Archive::Signing signing;
  signing.key = &test::stranger_key();
  world.archive.publish("trixie-security", {{"postfix", "99", ""}}, signing);
  const auto state = world.ask();
  REQUIRE(!state);
  CHECK(state.error().kind == ErrorKind::integrity);
}

TEST_CASE("what is kept of a security archive and damaged is not known") {
  const World world;
  const auto file = world.archive.cache() / "security/trixie-amd64";
  for (const std::string text :
       {"", "x", "mailstead-security 1\n", "mailstead-security 2\nasked 1\ndate 1\na 1\n",
        "mailstead-security 1\nasked 1\nwhen 1\n"}) {
    Archive::write(file, text);
    CHECK(load_security_state(kSuite, world.archive.cache()).date == 0);
  }
  Archive::write(file, "mailstead-security 1\nasked 1\ndate 2\npostfix 9\n../x 1\npost 1 2\ndata $(id)\n");
  CHECK(load_security_state(kSuite, world.archive.cache()).newest ==
        std::map<std::string, std::string>{{"postfix", "9"}});
}

}  // namespace
}  // namespace mailstead::lock
