// SPDX-License-Identifier: GPL-3.0-or-later
// Dialogues against the sink, and against servers of a few lines, on loopback.
#include "mailtest/player.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "mailtest/text.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;
using namespace std::chrono_literals;

namespace {

/// Says its script to one client without listening to it: enough to test what the client makes of replies.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::string script) : socket_(listen_on("127.0.0.1", 0).value()) {
    port = local_port(socket_);
    thread_ = std::jthread([this, script = std::move(script)](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const FileDescriptor client(::accept(socket_.get(), nullptr, nullptr));
        if (!client) {
          std::this_thread::sleep_for(10ms);
          continue;
        }
        (void)::send(client.get(), script.data(), script.size(), MSG_NOSIGNAL);
        ::shutdown(client.get(), SHUT_WR);
        char block[4096];
        while (::recv(client.get(), block, sizeof block, 0) > 0) {
        }
      }
    });
  }
  std::uint16_t port = 0;

 private:
  FileDescriptor socket_;
  std::jthread thread_;
};

Status play(const std::string& text, Stage stage) {
  const auto dialogue = parse_dialogue("# test\n" + text, "t.dialogue");
  if (!dialogue) FAIL(format_error(dialogue.error()));
  return Player(std::move(stage)).play(*dialogue);
}

Status play_against(const std::string& script, const std::string& protocol, const std::string& text) {
  const ScriptedServer server(script);
  Stage stage;
  stage.variables["port"] = std::to_string(server.port);
  return play("connect " + protocol + " 127.0.0.1 ${port}\n" + text, std::move(stage));
}

}  // namespace

TEST_CASE("a client of TLS offers what it is told, and a server refuses what it does not accept") {
  Inbox inbox;
  const auto sink = SmtpSink::start({"127.0.0.1", 0, "mx.elsewhere.example", true, true}, inbox);
  REQUIRE(sink.has_value());
  Stage stage;
  stage.variables["port"] = std::to_string((*sink)->port());
  const std::string talk =
      "connect smtp 127.0.0.1 ${port}\n< 220 *\n> EHLO x.example\n< 250 *\n<! 8BITMIME\n";
  const std::string ask = talk + "> STARTTLS\n< 220 *\n";
  // The sink has a key of ECDSA.
  const Status good = play(talk + "starttls offering TLSv1.2 ECDHE-ECDSA-AES128-SHA\n> NOOP\n< 250 *\n" +
                               ask + "tls offering TLSv1.3 TLS_AES_256_GCM_SHA384\n" + ask +
                               "tls-refused offering TLSv1.2 AES128-SHA\n",
                           stage);
  if (!good) FAIL(format_error(good.error()));
  const Status taken = play(ask + "tls-refused offering TLSv1.2 ECDHE-ECDSA-AES128-SHA\n", stage);
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().message == "the server accepts TLSv1.2 with ECDHE-ECDSA-AES128-SHA");
  const Status unknown = play(ask + "tls-refused offering TLSv1.2 NO-SUCH-SUITE\n", stage);
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().kind == ErrorKind::usage);
  CHECK(unknown.error().message == "OpenSSL does not know the suite 'NO-SUCH-SUITE' of TLSv1.2");
  const Status version = play(ask + "tls offering SSLv3 AES128-SHA\n", stage);
  REQUIRE_FALSE(version.has_value());
  CHECK(version.error().message == "there is no TLS version 'SSLv3'");
}

