// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "base/result.hpp"
#include "mailtest/tls_offer.hpp"

struct ssl_st;      // SSL, OpenSSL
struct ssl_ctx_st;  // SSL_CTX

namespace mailstead::mailtest {

using Deadline = std::chrono::steady_clock::time_point;

/// A TCP connection, in the clear or under TLS, with a deadline on everything.
class Connection {
 public:
  /// Connects to a numeric IPv4 or IPv6 address; `from` is a local address, "" for any (it need not be
  /// configured on an interface as long as it is routed to this host). Errors: ErrorKind::network with the
  /// reason.
  static Result<Connection> open(const std::string& address, std::uint16_t port, const std::string& from,
                                 Deadline deadline);
  /// Whether the other side refuses the connection, or a filter there drops it until the deadline; false: it
  /// accepts. Errors: as for open if the cause is another, such as a missing route or a machine that is off.
  static Result<bool> refused(const std::string& address, std::uint16_t port, const std::string& from,
                              Deadline deadline);
  /// Takes over a connected socket (the server's side).
  explicit Connection(FileDescriptor socket);
  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  Connection(const Connection&) = delete;

  /// Client's TLS handshake. Any certificate is accepted: see certificate_is_for() and check_trust().
  /// `offer`: the client offers only this, if it is not empty. Errors: ErrorKind::network, the connection was
  /// closed or the deadline has passed; ErrorKind::tool, the handshake failed; those of apply_offer.
  Status start_tls(const TlsOffer& offer, Deadline deadline);
  /// Server's TLS handshake with the certificate in `context`.
  Status accept_tls(ssl_ctx_st* context, Deadline deadline);
  bool under_tls() const { return tls_ != nullptr; }
  /// Bytes of data in a segment that we send (tcp(7), TCP_MAXSEG): what the other side accepts in one, less
  /// the options of each segment. Errors: the socket option cannot be read.
  Result<int> segment_size() const;
  /// Whether the peer's certificate is for this host name (RFC 6125); any signer will do.
  bool certificate_is_for(const std::string& name) const;
  /// Whether a client that trusts only the certificates in `authorities` (PEM) would accept the chain that
  /// the peer has sent, for a server and now. Errors: ErrorKind::tool with the reason; ErrorKind::usage, the
  /// file cannot be read.
  Status check_trust(const std::filesystem::path& authorities) const;

  Status write(std::string_view data, Deadline deadline);
  /// At least one byte, or "" when the peer has closed. Errors: deadline, reset.
  Result<std::string> read(Deadline deadline);

 private:
  Status handshake(bool server, Deadline deadline);
  FileDescriptor socket_;
  struct TlsFree {
    void operator()(ssl_st* tls) const;
  };
  std::unique_ptr<ssl_st, TlsFree> tls_;
  bool broken_ =
      false;  ///< TLS has failed: nothing more may be sent, not even close_notify (SSL_shutdown(3))
};

/// A listening, non-blocking TCP socket on a numeric address; port 0 is any free port. Errors: not an
/// address, in use, not permitted.
Result<FileDescriptor> listen_on(const std::string& address, std::uint16_t port);
/// The port of a socket of listen_on.
std::uint16_t local_port(const FileDescriptor& socket);

}  // namespace mailstead::mailtest
