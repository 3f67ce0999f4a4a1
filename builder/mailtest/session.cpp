// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/session.hpp"

#include <charconv>

#include "mailtest/text.hpp"

namespace mailstead::mailtest {
namespace {

constexpr std::size_t kLargestReply = 32u << 20;
constexpr std::size_t kMostReplyLines = 100'000;

// The length in the "{123}" at the end of an IMAP line (RFC 9051 section 4.3), or nothing.
std::optional<std::size_t> literal_length(std::string_view line) {
  if (line.empty() || line.back() != '}') return std::nullopt;
  const std::size_t open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  std::size_t length = 0;
  const char* const last = line.data() + line.size() - 1;
  const auto [end, error] = std::from_chars(line.data() + open + 1, last, length);
  if (error != std::errc{} || end != last) return std::nullopt;
  return length;
}

bool is_smtp_line(std::string_view line) {
  return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' &&
         std::isdigit(static_cast<unsigned char>(line[1])) &&
         std::isdigit(static_cast<unsigned char>(line[2])) &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

}  // namespace

std::string Reply::text() const {
  if (protocol == Protocol::smtp) return status;
  std::string joined;
  for (const std::string& line : lines) joined += (joined.empty() ? "" : "\n") + line;
  return joined;
}

Status Session::send_line(std::string_view line, Deadline deadline) {
  std::string text;
  if (protocol_ == Protocol::imap) {
    tag_ = "a" + std::to_string(++commands_);
    text = tag_ + " ";
  }
  text.append(line);
  return connection_.write(text + "\r\n", deadline);
}

Status Session::fill(Deadline deadline) {
  if (buffer_.size() > kLargestReply) return fail(ErrorKind::network, "the reply is larger than 32 MiB");
  TRY(const std::string block, connection_.read(deadline));
  if (block.empty())
    return fail(ErrorKind::network, buffer_.empty() ? "the server closed the connection"
                                                    : "the server closed the connection within a reply: " +
                                                          printable(buffer_, 300));
  buffer_ += block;
  return ok();
}

Result<std::string> Session::read_line(Deadline deadline) {
  std::size_t searched = 0;
  while (true) {
    if (const auto end = buffer_.find('\n', searched); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
    searched = buffer_.size();
    CHECK_OK(fill(deadline));
  }
}

Result<Reply> Session::read_reply(Deadline deadline) {
  if (protocol_ == Protocol::smtp) return read_smtp(deadline);
  if (protocol_ == Protocol::imap) return read_imap(deadline);
  if (protocol_ == Protocol::sieve) return read_sieve(deadline);
  Reply reply;
  TRY(reply.status, read_line(deadline));
  reply.lines.push_back(reply.status);
  return reply;
}

Result<Reply> Session::read_smtp(Deadline deadline) {
  Reply reply;
  reply.protocol = Protocol::smtp;
  while (true) {
    TRY(const std::string line, read_line(deadline));
    if (!is_smtp_line(line)) return fail(ErrorKind::network, "not an SMTP reply: " + printable(line, 300));
    const std::string_view text = std::string_view(line).substr(std::min<std::size_t>(4, line.size()));
    if (reply.lines.empty())
      reply.status = line.substr(0, 3) + " " + std::string(text);
    else
      reply.status += "\n" + std::string(text);
    reply.lines.push_back(line);
    if (line.size() == 3 || line[3] == ' ') return reply;
    if (reply.lines.size() > kMostReplyLines) return fail(ErrorKind::network, "the reply does not end");
  }
}

Result<std::string> Session::read_line_with_literals(Deadline deadline) {
  TRY(std::string line, read_line(deadline));
  while (const auto length = literal_length(line)) {
    if (*length > kLargestReply) return fail(ErrorKind::network, "the reply is larger than 32 MiB");
    while (buffer_.size() < *length) CHECK_OK(fill(deadline));
    line += "\n" + buffer_.substr(0, *length);
    buffer_.erase(0, *length);
    TRY(const std::string rest, read_line(deadline));
    line += rest;
    if (line.size() > kLargestReply) return fail(ErrorKind::network, "the reply is larger than 32 MiB");
  }
  return line;
}

Result<Reply> Session::read_sieve(Deadline deadline) {
  Reply reply;
  reply.protocol = Protocol::sieve;
  std::size_t total = 0;
  while (true) {
    TRY(reply.status, read_line_with_literals(deadline));
    reply.lines.push_back(reply.status);
    const std::string word = reply.status.substr(0, reply.status.find(' '));
    if (word == "OK" || word == "NO" || word == "BYE") return reply;
    total += reply.status.size() + 1;
    if (total > kLargestReply || reply.lines.size() > kMostReplyLines)
      return fail(ErrorKind::network, "the reply does not end");
  }
}

Result<Reply> Session::read_imap(Deadline deadline) {
  Reply reply;
  reply.protocol = Protocol::imap;
  std::size_t total = 0;
  while (true) {
    TRY(const std::string line, read_line_with_literals(deadline));
    total += line.size() + 1;
    if (total > kLargestReply || reply.lines.size() > kMostReplyLines)
      return fail(ErrorKind::network, "the reply does not end");
    const bool tagged = !tag_.empty() && line.compare(0, tag_.size() + 1, tag_ + " ") == 0;
    const bool greeting = !greeted_ && line.compare(0, 2, "* ") == 0;
    const bool continuation = line.compare(0, 1, "+") == 0;
    greeted_ = true;
    reply.lines.push_back(line);
    if (!tagged && !greeting && !continuation) continue;
    reply.status = tagged ? line.substr(tag_.size() + 1) : line;
    return reply;
  }
}

Status Session::expect_close(Deadline deadline) {
  if (buffer_.empty()) {
    TRY(buffer_, connection_.read(deadline));
    if (buffer_.empty()) return ok();
  }
  return fail(ErrorKind::network, "the server sent more instead of closing: " + printable(buffer_, 300));
}

}  // namespace mailstead::mailtest
