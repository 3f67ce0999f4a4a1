// SPDX-License-Identifier: GPL-3.0-or-later
// TLS with a peer that goes away, over a socket pair: there, unlike with TCP, the first write already fails.
#include "mailtest/connection.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <optional>
#include <thread>

#include "mailtest/sink.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;
using namespace std::chrono_literals;

namespace {

Deadline soon() {
  return std::chrono::steady_clock::now() + 20s;
}

/// A client under TLS whose server has gone, with a goodbye or without.
struct Forsaken {
  TlsContext context = make_self_signed("mx.elsewhere.example").value();
  std::optional<Connection> client;

  Forsaken() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    client.emplace(FileDescriptor(ends[0]));
    Status accepted = ok();
    std::jthread server([&, socket = FileDescriptor(ends[1])]() mutable {
      Connection connection(std::move(socket));
      accepted = connection.accept_tls(context.get(), soon());
    });
    REQUIRE(client->start_tls({}, soon()).has_value());
    server.join();
    REQUIRE(accepted.has_value());
  }
};

bool sigpipe_is_blocked() {
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  return sigismember(&blocked, SIGPIPE) == 1;
}

}  // namespace

TEST_CASE("a peer that has gone is no end of the program") {
  ::signal(SIGPIPE, SIG_DFL);
  SECTION("when the connection is closed") {
    Forsaken forsaken;
    forsaken.client.reset();
  }
  SECTION("when something is sent, and the connection closed then") {
    Forsaken forsaken;
    const Status sent = forsaken.client->write("NOOP\r\n", soon());
    REQUIRE_FALSE(sent.has_value());
    CHECK(sent.error().kind == ErrorKind::network);
    forsaken.client.reset();
  }
  SECTION("in the middle of a handshake") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    Connection client{FileDescriptor(ends[0])};
    FileDescriptor(ends[1]).reset();
    CHECK_FALSE(client.start_tls({}, soon()).has_value());
  }
  CHECK_FALSE(sigpipe_is_blocked());
}