TEST_CASE("a message goes through the sink, over TLS, and comes out as it went in") {
  Inbox inbox;
  const auto sink = SmtpSink::start({"127.0.0.1", 0, "mx.elsewhere.example", true}, inbox);
  REQUIRE(sink.has_value());
  Stage stage;
  stage.inbox = &inbox;
  stage.variables["port"] = std::to_string((*sink)->port());
  const Status status = play(R"(
connect smtp 127.0.0.1 ${port}
< 220 mx.elsewhere.example *
> EHLO test.example
< 250 *
<* STARTTLS
<! AUTH
starttls
certificate mx.elsewhere.example
> EHLO test.example
< 250 *
<! STARTTLS
# A client may take its time.
pause 1300ms
> MAIL FROM:<alice@example.org>
< 250 *
> RCPT TO:<unknown-person@elsewhere.example>
< 550 *
> RCPT TO:<someone@elsewhere.example>
< 250 *
> RCPT TO:<other@elsewhere.example>
< 250 *
data <<END
Subject: dots

.
..
.end
END
<~ ^250 (?P<code>[0-9.]+) kept$
> QUIT
< 221 *
expect-close
received within 5s to SOMEONE@elsewhere.example as mail
check mail equals ${expected}
check mail.from equals alice@example.org
check mail.tls equals yes
check code equals 2.0.0
received within 5s to other@elsewhere.example as copy
not-received within 200ms to other@elsewhere.example
)",
                             [&] {
                               stage.variables["expected"] = "Subject: dots\r\n\r\n.\r\n..\r\n.end\r\n";
                               return stage;
                             }());
  if (!status) FAIL(format_error(status.error()));
}

TEST_CASE("an answer has the time that the dialogue gives it") {
  const FileDescriptor silent = listen_on("127.0.0.1", 0).value();
  Stage stage;
  stage.variables["port"] = std::to_string(local_port(silent));
  const auto begin = std::chrono::steady_clock::now();
  const Status status =
      play("answers within 200ms\nconnect plain 127.0.0.1 ${port}\n< x\n", std::move(stage));
  REQUIRE_FALSE(status);
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
}

TEST_CASE("a reply of ManageSieve goes to its OK, NO or BYE") {
  const ScriptedServer server(
      "\"IMPLEMENTATION\" \"x\"\r\n\"SASL\" \"PLAIN\"\r\nOK \"ready\"\r\n"
      "\"name\" {4}\r\nOK\r\n ACTIVE\r\nNO {5}\r\nwrong\r\nOKAY\r\nBYE\r\n");
  Stage stage;
  stage.variables["port"] = std::to_string(server.port);
  const Status status = play(R"(
connect sieve 127.0.0.1 ${port}
< OK "ready"
<* "SASL" "PLAIN"
> LISTSCRIPTS
<~ ^NO
<* wrong
<! SASL
< BYE
<* OKAY
)",
                             stage);
  if (!status) FAIL(format_error(status.error()));
}

TEST_CASE("a certificate that nobody known has signed is not trusted") {
  Inbox inbox;
  const auto sink = SmtpSink::start({"127.0.0.1", 0, "mx.elsewhere.example", true}, inbox);
  REQUIRE(sink.has_value());
  Stage stage;
  stage.inbox = &inbox;
  stage.variables["port"] = std::to_string((*sink)->port());
  const std::string talk =
      "connect smtp 127.0.0.1 ${port}\n< 220 *\n> EHLO x.example\n< 250 *\nstarttls\n"
      "certificate mx.elsewhere.example trusted by ";
  const Status stranger = play(talk + "/etc/ssl/certs/ca-certificates.crt\n", stage);
  REQUIRE_FALSE(stranger.has_value());
  CHECK(stranger.error().message.find("the server's certificate is not trusted: self") == 0);
  const Status nothing = play(talk + "/nonexistent.pem\n", stage);
  REQUIRE_FALSE(nothing.has_value());
  CHECK(nothing.error().message == "cannot read certificates from /nonexistent.pem");
}

TEST_CASE("a reply that does not match names the line, and what was said") {
  const Status status =
      play_against("220-hello\r\n220 there\r\n550 no\r\n", "smtp", "< 220 hello*\n> EHLO x\n< 250 *\n");
  REQUIRE_FALSE(status.has_value());
  const std::string text = format_error(status.error());
  INFO(text);
  CHECK(status.error().place->line == 5);
  CHECK(text.find("t.dialogue:5:1: expected 250 *\n       got 550 no") != std::string::npos);
  CHECK(text.find("  > EHLO x\n  < 550 no") != std::string::npos);
}

