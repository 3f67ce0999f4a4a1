// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/player.hpp"

#include <fmt/format.h>

#include <charconv>
#include <thread>

#include "base/interrupt.hpp"
#include "text/base64.hpp"

namespace mailstead::mailtest {
namespace {

using Clock = std::chrono::steady_clock;

std::uint16_t port_of(const std::string& word) {
  unsigned port = 0;
  std::from_chars(word.data(), word.data() + word.size(), port);
  return static_cast<std::uint16_t>(port <= 65535 ? port : 0);
}

bool any_line_contains(const Reply& reply, const std::string& text) {
  for (const std::string& line : reply.lines)
    if (line.find(text) != std::string::npos) return true;
  return false;
}

/// What a report shows of a line that was sent: as it was written if it holds a password.
std::string without_password(const std::string& written, const std::string& sent) {
  return printable(written.find("${password:") == std::string::npos ? sent : written, 1000);
}

}  // namespace

double Player::time_scale() const {
  return stage_.time_scale * (stage_.appliance == nullptr ? 1 : stage_.appliance->slowness());
}

Deadline Player::within(std::chrono::milliseconds time) const {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(
                            static_cast<double>(time.count()) * time_scale()));
}

std::chrono::seconds Player::patient(std::chrono::seconds time) const {
  return std::chrono::ceil<std::chrono::seconds>(time * time_scale());
}

void Player::note(std::string line) {
  constexpr std::size_t kMostLines = 400;
  transcript_.push_back(std::move(line));
  if (transcript_.size() > kMostLines) transcript_.erase(transcript_.begin());
}

void Player::note_reply(const Reply& reply) {
  std::size_t shown = 0;
  for (const std::string& line : reply.lines) {
    if (++shown > 30) {
      note(fmt::format("  < … {} more lines", reply.lines.size() - 30));
      return;
    }
    note("  < " + printable(line, 1000));
  }
}

Status Player::play(const Dialogue& dialogue) {
  for (const Step& step : dialogue.steps) {
    CHECK_OK(check_interrupt());
    if (auto status = play_step(step); !status) {
      Error error = std::move(status).error();
      if (!error.place) error.place = error_at(dialogue.file, step.line, step.source, "").place;
      if (error.place->file.empty()) error.place->file = dialogue.file;
      std::string said = "what was said until then:";
      for (const std::string& line : transcript_) said += "\n" + line;
      error.notes.push_back(std::move(said));
      return fail(std::move(error));
    }
  }
  return ok();
}

Status Player::play_step(const Step& step) {
  switch (step.verb) {
    case Verb::set: {
      TRY(variables_[step.words[0]], expanded(step.text));
      return ok();
    }
    case Verb::message:
      return keep_message(step);
    case Verb::answers:
      reply_time_ = step.time;
      return ok();
    case Verb::check:
      return check(step);
    case Verb::pause: {
      const Deadline end = within(step.time);
      while (Clock::now() < end) {
        CHECK_OK(check_interrupt());
        std::this_thread::sleep_for(
            std::min<Clock::duration>(std::chrono::milliseconds(100), end - Clock::now()));
      }
      return ok();
    }
    case Verb::wait_until:
      return wait_until(step);
    case Verb::each:
      return each(step);
    case Verb::include:
      return include(step);
    case Verb::received:
    case Verb::not_received:
      return receive(step);
    case Verb::verify_dkim:
      return verify_dkim(step);
    case Verb::reboot:
    case Verb::power_cut:
    case Verb::power_off:
    case Verb::power_on:
    case Verb::wait_boot:
    case Verb::journal:
    case Verb::serial:
    case Verb::wait_serial:
    case Verb::disk_size:
    case Verb::other_disk:
    case Verb::data_partition:
    case Verb::write_image:
    case Verb::write_disk:
    case Verb::debugfs:
    case Verb::copied_disk:
    case Verb::press:
    case Verb::screen:
      return play_machine(step);
    case Verb::ports_open:
      return check_ports(step);
    case Verb::ssh:
      return log_in(step);
    case Verb::ssh_refuses:
      return check_login_methods(step);
    case Verb::segment_size:
      return check_segment_size(step);
    case Verb::oracle:
      return run_oracle(step);
    case Verb::oracle_begin:
      return begin_oracle(step);
    case Verb::oracle_end:
      return end_oracle(step);
    default:
      return play_talk(step);
  }
}

