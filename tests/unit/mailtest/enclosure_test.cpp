// SPDX-License-Identifier: GPL-3.0-or-later
// The test world for real: namespaces, tap device, name server. Needs /dev/net/tun, ip and dnsmasq, no root.
#include "mailtest/enclosure.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/interrupt.hpp"
#include "base/run.hpp"
#include "mailtest/player.hpp"
#include "mailtest/world.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;
using namespace std::chrono_literals;

namespace {

/// Sends one question by UDP to an IPv4 address and returns the whole answer, "" if none comes.
std::string ask(const std::string& name, unsigned type, const char* server = kGateway) {
  std::string query("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01", 12);
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    query += static_cast<char>(end - at);
    query += name.substr(at, end - at);
    at = end + 1;
  }
  query += std::string(2, '\0') + static_cast<char>(type) + std::string("\0\1", 2);
  query += std::string("\0\0\x29\x10\0\0\0\0\0\0\0", 11);  // EDNS: answers of up to 4096 bytes
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(53);
  ::inet_pton(AF_INET, server, &to.sin_addr);
  ::sendto(socket.get(), query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
  pollfd entry{socket.get(), POLLIN, 0};
  if (::poll(&entry, 1, 5000) <= 0) return {};
  std::string answer(4096, '\0');
  const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), 0);
  answer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return answer;
}

int answer_code(const std::string& answer) {
  return answer.size() > 3 ? answer[3] & 15 : -1;
}

}  // namespace

TEST_CASE("results, errors and progress come out of the enclosure") {
  const auto reporter = make_quiet_reporter();
  CHECK(
      run_enclosed([](Reporter&) -> Result<std::string> { return std::string("a\nb"); }, *reporter).value() ==
      "a\nb");
  const auto failure = run_enclosed(
      [](Reporter&) -> Result<std::string> {
        return fail(Error{ErrorKind::network, "m", Place{"f", 1, 2, 3, "s"}, "h", {"n"}, {}});
      },
      *reporter);
  REQUIRE_FALSE(failure.has_value());
  CHECK(failure.error().kind == ErrorKind::network);
  CHECK(failure.error().place == Place{"f", 1, 2, 3, "s"});
  CHECK(failure.error().notes == std::vector<std::string>{"n"});
  const auto written = run_enclosed(
      [](Reporter&) -> Result<std::string> {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return std::string("no pipe");
        ::close(ends[0]);
        return std::string(::write(ends[1], "x", 1) < 0 && errno == EPIPE ? "broken pipe" : "written");
      },
      *reporter);
  REQUIRE(written.has_value());
  CHECK(*written == "broken pipe");
  const auto crash = run_enclosed(
      [](Reporter&) -> Result<std::string> {
        ::kill(::getpid(), SIGKILL);
        return std::string();
      },
      *reporter);
  REQUIRE_FALSE(crash.has_value());
  CHECK(crash.error().message == "the test runner ended with SIGKILL");
}

TEST_CASE("Ctrl-C at the terminal, which goes to a whole group of processes, leaves nothing behind") {
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder.has_value());
  const pid_t parent = ::fork();
  if (parent == 0) {
    ::setpgid(0, 0);
    catch_interrupts();
    const auto reporter = make_quiet_reporter();
    const auto result = run_enclosed(
        [&](Reporter&) -> Result<std::string> {
          TRY(const auto work, TemporaryDirectory::create(folder->path()));
          while (true) {
            CHECK_OK(check_interrupt());
            std::this_thread::sleep_for(500ms);
          }
        },
        *reporter);
    ::_exit(!result && result.error().kind == ErrorKind::interrupted ? 0 : 1);
  }
  const auto deadline = std::chrono::steady_clock::now() + 40s;
  while (std::filesystem::is_empty(folder->path()) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(20ms);
  ::kill(-parent, SIGINT);
  int status = -1;
  ::waitpid(parent, &status, 0);
  CHECK(status == 0);
  CHECK(std::filesystem::is_empty(folder->path()));
}

TEST_CASE("the world answers names and takes mail at outside addresses") {
  const auto reporter = make_quiet_reporter();
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder.has_value());
  const std::string key(800, 'k');  // as long as the record of a 4096-bit RSA key
  const auto result = run_enclosed(
      [&](Reporter&) -> Result<std::string> {
        TRY(const WorldPlan plan, parse_world("site mail.example.org\n"
                                              "dns elsewhere.example MX 10 mx.elsewhere.example\n"
                                              "dns mx.elsewhere.example A 198.51.100.25\n"
                                              "peer smtp 198.51.100.25 25 mx.elsewhere.example tls\n"
                                              "peer smtp 2001:db8:51::25 25 mx.elsewhere.example\n",
                                              "world"));
        TRY(const auto world,
            World::start(plan, {{"s._domainkey.example.org", "TXT", "v=DKIM1; p=" + key}}, folder->path()));
        std::string said;
        said += fmt::format("MX {} ", answer_code(ask("elsewhere.example", 15)));
        said += fmt::format("no-data {} ", answer_code(ask("elsewhere.example", 28)));
        said += fmt::format("unknown {} ", answer_code(ask("nobody.example", 1)));
        const std::string txt = ask("s._domainkey.example.org", 16);
        said += fmt::format("key {} ", txt.size() > 800 && answer_code(txt) == 0);
        Stage stage;
        stage.inbox = &world->inbox();
        TRY(const Dialogue dialogue,
            parse_dialogue("# t\nconnect smtp 198.51.100.25 25 from 198.51.100.7\n< 220 *\n> NOOP\n< 250 *\n"
                           "connect smtp 2001:db8:51::25 25 from 2001:db8:51::7\n< 220 *\n",
                           "t"));
        CHECK_OK(Player(std::move(stage)).play(dialogue));
        return said;
      },
      *reporter);
  if (!result) FAIL(format_error(result.error()));
  CHECK(*result == "MX 0 no-data 0 unknown 3 key true ");
}