TEST_CASE("replies of several lines") {
  CHECK(play_against("250-a\r\n250-b\r\n250 c\r\n", "smtp", "< 250 a*c\n<* 250-b\n").has_value());
  SECTION("IMAP: untagged lines, literals and the tagged line are one reply") {
    const std::string script = "* OK ready\r\n* 1 FETCH (BODY[] {12}\r\na1 OK\r\nbody\n)\r\na1 OK done\r\n";
    CHECK(
        play_against(script, "imap", "< * OK *\n> FETCH 1 BODY[]\n< OK *\n<* a1 OK\ncapture (?P<word>body)\n")
            .has_value());
  }
  SECTION("a continuation ends a reply") {
    CHECK(play_against("* OK x\r\n+ go on\r\n", "imap", "< *\n> APPEND x {3}\n< + *\n").has_value());
  }
}

TEST_CASE("broken servers are told, not waited for") {
  const auto message = [](const Status& status) { return status ? "" : status.error().message; };
  CHECK(message(play_against("hello\r\n", "smtp", "< 220 *\n")) == "not an SMTP reply: hello");
  CHECK(message(play_against("220 cut", "smtp", "< 220 *\n")) ==
        "the server closed the connection within a reply: 220 cut");
  CHECK(message(play_against("* OK x\r\n* 1 FETCH {99999999999}\r\n", "imap", "< *\n> NOOP\n< *\n")) ==
        "the reply is larger than 32 MiB");
  CHECK(message(play_against("220 x\r\n", "smtp", "< 220 x\nexpect-close\n")) == "");
  CHECK(message(play_against("220 x\r\nmore\r\n", "smtp", "< 220 x\nexpect-close\n")) ==
        "the server sent more instead of closing: more\\r\\n");
}

TEST_CASE("commands injected before the TLS handshake are noticed") {
  const Status status = play_against("220 x\r\n220 go\r\n250 injected\r\n", "smtp", "< 220 x\nstarttls\n");
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().message == "the server sent more before the TLS handshake");
}

TEST_CASE("a block is repeated until it goes through, and its last failure is the error") {
  Inbox inbox;
  Stage stage;
  stage.inbox = &inbox;
  std::jthread later([&inbox] {
    std::this_thread::sleep_for(1500ms);
    inbox.add({"", "a@b", {"c@d"}, "x", false});
  });
  CHECK(
      play("wait 20s until\n  received within 50ms to c@d as m\nend\ncheck m equals x\n", stage).has_value());
  const Status status = play("wait 1s until\n  received within 50ms to c@d as m\nend\n", stage);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().place->line == 3);
  CHECK(status.error().message == "no peer has received a message for c@d");
}

TEST_CASE("closed ports and scans") {
  const ScriptedServer server("220 x\r\n");
  Stage stage;
  stage.variables["open"] = std::to_string(server.port);
  // Taken, so that nobody else gets it, but not listened on.
  const FileDescriptor taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(taken.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0);
  stage.variables["closed"] = std::to_string(local_port(taken));
  CHECK(play("expect-refused 127.0.0.1 ${closed}\n", stage).has_value());
  CHECK_FALSE(play("expect-refused 127.0.0.1 ${open}\n", stage).has_value());
}

TEST_CASE("a report shows the name of a password, not the password") {
  const ScriptedServer server("* OK ready\r\na1 NO no\r\n");
  Stage stage;
  stage.variables["port"] = std::to_string(server.port);
  stage.variables["password:alice@example.org"] = "alice-secret";
  const Status status = play(
      "connect imap 127.0.0.1 ${port}\n< * OK *\n> LOGIN alice@example.org ${password:alice@example.org}\n< "
      "OK *\n",
      std::move(stage));
  REQUIRE_FALSE(status.has_value());
  const std::string report = format_error(status.error());
  CHECK(report.find("> LOGIN alice@example.org ${password:alice@example.org}") != std::string::npos);
  CHECK(report.find("alice-secret") == std::string::npos);
}