Status Player::play_talk(const Step& step) {
  switch (step.verb) {
    case Verb::connect:
      return connect(step);
    case Verb::expect_refused:
      return expect_refused(step);
    case Verb::starttls:
    case Verb::tls:
    case Verb::tls_refused:
      return start_tls(step);
    case Verb::expect_glob:
    case Verb::expect_regex:
      return expect(step);
    case Verb::reply_has:
    case Verb::reply_lacks:
    case Verb::capture:
      return look_again(step);
    case Verb::data:
      return send_data(step);
    case Verb::send: {
      TRY(const std::string text, expanded(step.text));
      return send(text, without_password(step.text, text));
    }
    case Verb::send_raw: {
      TRY(const std::string text, expanded(step.text));
      TRY(Session * to, session());
      note("  > raw \"" + without_password(step.text, text) + "\"");
      reply_.reset();
      return to->connection().write(text, reply_deadline());
    }
    case Verb::auth_plain: {
      TRY(const std::vector<std::string> w, expanded(step.words));
      TRY(Session * to, session());
      const std::string secret = text::to_base64(std::string(1, '\0') + w[0] + std::string(1, '\0') + w[1]);
      const std::string hidden = "(" + w[0] + " and a password)";
      if (to->protocol() == Protocol::sieve)
        return send("AUTHENTICATE \"PLAIN\" \"" + secret + "\"", "AUTHENTICATE \"PLAIN\" " + hidden);
      const std::string verb = to->protocol() == Protocol::imap ? "AUTHENTICATE PLAIN " : "AUTH PLAIN ";
      return send(verb + secret, verb + hidden);
    }
    case Verb::certificate: {
      TRY(const std::vector<std::string> w, expanded(step.words));
      TRY(Session * to, session());
      if (!to->connection().certificate_is_for(w[0]))
        return mismatch("the server's certificate is not for " + w[0]);
      return w.size() == 4 ? to->connection().check_trust(w[3]) : ok();
    }
    case Verb::use: {
      TRY(const std::string name, expanded(step.words[0]));
      if (sessions_.count(name) == 0) return mismatch("there is no connection '" + name + "'");
      current_ = name;
      reply_.reset();
      return ok();
    }
    case Verb::close: {
      TRY(Session * to, session());
      (void)to;
      sessions_.erase(current_);
      reply_.reset();
      note("  (closed)");
      return ok();
    }
    case Verb::expect_close: {
      TRY(Session * to, session());
      CHECK_OK(to->expect_close(reply_deadline()));
      sessions_.erase(current_);
      reply_.reset();
      note("  (closed by the server)");
      return ok();
    }
    default:
      return fail(ErrorKind::internal, "a step that nobody plays");
  }
}

Result<Session*> Player::session() {
  const auto found = sessions_.find(current_);
  if (found == sessions_.end()) return mismatch("there is no open connection");
  return found->second.get();
}

Result<std::vector<std::string>> Player::expanded(const std::vector<std::string>& words) const {
  std::vector<std::string> result;
  for (const std::string& word : words) {
    TRY(std::string value, expanded(word));
    result.push_back(std::move(value));
  }
  return result;
}

Status Player::connect(const Step& step) {
  TRY(const std::vector<std::string> w, expanded(step.words));
  std::string from;
  std::string name = "main";
  bool tls = false;
  for (std::size_t i = 3; i < w.size(); ++i) {
    if (w[i] == "tls") tls = true;
    if (w[i] == "from")
      from = w[++i];
    else if (w[i] == "as")
      name = w[++i];
  }
  const Protocol protocol = w[0] == "smtp"    ? Protocol::smtp
                            : w[0] == "imap"  ? Protocol::imap
                            : w[0] == "sieve" ? Protocol::sieve
                                              : Protocol::plain;
  note(fmt::format("connect {} port {}{}", w[1], w[2], tls ? " with TLS" : ""));
  TRY(Connection connection, Connection::open(w[1], port_of(w[2]), from, reply_deadline()));
  if (tls) CHECK_OK(connection.start_tls({}, reply_deadline()));
  sessions_[name] = std::make_unique<Session>(protocol, std::move(connection));
  current_ = name;
  reply_.reset();
  return ok();
}

