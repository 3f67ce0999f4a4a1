// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "mailtest/connection.hpp"

namespace mailstead::mailtest {

/// A message that a peer of the world has accepted, with its envelope.
struct ReceivedMessage {
  std::string helo;
  std::string from;             ///< MAIL FROM without the angle brackets
  std::vector<std::string> to;  ///< RCPT TO, likewise
  std::string data;             ///< CRLF line ends, dots unstuffed
  bool under_tls = false;
};

/// What all peers of a world have accepted. Thread-safe.
class Inbox {
 public:
  void add(ReceivedMessage message);
  /// Removes and returns the oldest message for this recipient (compared without case); waits for it until
  /// `deadline`.
  std::optional<ReceivedMessage> take(const std::string& recipient, Deadline deadline);
  /// Envelope recipients of the messages that are left, for failure reports.
  std::vector<std::string> waiting() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<ReceivedMessage> messages_;
};

/// A new key, and a self-signed certificate for `name`. Errors: OpenSSL's.
struct TlsContextFree {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsContextFree>;
Result<TlsContext> make_self_signed(const std::string& name);

/// A mail server of another domain, as a line of a `world` describes it.
struct Peer {
  std::string address;
  std::uint16_t port = 25;  ///< 0: any free port
  std::string name;
  bool tls = false;        ///< offers STARTTLS
  bool seven_bit = false;  ///< without 8BITMIME (RFC 6152)
};

/// A mail server of another domain: implements the minimum of RFC 5321, and keeps the mail. A recipient whose
/// local part begins with "unknown" is rejected with 550, one that begins with "later" is deferred with 450.
class SmtpSink {
 public:
  /// Listens at once; connections are served by threads until the destructor. `inbox` must outlive the sink.
  /// Errors: the address is in use.
  static Result<std::unique_ptr<SmtpSink>> start(const Peer& peer, Inbox& inbox);
  ~SmtpSink();
  std::uint16_t port() const { return local_port(socket_); }

 private:
  SmtpSink(FileDescriptor socket, Peer peer, TlsContext tls, Inbox& inbox);
  void accept_loop(const std::stop_token& stop);
  void serve(Connection connection, const std::stop_token& stop);

  FileDescriptor socket_;
  Peer peer_;
  TlsContext tls_;
  Inbox& inbox_;
  std::jthread acceptor_;  ///< last: it uses all the others
};

}  // namespace mailstead::mailtest
