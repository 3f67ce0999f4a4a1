// SPDX-License-Identifier: GPL-3.0-or-later
// What is around the machine: peers that receive mail, open ports, the DKIM oracle.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <set>
#include <sstream>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/run.hpp"
#include "base/threads.hpp"
#include "mailtest/player.hpp"
#include "mailtest/udp_probe.hpp"

namespace mailstead::mailtest {
namespace {

using Clock = std::chrono::steady_clock;

/// Ports above 1023 on which parts of mail servers, or systems in general, often listen.
constexpr int kKnownHighPorts[] = {1080,  2049,  2525,  3128,  3306,  4190,  5353,  5355,  5432,  6379,
                                   8080,  8443,  8953,  9000,  9090,  9100,  9900,  9980,  10025, 10026,
                                   10143, 11332, 11333, 11334, 11335, 12340, 12345, 24242, 28080};

/// The numbers in a word; a variable may hold several.
Result<std::vector<int>> ports_in(const std::string& word) {
  std::vector<int> ports;
  std::istringstream numbers(word);
  for (std::string text; numbers >> text;) {
    int port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size())
      return fail(ErrorKind::usage, "'" + text + "' is not a port");
    ports.push_back(port);
  }
  return ports;
}

}  // namespace

Result<std::optional<ReceivedMessage>> Player::take_message(const std::string& address, Deadline deadline) {
  if (stage_.inbox == nullptr) return mismatch("this dialogue is played without a peer that receives mail");
  std::optional<ReceivedMessage> message;
  while (!message && Clock::now() < deadline) {
    CHECK_OK(check_interrupt());
    message = stage_.inbox->take(address, std::min(deadline, Clock::now() + std::chrono::milliseconds(500)));
  }
  return message;
}

Status Player::play(const verb::Received& step) {
  TRY(const std::string address, expanded(step.address));
  TRY(const std::optional<ReceivedMessage> message, take_message(address, within(step.within)));
  if (!message) {
    std::string others;
    for (const std::string& to : stage_.inbox->waiting()) others += " " + to;
    return mismatch("no peer has received a message for " + address +
                    (others.empty() ? "" : "; there are messages for" + others));
  }
  variables_[step.name] = message->data;
  variables_[step.name + ".from"] = message->from;
  variables_[step.name + ".helo"] = message->helo;
  variables_[step.name + ".tls"] = message->under_tls ? "yes" : "no";
  note(fmt::format("received a message of {} bytes from <{}> to <{}>", message->data.size(), message->from,
                   address));
  return ok();
}

Status Player::play(const verb::NotReceived& step) {
  TRY(const std::string address, expanded(step.address));
  TRY(const std::optional<ReceivedMessage> message, take_message(address, within(step.within)));
  if (!message) return ok();
  return mismatch("a message for " + address + " was received:\n" + printable(message->data, 2000));
}

Status Player::play(const verb::VerifyDkim& step) {
  TRY(const std::string text, message(step.message));
  TRY(const std::string domain, expanded(step.domain));
  TRY(const std::string algorithms, expanded(step.algorithms));
  const std::filesystem::path zone = stage_.folder / "zone.json";
  CHECK_OK(write_file(zone, stage_.zone_json));
  Command command;
  command.argv = {"/usr/bin/python3", (stage_.oracles / "verify-dkim.py").string(), zone.string(), domain,
                  algorithms};
  command.input = text;
  command.timeout = patient(std::chrono::seconds(60));
  TRY(const CommandOutput verdict, run_any_status(command));
  note("verify-dkim: " + printable(verdict.out, 600));
  if (verdict.exit_status != 0)
    return mismatch("the independent verifier does not accept the signatures:\n" + verdict.out + verdict.err +
                    "\nthe message was:\n" + text.substr(0, 4000));
  return ok();
}

Status Player::play(const verb::PortsOpen& step) {
  TRY(const std::string address, expanded(step.address));
  std::set<int> wanted;
  std::set<int> tried(std::begin(kKnownHighPorts), std::end(kKnownHighPorts));
  for (int port = 1; port <= 1024; ++port) tried.insert(port);
  for (const Text& text : step.ports) {
    TRY(const std::string word, expanded(text));
    TRY(const std::vector<int> named, ports_in(word));
    wanted.insert(named.begin(), named.end());
    tried.insert(named.begin(), named.end());
  }
  const std::vector<int> ports(tried.begin(), tried.end());
  std::set<int> open;
  // They are hung up on when all have been tried, with what they have said unread, as scanners do: no service
  // may take that for an error.
  std::vector<Connection> held;
  std::mutex mutex;
  std::atomic<std::size_t> next{0};
  const auto keep = [&](int port, std::chrono::seconds patience) {
    auto answer = Connection::open(address, static_cast<std::uint16_t>(port), "", within(patience));
    if (!answer) return false;
    const std::lock_guard lock(mutex);
    open.insert(port);
    held.push_back(*std::move(answer));
    return true;
  };
  const auto scan = [&] {
    for (std::size_t i; (i = next++) < ports.size();) {
      if (interrupted()) return;
      // Two seconds are long on this network; only ports that should be open get more, for a machine under
      // load.
      if (!keep(ports[i], std::chrono::seconds(2)) && wanted.count(ports[i]) != 0)
        keep(ports[i], std::chrono::seconds(10));
    }
  };
  {
    // A filtered port takes the full two seconds: many are tried at once.
    constexpr int kScanners = 256;
    in_threads(kScanners, scan);
  }
  CHECK_OK(check_interrupt());
  TRY(const std::vector<std::string> udp,
      answering_udp(address, udp_probes(), patient(std::chrono::seconds(4))));
  if (open == wanted && udp.empty()) {
    note(fmt::format("{}: of {} ports exactly the expected ones are open", address, ports.size()));
    return ok();
  }
  std::string message = "the open ports of " + address + " differ:";
  for (const int port : open)
    if (wanted.count(port) == 0) message += fmt::format("\n       {} is open", port);
  for (const int port : wanted)
    if (open.count(port) == 0) message += fmt::format("\n       {} is closed", port);
  for (const std::string& service : udp) message += fmt::format("\n       {} answers over UDP", service);
  return mismatch(std::move(message));
}

}  // namespace mailstead::mailtest