TEST_CASE("the root servers answer at their own addresses, with authority, and the gateway keeps silent") {
  const auto reporter = make_quiet_reporter();
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder.has_value());
  const auto result = run_enclosed(
      [&](Reporter&) -> Result<std::string> {
        TRY(const WorldPlan plan, parse_world("site mail.example.org\nnames root\naddressing silent\n"
                                              "dns elsewhere.example MX 10 mx.elsewhere.example\n",
                                              "world"));
        TRY(const auto world, World::start(plan, {}, folder->path()));
        std::string said;
        for (const char* server : {"198.41.0.4", "170.247.170.2", "202.12.27.33"}) {
          const std::string answer = ask("elsewhere.example", 15, server);
          // RFC 1035 section 4.1.1: AA is bit 5 of the third octet; then counts of questions and answers.
          const bool authoritative = answer.size() > 8 && (answer[2] & 4) != 0 && answer[7] == 1;
          said += fmt::format("{} {} ", answer_code(answer), authoritative);
        }
        said += fmt::format("unknown {} ", answer_code(ask("nobody.example", 1, "199.7.83.42")));
        Stage stage;
        TRY(const Dialogue dialogue,
            parse_dialogue("# t\nconnect plain 2001:dc3::35 53\nclose\nexpect-refused 203.0.113.1 53\n",
                           "t"));
        CHECK_OK(Player(std::move(stage)).play(dialogue));
        return said;
      },
      *reporter);
  if (!result) FAIL(format_error(result.error()));
  CHECK(*result == "0 true 0 true 0 true unknown 3 ");
}

TEST_CASE("a world begins once its servers answer, and not if one of them ends") {
  const auto reporter = make_quiet_reporter();
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder.has_value());
  const auto start = [&](const std::string& lines) {
    const auto result = run_enclosed(
        [&](Reporter&) -> Result<std::string> {
          TRY(const WorldPlan plan, parse_world("site mail.example.org\n" + lines, "world"));
          TRY(const auto world, World::start(plan, {}, folder->path()));
          return std::string("begun");
        },
        *reporter);
    return result ? *result : result.error().message.substr(0, result.error().message.find('\n'));
  };
  CHECK(start("") == "begun");
  CHECK(start("names root\n") == "begun");  // dnsmasq without names
  CHECK(start("names root\naddressing silent\n") == "begun");
  CHECK(start("dns " + std::string(70, 'x') + ".example MX 10 a.example\n") ==
        "dnsmasq of the test world ended with exit status 1:");
}

TEST_CASE("a world with a private network has two cards, in the order of the bus that it asks for") {
  const auto reporter = make_quiet_reporter();
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder.has_value());
  const auto result = run_enclosed(
      [&](Reporter&) -> Result<std::string> {
        TRY(const WorldPlan plan, parse_world("site mail.example.org\nprivate dhcp first\n", "world"));
        TRY(const auto world, World::start(plan, {}, folder->path()));
        const vm::TapNetwork network = world->cards();
        std::string said = fmt::format("{} {} ", network.cards.size(), network.last_comes_first);
        for (const vm::TapNetwork::Card& card : network.cards)
          said += fmt::format("{} {} ", card.mac, card.fd >= 0);
        // dnsmasq answers there, too, and not at other addresses.
        return said + fmt::format("names {}", answer_code(ask("nobody.example", 1, kPrivateHost)));
      },
      *reporter);
  if (!result) FAIL(format_error(result.error()));
  CHECK(*result == "2 true 52:54:00:6d:73:01 true 52:54:00:6d:73:02 true names 3");
}

