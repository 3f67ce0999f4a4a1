// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/connection.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/interrupt.hpp"

namespace mailstead::mailtest {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<Address> parse_address(const std::string& text, std::uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
    return address;
  }
  if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
    return address;
  }
  return fail(ErrorKind::usage, "'" + text + "' is not an IPv4 or IPv6 address");
}

// Addresses of the world are routed to this host as whole networks, so no interface needs to have each of
// them.
void allow_any_local_address(int fd, int family) {
  const int on = 1;
  if (family == AF_INET)
    ::setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  else
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
}

Status wait_for(const FileDescriptor& socket, short events, Deadline deadline) {
  while (true) {
    CHECK_OK(check_interrupt());
    // Rounded up, so that the deadline has passed when poll() returns.
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return fail(ErrorKind::network, "no answer in time");
    pollfd entry{socket.get(), events, 0};
    if (::poll(&entry, 1, static_cast<int>(std::min<long>(left, 500))) > 0) return ok();
  }
}

/// A connected socket, or the errno that prevented it: ETIMEDOUT if there was no answer.
struct Attempt {
  FileDescriptor socket;
  int error = 0;
};

Result<Attempt> attempt(const std::string& address, std::uint16_t port, const std::string& from,
                        Deadline deadline) {
  TRY(const Address target, parse_address(address, port));
  const int family = target.storage.ss_family;
  Attempt made{FileDescriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))};
  if (!made.socket) return fail(ErrorKind::io, std::string("cannot make a socket: ") + std::strerror(errno));
  if (!from.empty()) {
    TRY(const Address source, parse_address(from, 0));
    allow_any_local_address(made.socket.get(), family);
    if (::bind(made.socket.get(), source.get(), source.size) != 0)
      return fail(ErrorKind::network, "cannot send from " + from + ": " + std::strerror(errno));
  }
  if (::connect(made.socket.get(), target.get(), target.size) == 0) return made;
  made.error = errno;
  if (made.error != EINPROGRESS) return made;
  if (!wait_for(made.socket, POLLOUT, deadline)) {
    CHECK_OK(check_interrupt());
    made.error = ETIMEDOUT;
    return made;
  }
  socklen_t size = sizeof made.error;
  ::getsockopt(made.socket.get(), SOL_SOCKET, SO_ERROR, &made.error, &size);
  return made;
}

Error cannot_connect(const std::string& address, std::uint16_t port, int error) {
  const char* reason = error == ETIMEDOUT ? "no answer in time" : std::strerror(error);
  std::string message = fmt::format("cannot connect to {} port {}: {}", address, port, reason);
  return Error{ErrorKind::network, std::move(message), {}, {}, {}, {}};
}

/// OpenSSL writes with write(2), which has no MSG_NOSIGNAL: while one of these exists, writing to a closed
/// connection is an error in this thread and does not end the program.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeGuard() {
    // A signal that our writing raised must not be delivered when the old mask returns.
    const timespec at_once{};
    if (sigismember(&before_, SIGPIPE) == 0)
      while (::sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t sigpipe_{};
  sigset_t before_{};
};

std::string tls_reason() {
  char text[256];
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "the connection was closed";
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

SSL_CTX* client_context() {
  // One for the process: a context is expensive to make, and is only read afterwards.
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(made, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    return made;
  }();
  return context;
}

}  // namespace

void Connection::TlsFree::operator()(ssl_st* tls) const {
  SSL_free(tls);
}

Connection::Connection(FileDescriptor socket) : socket_(std::move(socket)) {}
Connection::Connection(Connection&& other) noexcept = default;
Connection::~Connection() {
  if (!tls_ || broken_) return;
  // close_notify, so that the peer knows that nothing was cut off; its answer is not awaited.
  const SigpipeGuard guard;
  SSL_shutdown(tls_.get());
}

Result<Connection> Connection::open(const std::string& address, std::uint16_t port, const std::string& from,
                                    Deadline deadline) {
  TRY(Attempt made, attempt(address, port, from, deadline));
  if (made.error != 0) return fail(cannot_connect(address, port, made.error));
  return Connection(std::move(made.socket));
}

Result<bool> Connection::refused(const std::string& address, std::uint16_t port, const std::string& from,
                                 Deadline deadline) {
  TRY(const Attempt made, attempt(address, port, from, deadline));
  if (made.error == 0 || made.error == ECONNREFUSED || made.error == ETIMEDOUT) return made.error != 0;
  return fail(cannot_connect(address, port, made.error));
}

Status Connection::start_tls(const TlsOffer& offer, Deadline deadline) {
  tls_.reset(SSL_new(client_context()));
  CHECK_OK(apply_offer(tls_.get(), offer));
  return handshake(false, deadline);
}

Status Connection::accept_tls(ssl_ctx_st* context, Deadline deadline) {
  tls_.reset(SSL_new(context));
  return handshake(true, deadline);
}

Status Connection::handshake(bool server, Deadline deadline) {
  const SigpipeGuard guard;
  SSL_set_fd(tls_.get(), socket_.get());
  while (true) {
    ERR_clear_error();
    const int result = server ? SSL_accept(tls_.get()) : SSL_connect(tls_.get());
    if (result == 1) return ok();
    const int want = SSL_get_error(tls_.get(), result);
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) {
      tls_.reset();
      const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
      const ErrorKind kind = want == SSL_ERROR_SSL && !ended ? ErrorKind::tool : ErrorKind::network;
      return fail(kind, "TLS handshake failed: " + tls_reason());
    }
    CHECK_OK(wait_for(socket_, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline));
  }
}