Status Player::expect_refused(const Step& step) {
  TRY(const std::vector<std::string> w, expanded(step.words));
  // A filtered port does not answer at all; waiting longer tells nothing more on a network without distance.
  // Not shorter, whatever the patience: the kernel needs 3 s to find out that a machine is not there.
  const Deadline deadline = std::max(within(std::chrono::seconds(5)), Clock::now() + std::chrono::seconds(5));
  TRY(const bool refused, Connection::refused(w[0], port_of(w[1]), w.size() == 4 ? w[3] : "", deadline));
  if (!refused) return mismatch(fmt::format("{} port {} accepts connections", w[0], w[1]));
  note(fmt::format("{} port {} is closed", w[0], w[1]));
  return ok();
}

Status Player::start_tls(const Step& step) {
  TRY(const std::vector<std::string> w, expanded(step.words));
  TRY(Session * to, session());
  const TlsOffer offer = w.empty() ? TlsOffer{} : TlsOffer{w[1], w[2]};
  if (step.verb == Verb::starttls) {
    CHECK_OK(send("STARTTLS", "STARTTLS"));
    TRY(const Reply reply, to->read_reply(reply_deadline()));
    note_reply(reply);
    const std::string wanted = to->protocol() == Protocol::smtp ? "220" : "OK";
    if (reply.status.compare(0, wanted.size(), wanted) != 0)
      return mismatch("STARTTLS was refused: " + printable(reply.status, 300));
  }
  if (to->has_unread()) return mismatch("the server sent more before the TLS handshake");
  const Status made = to->connection().start_tls(offer, reply_deadline());
  if (step.verb != Verb::tls_refused) {
    CHECK_OK(made);
    note("  (TLS)");
    return ok();
  }
  if (made) return mismatch("the server takes " + offer.version + " with " + offer.suite);
  if (made.error().kind != ErrorKind::tool) return made;
  sessions_.erase(current_);
  note("  (no TLS)");
  return ok();
}

Status Player::send(const std::string& text, const std::string& shown) {
  TRY(Session * to, session());
  note("  > " + shown);
  reply_.reset();  // what is looked at next is the answer to this
  return to->send_line(text, reply_deadline());
}

Status Player::send_data(const Step& step) {
  TRY(Session * to, session());
  std::string message;
  if (step.words[0].compare(0, 2, "<<") == 0) {
    TRY(const std::string text, expanded(step.text));
    message = to_crlf(text);
  } else {
    const auto kept = variables_.find(step.words[0]);
    if (kept == variables_.end()) return mismatch("there is no message '" + step.words[0] + "'");
    message = kept->second;
  }
  CHECK_OK(send("DATA", "DATA"));
  TRY(reply_, to->read_reply(reply_deadline()));
  note_reply(*reply_);
  if (reply_->status.compare(0, 3, "354") != 0)
    return mismatch("DATA was refused: " + printable(reply_->status, 300));
  note(fmt::format("  > (a message of {} bytes)", message.size()));
  return to->connection().write(dot_stuff(message), within(std::chrono::minutes(5)));
}

Status Player::expect(const Step& step) {
  TRY(Session * from, session());
  TRY(const std::string wanted, expanded(step.text));
  reply_.reset();
  TRY(Reply reply, from->read_reply(reply_deadline()));
  note_reply(reply);
  bool matches = false;
  if (step.verb == Verb::expect_glob) {
    matches = glob_matches(wanted, reply.status);
  } else {
    TRY(matches, regex_search(wanted, reply.text(), variables_));
  }
  reply_ = std::move(reply);
  if (!matches)
    return mismatch("expected " + printable(wanted, 300) + "\n       got " + printable(reply_->status, 1000));
  return ok();
}

Status Player::look_again(const Step& step) {
  if (!reply_) return mismatch("no reply has been read yet");
  TRY(const std::string wanted, expanded(step.text));
  if (step.verb == Verb::capture) {
    TRY(const bool found, regex_search(wanted, reply_->text(), variables_));
    if (!found) return mismatch("nothing in the reply matches " + printable(wanted, 300));
    return ok();
  }
  const bool found = any_line_contains(*reply_, wanted);
  if (found && step.verb == Verb::reply_lacks)
    return mismatch("a line of the reply contains " + printable(wanted, 300));
  if (!found && step.verb == Verb::reply_has)
    return mismatch("no line of the reply contains " + printable(wanted, 300) + "\n       got " +
                    printable(reply_->text(), 1000));
  return ok();
}

