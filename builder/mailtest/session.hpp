// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mailtest/connection.hpp"
#include "mailtest/protocol.hpp"

namespace mailstead::mailtest {

/// A whole answer of a server.
struct Reply {
  std::vector<std::string> lines;  ///< as received, without line ends; IMAP literals are part of their line
  /// What `<` compares. SMTP (RFC 5321 section 4.2): the code once, then the texts of all lines, joined by
  /// line ends. IMAP (RFC 9051 section 7): the last line without its tag. ManageSieve (RFC 5804 section 1.2):
  /// the last line, with OK, NO or BYE. Plain: the line.
  std::string status;
  /// All lines joined by line ends, for regular expressions. For SMTP the same as `status`.
  std::string text() const;
  Protocol protocol = Protocol::plain;
};

/// One conversation: sends lines, and reads whole replies of the protocol.
class Session {
 public:
  Session(Protocol protocol, Connection connection)
      : protocol_(protocol), connection_(std::move(connection)) {}

  Protocol protocol() const { return protocol_; }
  Connection& connection() { return connection_; }

  /// Sends a line with CRLF; in IMAP it gets a tag in front.
  Status send_line(std::string_view line, Deadline deadline);
  /// The next reply, at most 32 MiB. Errors: closed, deadline, not a reply of this protocol.
  Result<Reply> read_reply(Deadline deadline);
  /// ok() when the peer closes the connection without a further byte.
  Status expect_close(Deadline deadline);
  /// Whether bytes were received that belong to no reply yet: they must not survive STARTTLS (CVE-2011-0411
  /// and the like).
  bool has_unread() const { return !buffer_.empty(); }

 private:
  Result<std::string> read_line(Deadline deadline);
  Status fill(Deadline deadline);
  Result<Reply> read_smtp(Deadline deadline);
  Result<Reply> read_imap(Deadline deadline);
  Result<Reply> read_sieve(Deadline deadline);
  /// A line in which each "{123}" at a line end is followed by that many octets and the rest of the line.
  Result<std::string> read_line_with_literals(Deadline deadline);

  Protocol protocol_;
  Connection connection_;
  std::string buffer_;
  std::string tag_;
  int commands_ = 0;
  bool greeted_ = false;
};

}  // namespace mailstead::mailtest