bool Connection::certificate_is_for(const std::string& name) const {
  if (!tls_) return false;
  X509* certificate = SSL_get0_peer_certificate(tls_.get());
  return certificate != nullptr && X509_check_host(certificate, name.c_str(), name.size(), 0, nullptr) == 1;
}

Status Connection::check_trust(const std::filesystem::path& authorities) const {
  X509* certificate = tls_ ? SSL_get0_peer_certificate(tls_.get()) : nullptr;
  if (certificate == nullptr) return fail(ErrorKind::tool, "the server sent no certificate");
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> check(X509_STORE_CTX_new(),
                                                                              X509_STORE_CTX_free);
  if (!store || !check) return fail(ErrorKind::internal, "OpenSSL: " + tls_reason());
  if (X509_STORE_load_file(store.get(), authorities.c_str()) != 1)
    return fail(ErrorKind::usage, "cannot read certificates from " + authorities.string());
  if (X509_STORE_CTX_init(check.get(), store.get(), certificate, SSL_get_peer_cert_chain(tls_.get())) != 1 ||
      X509_STORE_CTX_set_default(check.get(), "ssl_server") != 1)
    return fail(ErrorKind::internal, "OpenSSL: " + tls_reason());
  if (X509_verify_cert(check.get()) == 1) return ok();
  return fail(ErrorKind::tool, std::string("the server's certificate is not trusted: ") +
                                   X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get())));
}

Result<int> Connection::segment_size() const {
  int size = 0;
  socklen_t length = sizeof size;
  if (::getsockopt(socket_.get(), IPPROTO_TCP, TCP_MAXSEG, &size, &length) != 0)
    return fail(ErrorKind::network,
                std::string("cannot read the socket's segment size: ") + std::strerror(errno));
  return size;
}

Status Connection::write(std::string_view data, Deadline deadline) {
  const SigpipeGuard guard;
  while (!data.empty()) {
    short event = POLLOUT;
    std::size_t sent = 0;
    if (tls_) {
      ERR_clear_error();
      const int result = SSL_write_ex(tls_.get(), data.data(), data.size(), &sent);
      const int want = SSL_get_error(tls_.get(), result);
      if (result != 1 && want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) {
        broken_ = true;
        return fail(ErrorKind::network, "cannot send: " + tls_reason());
      }
      if (result != 1 && want == SSL_ERROR_WANT_READ) event = POLLIN;
    } else {
      const ssize_t result = ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
      if (result < 0 && errno != EAGAIN && errno != EINTR)
        return fail(ErrorKind::network, std::string("cannot send: ") + std::strerror(errno));
      sent = result > 0 ? static_cast<std::size_t>(result) : 0;
    }
    data.remove_prefix(sent);
    if (sent == 0) CHECK_OK(wait_for(socket_, event, deadline));
  }
  return ok();
}

Result<std::string> Connection::read(Deadline deadline) {
  const SigpipeGuard guard;  // reading also writes, if the peer asks for new keys
  std::string block(16384, '\0');
  while (true) {
    short event = POLLIN;
    if (tls_) {
      std::size_t got = 0;
      ERR_clear_error();
      const int result = SSL_read_ex(tls_.get(), block.data(), block.size(), &got);
      if (result == 1) return block.substr(0, got);
      const int want = SSL_get_error(tls_.get(), result);
      if (want == SSL_ERROR_ZERO_RETURN) return std::string();
      const bool failed = want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE;
      if (failed) broken_ = true;
      // For a dialogue, a peer that closes without close_notify has closed as well.
      if (want == SSL_ERROR_SYSCALL ||
          ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return std::string();
      if (failed) return fail(ErrorKind::network, "cannot receive: " + tls_reason());
      if (want == SSL_ERROR_WANT_WRITE) event = POLLOUT;
    } else {
      const ssize_t got = ::recv(socket_.get(), block.data(), block.size(), 0);
      if (got >= 0) return block.substr(0, static_cast<std::size_t>(got));
      if (errno == ECONNRESET) return std::string();
      if (errno != EAGAIN && errno != EINTR)
        return fail(ErrorKind::network, std::string("cannot receive: ") + std::strerror(errno));
    }
    CHECK_OK(wait_for(socket_, event, deadline));
  }
}

Result<FileDescriptor> listen_on(const std::string& address, std::uint16_t port) {
  TRY(const Address local, parse_address(address, port));
  FileDescriptor socket(::socket(local.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail(ErrorKind::io, std::string("cannot make a socket: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  allow_any_local_address(socket.get(), local.storage.ss_family);
  if (::bind(socket.get(), local.get(), local.size) != 0 || ::listen(socket.get(), 64) != 0)
    return fail(ErrorKind::network,
                fmt::format("cannot listen on {} port {}: {}", address, port, std::strerror(errno)));
  return socket;
}

std::uint16_t local_port(const FileDescriptor& socket) {
  Address local;
  local.size = sizeof local.storage;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local.storage), &local.size);
  // The port has the same offset in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&local.storage)->sin_port);
}

}  // namespace mailstead::mailtest
