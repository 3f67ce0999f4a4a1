// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/udp_probe.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <thread>

#include "base/files.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace std::chrono_literals;

TEST_CASE("a service that answers over UDP is noticed, a silent and a closed one are not") {
  const auto bound = [](std::uint16_t& port) {
    FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
    return socket;
  };
  std::uint16_t talks = 0;
  std::uint16_t listens = 0;
  std::uint16_t closed = 0;
  const FileDescriptor talker = bound(talks);
  const FileDescriptor listener = bound(listens);
  bound(closed).reset();
  std::thread server([&] {
    char block[64];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        ::recvfrom(talker.get(), block, sizeof block, 0, reinterpret_cast<sockaddr*>(&from), &size);
    (void)::sendto(talker.get(), block, static_cast<std::size_t>(got), 0, reinterpret_cast<sockaddr*>(&from),
                   size);
  });
  const auto answering = mailtest::answering_udp(
      "127.0.0.1", {{talks, "one", "hello"}, {listens, "two", "hello"}, {closed, "three", "hello"}}, 500ms);
  server.join();
  REQUIRE(answering);
  CHECK(*answering == std::vector<std::string>{"one (" + std::to_string(talks) + ")"});
  CHECK_FALSE(mailtest::answering_udp("mail.example.org", mailtest::udp_probes(), 1ms));
}

TEST_CASE("the questions have the length that their servers expect") {
  std::vector<std::size_t> sizes;
  for (const auto& probe : mailtest::udp_probes()) sizes.push_back(probe.question.size());
  CHECK(sizes == std::vector<std::size_t>{17, 48, 46, 19});
}
