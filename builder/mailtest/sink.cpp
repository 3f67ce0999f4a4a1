// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/sink.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <list>

#include "base/threads.hpp"
#include "mailtest/text.hpp"

namespace mailstead::mailtest {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr std::size_t kLargestMessage = 64u << 20;
constexpr std::size_t kLongestCommand = 4096;

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool begins(std::string_view line, std::string_view word) {
  return same(line.substr(0, word.size()), word);
}

// The address in "MAIL FROM:<a@b> SIZE=1".
std::string address_in(std::string_view line) {
  const std::size_t open = line.find('<');
  const std::size_t close = line.find('>', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return std::string(line.substr(open + 1, close - open - 1));
}

/// One client's conversation with a sink, from the greeting to the end of the connection.
class Conversation {
 public:
  Conversation(Connection connection, const Peer& peer, ssl_ctx_st* tls, Inbox& inbox,
               const std::stop_token& stop)
      : connection_(std::move(connection)), peer_(peer), tls_(tls), inbox_(inbox), stop_(stop) {}

  void run() {
    if (!say("220 " + peer_.name + " ESMTP")) return;
    while (!stop_.stop_requested()) {
      const auto line = read_line();
      if (!line || !answer(*line)) return;
    }
  }

 private:
  bool say(const std::string& line) {
    return connection_.write(line + "\r\n", Clock::now() + 60s).has_value();
  }

  bool fill() {
    const auto deadline = Clock::now() + 300s;  // RFC 5321 section 4.5.3.2.7
    while (!stop_.stop_requested() && Clock::now() < deadline) {
      const auto moment = Clock::now() + 500ms;
      auto block = connection_.read(moment);
      if (!block && Clock::now() >= moment) continue;  // nothing yet; a broken connection fails at once
      if (!block) return false;
      if (block->empty()) return false;
      buffer_ += *block;
      return true;
    }
    return false;
  }

  std::optional<std::string> read_line() {
    while (true) {
      if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return line;
      }
      if (buffer_.size() > kLongestCommand || !fill()) return std::nullopt;
    }
  }

  bool answer(const std::string& line) {
    if (begins(line, "EHLO")) {
      message_ = {};
      message_.helo = line.substr(std::min<std::size_t>(5, line.size()));
      const bool offer = tls_ != nullptr && !connection_.under_tls();
      return say("250-" + peer_.name + "\r\n" + (offer ? "250-STARTTLS\r\n" : "") +
                 (peer_.seven_bit ? "" : "250-8BITMIME\r\n") + "250 SIZE 50000000");
    }
    if (begins(line, "HELO")) return say("250 " + peer_.name);
    if (begins(line, "STARTTLS") && tls_ != nullptr && !connection_.under_tls()) {
      if (!say("220 go ahead")) return false;
      buffer_.clear();  // what was sent before the handshake must not count as sent under TLS
      return connection_.accept_tls(tls_, Clock::now() + 60s).has_value();
    }
    if (begins(line, "MAIL FROM:")) {
      message_.from = address_in(line);
      message_.to.clear();
      return say("250 2.1.0 OK");
    }
    if (begins(line, "RCPT TO:")) return answer_recipient(address_in(line));
    if (same(line, "DATA")) return message_.to.empty() ? say("503 5.5.1 no recipient") : take_message();
    if (same(line, "RSET")) {
      message_.to.clear();
      return say("250 2.0.0 OK");
    }
    if (same(line, "NOOP")) return say("250 2.0.0 OK");
    if (same(line, "QUIT")) {
      say("221 2.0.0 Bye");
      return false;
    }
    return say("502 5.5.2 not known here");
  }

  bool answer_recipient(const std::string& address) {
    if (begins(address, "unknown")) return say("550 5.1.1 no such user");
    if (begins(address, "later")) return say("450 4.2.0 come again later");
    message_.to.push_back(address);
    return say("250 2.1.5 OK");
  }

  bool take_message() {
    if (!say("354 go on")) return false;
    std::size_t end = 0;
    // In an empty message the first line is the final dot.
    buffer_.insert(0, "\r\n");
    for (std::size_t from = 0; (end = buffer_.find("\r\n.\r\n", from)) == std::string::npos;) {
      from = buffer_.size() > 4 ? buffer_.size() - 4 : 0;
      if (buffer_.size() > kLargestMessage || !fill()) return false;
    }
    std::string stuffed = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 5);
    std::string data;
    for (std::size_t i = 2; i < stuffed.size(); ++i)
      if (!(stuffed[i] == '.' && stuffed[i - 1] == '\n' && stuffed[i - 2] == '\r')) data += stuffed[i];
    ReceivedMessage message = message_;
    message.data = std::move(data);
    message.under_tls = connection_.under_tls();
    message_.to.clear();
    inbox_.add(std::move(message));
    return say("250 2.0.0 kept");
  }