Status Player::check(const Step& step) {
  const auto variable = variables_.find(step.words[0]);
  if (variable == variables_.end()) return mismatch("the variable '" + step.words[0] + "' has no value");
  const std::string value = variable->second;
  const std::string& how = step.words[1];
  TRY(const std::string wanted, expanded(step.text));
  bool good = false;
  if (how == "matches") {
    TRY(good, regex_search(wanted, value, variables_));
  } else if (how == "equals") {
    good = value == wanted;
  } else {
    good = (value.find(wanted) != std::string::npos) == (how == "contains");
  }
  if (!good)
    return mismatch(
        fmt::format("'{}' does not hold: {} is\n{}", step.source, step.words[0], printable(value, 3000)));
  return ok();
}

Status Player::play_block(const Step& step) {
  for (const Step& inner : step.block) {
    CHECK_OK(check_interrupt());
    if (auto status = play_step(inner); !status) {
      Error error = std::move(status).error();
      if (!error.place) error.place = error_at("", inner.line, inner.source, "").place;
      return fail(std::move(error));
    }
  }
  return ok();
}

Status Player::each(const Step& step) {
  const std::string& file = step.text;
  for (const Row& row : step.rows) {
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      TRY(variables_[step.words[i]], expanded(row.fields[i]));
    }
    if (!step.condition.empty()) {
      TRY(const std::string wanted, expanded(step.condition[1]));
      if (variables_[step.condition[0]] != wanted) continue;
    }
    note(fmt::format("({}:{})", file, row.line));
    if (auto status = play_block(step); !status)
      return fail(std::move(status).error().with_note(
          fmt::format("at {}:{}: {}", file, row.line, printable(row.source, 300))));
  }
  return ok();
}

Status Player::include(const Step& step) {
  if (step.block.empty()) return fail(ErrorKind::internal, "a fragment that nobody has read");
  auto status = play_block(step);
  if (status) return status;
  Error error = std::move(status).error();
  if (error.place && error.place->file.empty()) error.place->file = step.text;
  return fail(std::move(error).with_note(
      fmt::format("included in line {}: {}", step.line,
                  printable(step.source.substr(step.source.find_first_not_of(" \t")), 300))));
}

Status Player::wait_until(const Step& step) {
  const Deadline end = within(step.time);
  for (int attempt = 1;; ++attempt) {
    CHECK_OK(check_interrupt());
    std::vector<std::string> before;
    before.reserve(sessions_.size());
    for (const auto& [name, open] : sessions_) before.push_back(name);
    const std::string current = current_;
    const std::size_t said = transcript_.size();
    Status status = play_block(step);
    if (status) return ok();
    if (Clock::now() >= end || status.error().kind == ErrorKind::usage)
      return fail(std::move(status).error().with_note(fmt::format("in attempt {} of 'wait'", attempt)));
    // The next attempt begins as this one did: without the connections that the block has opened.
    std::erase_if(sessions_, [&](const auto& entry) {
      return std::find(before.begin(), before.end(), entry.first) == before.end();
    });
    current_ = current;
    if (transcript_.size() > said) transcript_.resize(said);
    note(fmt::format("  (attempt {} failed: {})", attempt, status.error().message.substr(0, 200)));
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  }
}

Status Player::receive(const Step& step) {
  if (stage_.inbox == nullptr) return mismatch("no peer is there to receive mail");
  TRY(const std::vector<std::string> w, expanded(step.words));
  const Deadline end = within(step.time);
  std::optional<ReceivedMessage> message;
  while (!message && Clock::now() < end) {
    CHECK_OK(check_interrupt());
    message = stage_.inbox->take(w[3], std::min(end, Clock::now() + std::chrono::milliseconds(500)));
  }
  if (step.verb == Verb::not_received) {
    if (message) return mismatch("a message for " + w[3] + " came out:\n" + printable(message->data, 2000));
    return ok();
  }
  if (!message) {
    std::string others;
    for (const std::string& to : stage_.inbox->waiting()) others += " " + to;
    return mismatch("no peer has received a message for " + w[3] +
                    (others.empty() ? "" : "; there are messages for" + others));
  }
  const std::string& name = w[5];
  variables_[name] = message->data;
  variables_[name + ".from"] = message->from;
  variables_[name + ".helo"] = message->helo;
  variables_[name + ".tls"] = message->under_tls ? "yes" : "no";
  note(fmt::format("received a message of {} bytes from <{}> to <{}>", message->data.size(), message->from,
                   w[3]));
  return ok();
}

}  // namespace mailstead::mailtest
