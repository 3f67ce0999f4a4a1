// SPDX-License-Identifier: GPL-3.0-or-later
// Connections, and what is said on them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "mailtest/player.hpp"
#include "text/base64.hpp"

namespace mailstead::mailtest {
namespace {

using Clock = std::chrono::steady_clock;

template <typename Number>
Number number_of(const std::string& digits) {
  Number number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

bool any_line_contains(const Reply& reply, const std::string& text) {
  return std::ranges::any_of(reply.lines,
                             [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

/// What a report shows of a line that was sent: as it was written if it holds a password.
std::string without_password(const std::string& written, const std::string& sent) {
  return printable(written.find("${password:") == std::string::npos ? sent : written, 1000);
}

Status unexpected_reply(const std::string& wanted, const Reply& reply) {
  return mismatch("expected " + printable(wanted, 300) + "\n       got " + printable(reply.status, 1000));
}

}  // namespace

Result<Session*> Player::session() {
  const auto found = sessions_.find(current_);
  if (found == sessions_.end()) return mismatch("there is no open connection");
  return found->second.get();
}

Status Player::play(const verb::Connect& step) {
  TRY(const std::string address, expanded(step.address));
  TRY(const std::string port, expanded(step.port));
  TRY(const std::string from, expanded(step.from));
  TRY(const std::string name, expanded(step.name));
  note(fmt::format("connect {} port {}{}", address, port, step.tls ? " with TLS" : ""));
  TRY(Connection connection,
      Connection::open(address, number_of<std::uint16_t>(port), from, reply_deadline()));
  if (step.tls) CHECK_OK(connection.start_tls({}, reply_deadline()));
  sessions_[name] = std::make_unique<Session>(step.protocol, std::move(connection));
  current_ = name;
  reply_.reset();
  return ok();
}

Status Player::play(const verb::Use& step) {
  TRY(const std::string name, expanded(step.name));
  if (sessions_.count(name) == 0) return mismatch("there is no connection '" + name + "'");
  current_ = name;
  reply_.reset();
  return ok();
}

Status Player::play(const verb::ExpectRefused& step) {
  TRY(const std::string address, expanded(step.address));
  TRY(const std::string port, expanded(step.port));
  TRY(const std::string from, expanded(step.from));
  // A filtered port does not answer at all; on a network without distance, waiting longer shows no more. Not
  // shorter, with any patience: the kernel needs 3 s to find out that a machine is not there.
  const Deadline deadline = std::max(within(std::chrono::seconds(5)), Clock::now() + std::chrono::seconds(5));
  TRY(const bool refused, Connection::refused(address, number_of<std::uint16_t>(port), from, deadline));
  if (!refused) return mismatch(fmt::format("{} port {} accepts connections", address, port));
  note(fmt::format("{} port {} is closed", address, port));
  return ok();
}

void Player::close_session() {
  sessions_.erase(current_);
  reply_.reset();
}

Status Player::play(const verb::Close&) {
  CHECK_OK(session());
  close_session();
  note("  (closed)");
  return ok();
}

Status Player::play(const verb::ExpectClose&) {
  TRY(Session * to, session());
  CHECK_OK(to->expect_close(reply_deadline()));
  close_session();
  note("  (closed by the server)");
  return ok();
}

Result<TlsOffer> Player::expanded(const verb::Offer& offer) const {
  TRY(std::string version, expanded(offer.version));
  TRY(std::string suite, expanded(offer.suite));
  return TlsOffer{std::move(version), std::move(suite)};
}

Result<Session*> Player::session_before_tls() {
  TRY(Session * to, session());
  if (to->has_unread()) return mismatch("the server sent more before the TLS handshake");
  return to;
}

Status Player::play(const verb::StartTls& step) {
  TRY(Session * to, session());
  CHECK_OK(send("STARTTLS", "STARTTLS"));
  TRY(const Reply reply, to->read_reply(reply_deadline()));
  note_reply(reply);
  const std::string wanted = to->protocol() == Protocol::smtp ? "220" : "OK";
  if (!reply.status.starts_with(wanted))
    return mismatch("STARTTLS was refused: " + printable(reply.status, 300));
  return play(verb::Tls{step.offer});
}

Status Player::play(const verb::Tls& step) {
  TRY(const TlsOffer offer, expanded(step.offer));
  TRY(Session * to, session_before_tls());
  CHECK_OK(to->connection().start_tls(offer, reply_deadline()));
  note("  (TLS)");
  return ok();
}

Status Player::play(const verb::TlsRefused& step) {
  TRY(const TlsOffer offer, expanded(step.offer));
  TRY(Session * to, session_before_tls());
  const Status made = to->connection().start_tls(offer, reply_deadline());
  if (made) return mismatch("the server accepts " + offer.version + " with " + offer.suite);
  if (made.error().kind != ErrorKind::tool) return made;
  sessions_.erase(current_);
  note("  (no TLS)");
  return ok();
}

Status Player::play(const verb::Certificate& step) {
  TRY(const std::string name, expanded(step.name));
  TRY(Session * to, session());
  if (!to->connection().certificate_is_for(name))
    return mismatch("the server's certificate is not for " + name);
  if (!step.authorities) return ok();
  TRY(const std::string authorities, expanded(*step.authorities));
  return to->connection().check_trust(authorities);
}

Status Player::play(const verb::SegmentSize& step) {
  TRY(const std::string bytes, expanded(step.bytes));
  TRY(Session * to, session());
  TRY(const int size, to->connection().segment_size());
  if (const int wanted = number_of<int>(bytes); size != wanted)
    return mismatch(fmt::format("segments hold {} bytes, not {}", size, wanted));
  return ok();
}

Status Player::play(const verb::Answers& step) {
  reply_time_ = step.within;
  return ok();
}

Status Player::send(const std::string& text, const std::string& shown) {
  TRY(Session * to, session());
  note("  > " + shown);
  reply_.reset();  // what is looked at next is the answer to this
  return to->send_line(text, reply_deadline());
}

Status Player::play(const verb::Send& step) {
  TRY(const std::string text, expanded(step.line));
  return send(text, without_password(step.line.written, text));
}

Status Player::play(const verb::SendRaw& step) {
  TRY(const std::string bytes, expanded(step.bytes));
  TRY(Session * to, session());
  note("  > raw \"" + without_password(step.bytes.written, bytes) + "\"");
  reply_.reset();
  return to->connection().write(bytes, reply_deadline());
}

Status Player::play(const verb::AuthPlain& step) {
  TRY(const std::string user, expanded(step.user));
  TRY(const std::string password, expanded(step.password));
  TRY(Session * to, session());
  const std::string secret = text::to_base64(std::string(1, '\0') + user + std::string(1, '\0') + password);
  const std::string hidden = "(" + user + " and a password)";
  if (to->protocol() == Protocol::sieve)
    return send("AUTHENTICATE \"PLAIN\" \"" + secret + "\"", "AUTHENTICATE \"PLAIN\" " + hidden);
  const std::string command = to->protocol() == Protocol::imap ? "AUTHENTICATE PLAIN " : "AUTH PLAIN ";
  return send(command + secret, command + hidden);
}

Status Player::play(const verb::Data& step) {
  TRY(Session * to, session());
  TRY(const std::string data, step.kept.empty() ? expanded(step.text) : message(step.kept));
  const std::string crlf = step.kept.empty() ? to_crlf(data) : data;
  CHECK_OK(send("DATA", "DATA"));
  TRY(reply_, to->read_reply(reply_deadline()));
  note_reply(*reply_);
  if (!reply_->status.starts_with("354"))
    return mismatch("DATA was refused: " + printable(reply_->status, 300));
  note(fmt::format("  > (a message of {} bytes)", crlf.size()));
  return to->connection().write(dot_stuff(crlf), within(std::chrono::minutes(5)));
}

Result<const Reply*> Player::next_reply() {
  TRY(Session * from, session());
  reply_.reset();
  TRY(reply_, from->read_reply(reply_deadline()));
  note_reply(*reply_);
  return &*reply_;
}

Status Player::play(const verb::ExpectGlob& step) {
  TRY(const std::string wanted, expanded(step.glob));
  TRY(const Reply* reply, next_reply());
  return glob_matches(wanted, reply->status) ? ok() : unexpected_reply(wanted, *reply);
}

Status Player::play(const verb::ExpectRegex& step) {
  TRY(const std::string wanted, expanded(step.regex));
  TRY(const Reply* reply, next_reply());
  TRY(const bool found, regex_search(wanted, reply->text(), variables_));
  return found ? ok() : unexpected_reply(wanted, *reply);
}

Result<const Reply*> Player::last_reply() const {
  if (!reply_) return mismatch("no reply has been read yet");
  return &*reply_;
}

Status Player::play(const verb::ReplyHas& step) {
  TRY(const Reply* reply, last_reply());
  TRY(const std::string wanted, expanded(step.part));
  if (any_line_contains(*reply, wanted)) return ok();
  return mismatch("no line of the reply contains " + printable(wanted, 300) + "\n       got " +
                  printable(reply->text(), 1000));
}

Status Player::play(const verb::ReplyLacks& step) {
  TRY(const Reply* reply, last_reply());
  TRY(const std::string wanted, expanded(step.part));
  if (!any_line_contains(*reply, wanted)) return ok();
  return mismatch("a line of the reply contains " + printable(wanted, 300));
}

Status Player::play(const verb::Capture& step) {
  TRY(const Reply* reply, last_reply());
  TRY(const std::string wanted, expanded(step.regex));
  TRY(const bool found, regex_search(wanted, reply->text(), variables_));
  if (!found) return mismatch("nothing in the reply matches " + printable(wanted, 300));
  return ok();
}

}  // namespace mailstead::mailtest