  Connection connection_;
  const Peer& peer_;
  ssl_ctx_st* tls_;
  Inbox& inbox_;
  const std::stop_token& stop_;
  std::string buffer_;
  ReceivedMessage message_;
};

}  // namespace

void Inbox::add(ReceivedMessage message) {
  const std::lock_guard lock(mutex_);
  messages_.push_back(std::move(message));
  arrived_.notify_all();
}

std::optional<ReceivedMessage> Inbox::take(const std::string& recipient, Deadline deadline) {
  std::unique_lock lock(mutex_);
  while (true) {
    for (auto message = messages_.begin(); message != messages_.end(); ++message) {
      const auto to = std::find_if(message->to.begin(), message->to.end(),
                                   [&](const std::string& address) { return same(address, recipient); });
      if (to == message->to.end()) continue;
      ReceivedMessage found = *message;
      message->to.erase(to);  // it stays for its other recipients
      if (message->to.empty()) messages_.erase(message);
      return found;
    }
    if (arrived_.wait_until(lock, deadline) == std::cv_status::timeout && Clock::now() >= deadline)
      return std::nullopt;
  }
}

std::vector<std::string> Inbox::waiting() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> recipients;
  for (const ReceivedMessage& message : messages_)
    recipients.insert(recipients.end(), message.to.begin(), message.to.end());
  return recipients;
}

void TlsContextFree::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<TlsContext> make_self_signed(const std::string& name) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!key || !certificate || !context) return fail(ErrorKind::internal, "OpenSSL cannot make a key");
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -86400);
  X509_gmtime_adj(X509_getm_notAfter(x), 86400 * 30);
  X509_set_pubkey(x, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  X509_EXTENSION* names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
  if (names != nullptr) X509_add_ext(x, names, -1);
  X509_EXTENSION_free(names);
  if (names == nullptr || X509_sign(x, key.get(), EVP_sha256()) == 0 ||
      SSL_CTX_use_certificate(context.get(), x) != 1 || SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
    return fail(ErrorKind::internal, "OpenSSL cannot make a certificate for " + name);
  return context;
}

Result<std::unique_ptr<SmtpSink>> SmtpSink::start(const Peer& peer, Inbox& inbox) {
  TRY(FileDescriptor socket, listen_on(peer.address, peer.port));
  TlsContext context;
  if (peer.tls) {
    TRY(context, make_self_signed(peer.name));
  }
  return std::unique_ptr<SmtpSink>(new SmtpSink(std::move(socket), peer, std::move(context), inbox));
}

SmtpSink::SmtpSink(FileDescriptor socket, Peer peer, TlsContext tls, Inbox& inbox)
    : socket_(std::move(socket)),
      peer_(std::move(peer)),
      tls_(std::move(tls)),
      inbox_(inbox),
      acceptor_([this](const std::stop_token& stop) { accept_loop(stop); }) {}

SmtpSink::~SmtpSink() = default;

void SmtpSink::accept_loop(const std::stop_token& stop) {
  std::list<std::jthread> clients;  // their destructors request a stop and wait
  while (!stop.stop_requested()) {
    pollfd entry{socket_.get(), POLLIN, 0};
    if (::poll(&entry, 1, 200) <= 0) continue;
    FileDescriptor client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client || clients.size() > 1000) continue;
    // If no thread can be started, the client is disconnected, as by a busy server.
    if (auto thread =
            start_thread([this, connection = Connection(std::move(client))](
                             const std::stop_token& end) mutable { serve(std::move(connection), end); }))
      clients.push_back(*std::move(thread));
  }
}

void SmtpSink::serve(Connection connection, const std::stop_token& stop) {
  Conversation(std::move(connection), peer_, tls_.get(), inbox_, stop).run();
}

}  // namespace mailstead::mailtest
