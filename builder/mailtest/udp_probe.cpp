// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/udp_probe.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/files.hpp"
#include "base/interrupt.hpp"

namespace mailstead::mailtest {
namespace {

using namespace std::string_view_literals;
using Clock = std::chrono::steady_clock;

/// Id 0x4d53, recursion desired, one question: the name servers of the root.
constexpr std::string_view kDns = "\x4d\x53\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"sv;
/// A question without the flag "recursion desired": the address of "a".
constexpr std::string_view kLlmnr =
    "\x4d\x53\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
    "a\x00\x00\x01\x00\x01"sv;
/// _services._dns-sd._udp.local PTR, with the flag that asks for a unicast answer.
constexpr std::string_view kMdns =
    "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09_services\x07_dns-sd\x04_udp\x05local\x00\x00\x0c\x80\x01"sv;
/// Version 4, mode client; the rest is zeros.
const std::string kNtp = "\x23" + std::string(47, '\0');

Result<FileDescriptor> connect_udp(const std::string& address, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &list) != 0)
    return fail(ErrorKind::usage, "'" + address + "' is not an IPv4 or IPv6 address");
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(list, ::freeaddrinfo);
  FileDescriptor socket(::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0)
    return fail(ErrorKind::network,
                fmt::format("cannot ask {} port {}: {}", address, port, std::strerror(errno)));
  return socket;
}

}  // namespace

const std::vector<UdpProbe>& udp_probes() {
  static const std::vector<UdpProbe> probes = {
      {53, "DNS", kDns}, {123, "NTP", kNtp}, {5353, "multicast DNS", kMdns}, {5355, "LLMNR", kLlmnr}};
  return probes;
}

Result<std::vector<std::string>> answering_udp(const std::string& address,
                                               const std::vector<UdpProbe>& probes,
                                               std::chrono::milliseconds patience) {
  std::vector<FileDescriptor> sockets;
  std::vector<pollfd> waiting;
  for (const UdpProbe& probe : probes) {
    TRY(FileDescriptor socket, connect_udp(address, probe.port));
    waiting.push_back({socket.get(), POLLIN, 0});
    sockets.push_back(std::move(socket));
  }
  std::vector<bool> answered(probes.size(), false);
  const auto ask = [&] {
    // The refusal of a closed port (ECONNREFUSED of an earlier question) means the same as silence.
    for (std::size_t i = 0; i < probes.size(); ++i)
      (void)::send(waiting[i].fd, probes[i].question.data(), probes[i].question.size(), 0);
  };
  const auto start = Clock::now();
  ask();
  bool again = true;
  for (auto now = start; now < start + patience; now = Clock::now()) {
    CHECK_OK(check_interrupt());
    if (again && now >= start + patience / 2) {
      again = false;
      ask();
    }
    ::poll(waiting.data(), waiting.size(), 50);
    char block[2048];
    for (std::size_t i = 0; i < probes.size(); ++i)
      if (waiting[i].revents != 0 && ::recv(waiting[i].fd, block, sizeof block, 0) > 0) answered[i] = true;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < probes.size(); ++i)
    if (answered[i]) names.push_back(fmt::format("{} ({})", probes[i].name, probes[i].port));
  return names;
}

}  // namespace mailstead::mailtest