TEST_CASE("a world has the gateways and name servers of a machine whose network is itself") {
  const auto reporter = make_quiet_reporter();
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder.has_value());
  const auto result = run_enclosed(
      [&](Reporter&) -> Result<std::string> {
        TRY(WorldPlan plan, parse_world("site any\n", "world"));
        Surroundings around;
        around.network = {"52:54:00:aa:bb:cc",
                          Family{"192.0.2.7", "172.31.1.1", 32, Addressing::silent},
                          Family{"2001:db8:7::1", "fe80::2", 64, Addressing::silent},
                          {"192.0.2.53", "2001:db8:53::53"}};
        surround(plan, around, "mail.mine.example");
        TRY(const auto world, World::start(plan, {}, folder->path()));
        Command routes;
        routes.argv = {"ip", "route", "get", "192.0.2.7"};
        TRY(const CommandOutput way, run(routes));
        routes.argv = {"ip", "-6", "route", "get", "2001:db8:7::1"};
        TRY(const CommandOutput way6, run(routes));
        return fmt::format(
            "{} {} {} {} {}", world->cards().cards.front().mac,
            way.out.find("192.0.2.7 dev tap0 src 172.31.1.1") == 0,
            way6.out.find("2001:db8:7::1 ") == 0 && way6.out.find(" dev tap0") != std::string::npos,
            answer_code(ask("nobody.example", 1, "172.31.1.1")),
            answer_code(ask("nobody.example", 1, "192.0.2.53")));
      },
      *reporter);
  if (!result) FAIL(format_error(result.error()));
  CHECK(*result == "52:54:00:aa:bb:cc true true 3 3");
}

TEST_CASE("a dialogue runs programs of the oracles' folder, also while it goes on itself") {
  const auto reporter = make_quiet_reporter();
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder.has_value());
  REQUIRE(write_file(folder->path() / "say.py",
                     "import sys, time\ntime.sleep(float(sys.argv[1]))\n"
                     "print(' '.join(sys.argv[2:]))\nprint('bye')\n"
                     "sys.exit(3 if 'ill' in sys.argv else 0)\n"));
  const auto play = [&](const std::string& steps) {
    const auto result = run_enclosed(
        [&](Reporter&) -> Result<std::string> {
          TRY(const auto tap, make_network());
          TRY(const Dialogue dialogue, parse_dialogue("# t\n" + steps, "t"));
          Stage stage;
          stage.oracles = folder->path();
          stage.folder = folder->path();
          const Status played = Player(std::move(stage)).play(dialogue);
          return played ? std::string("played") : played.error().message;
        },
        *reporter);
    return result ? *result : format_error(result.error());
  };
  CHECK(play("set who = world\noracle say 0 hello ${who}\n<* hello world\n<* bye\n"
             "capture ^hello (?P<x>.*)\ncheck x contains world\n") == "played");
  CHECK(play("oracle say 0 ill\n").starts_with("say ended with exit status 3: ill"));
  CHECK(play("oracle-begin say 1 hello\noracle-begin say 0\n") == "an oracle is running already");
  CHECK(play("oracle-begin say 1 hello\npause 100ms\noracle-end within 20s\n<* hello\n") == "played");
  CHECK(play("oracle-begin say 30 hello\noracle-end within 1s\n").starts_with("the oracle has not ended"));
  CHECK(play("oracle-begin say 0 ill\noracle-end within 20s\n")
            .starts_with("the oracle ended with exit status 3"));
  CHECK(play("oracle-end within 1s\n") == "no oracle is running");
}

TEST_CASE("the size of segments is what the other side takes at once") {
  const auto reporter = make_quiet_reporter();
  const auto result = run_enclosed(
      [&](Reporter&) -> Result<std::string> {
        TRY(const auto tap, make_network());
        TRY(const FileDescriptor listener, listen_on("203.0.113.1", 0));
        // As a peer with an MTU of 1450 announces it, of which time stamps take 12.
        const int announced = 1410;
        ::setsockopt(listener.get(), IPPROTO_TCP, TCP_MAXSEG, &announced, sizeof announced);
        const std::string at = fmt::format("connect plain 203.0.113.1 {}\n", local_port(listener));
        std::string said;
        for (const char* size : {"1398", "1448"}) {
          TRY(const Dialogue dialogue, parse_dialogue("# t\n" + at + "segment-size " + size + "\n", "t"));
          const Status played = Player(Stage{}).play(dialogue);
          said += (played ? "right" : played.error().message) + "\n";
        }
        return said;
      },
      *reporter);
  if (!result) FAIL(format_error(result.error()));
  CHECK(*result == "right\nsegments hold 1398 bytes, not 1448\n");
}

TEST_CASE("a machine that is not there refuses nothing") {
  const auto reporter = make_quiet_reporter();
  const auto result = run_enclosed(
      [&](Reporter&) -> Result<std::string> {
        TRY(const auto tap, make_network());
        std::string said;
        for (const std::string where :
             {"203.0.113.10 25", "192.0.2.1 25", "203.0.113.1 25 from 2001:db8:51::1", "203.0.113.1 25"}) {
          TRY(const Dialogue dialogue, parse_dialogue("# t\nexpect-refused " + where + "\n", "t"));
          const Status played = Player(Stage{}).play(dialogue);
          said += (played ? "refused" : played.error().message) + "\n";
        }
        return said;
      },
      *reporter);
  if (!result) FAIL(format_error(result.error()));
  CHECK(*result ==
        "cannot connect to 203.0.113.10 port 25: No route to host\n"
        "cannot connect to 192.0.2.1 port 25: Network is unreachable\n"
        "cannot send from 2001:db8:51::1: Address family not supported by protocol\n"
        "refused\n");
}
