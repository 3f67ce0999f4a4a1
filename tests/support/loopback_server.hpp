// SPDX-License-Identifier: GPL-3.0-or-later
// An HTTP/1.1 server on 127.0.0.1 whose answers a test scripts, faults included.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/files.hpp"
#include "support/catch.hpp"

namespace mailstead::test {

struct HttpRequest {
  std::string path;
  std::uint64_t range_start = 0;
  bool has_range = false;
  std::string head;  ///< all of it
};

struct HttpAnswer {
  int status = 200;
  std::string body;                        ///< of the whole file; a range is cut from it
  std::size_t cut_after = ~std::size_t{};  ///< close the connection after so many bytes of the body
  std::chrono::milliseconds stall{0};      ///< silence after `cut_after` bytes, before closing
  bool honour_range = true;
  bool say_length = true;
  std::string location;               ///< for redirections
  std::uint64_t lie_about_start = 0;  ///< added to the start that Content-Range names
  std::string retry_after;            ///< seconds, for those that are busy
  std::string type;                   ///< "text/html"
};

/// An answer without a body.
inline HttpAnswer answer_with(int status, std::string location = {}) {
  HttpAnswer answer;
  answer.status = status;
  answer.location = std::move(location);
  return answer;
}

class LoopbackServer {
 public:
  using Handler = std::function<HttpAnswer(const HttpRequest&)>;

  explicit LoopbackServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), generic, size) == 0);
    REQUIRE(::listen(listener_.get(), 64) == 0);
    REQUIRE(::getsockname(listener_.get(), generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~LoopbackServer() {
    stopping_ = true;
    acceptor_.join();
    for (auto& thread : workers_) thread.join();
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string root() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string address() const { return root() + "/debian"; }
  unsigned connections() const { return connections_; }
  std::vector<HttpRequest> requests() const {
    const std::lock_guard guard(mutex_);
    return requests_;
  }

 private:
  void accept_all() {
    while (!stopping_) {
      pollfd waiting{listener_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, 20) != 1) continue;
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connections_;
      workers_.emplace_back([this, fd] { serve(FileDescriptor(fd)); });
    }
  }

  void serve(FileDescriptor connection) {
    std::string buffer;
    while (!stopping_) {
      const auto end = buffer.find("\r\n\r\n");
      if (end == std::string::npos) {
        pollfd waiting{connection.get(), POLLIN, 0};
        if (::poll(&waiting, 1, 20) != 1) continue;
        char block[4096];
        const auto count = ::recv(connection.get(), block, sizeof block, 0);
        if (count <= 0) return;
        buffer.append(block, static_cast<std::size_t>(count));
        continue;
      }
      const HttpRequest request = parse(buffer.substr(0, end));
      buffer.erase(0, end + 4);
      {
        const std::lock_guard guard(mutex_);
        requests_.push_back(request);
      }
      if (!answer(connection.get(), request, handler_(request))) return;
    }
  }

  static HttpRequest parse(const std::string& text) {
    HttpRequest request;
    request.head = text;
    const auto first = text.find(' ');
    request.path = text.substr(first + 1, text.find(' ', first + 1) - first - 1);
    if (const auto range = text.find("Range: bytes="); range != std::string::npos) {
      request.has_range = true;
      std::from_chars(text.data() + range + 13, text.data() + text.size(), request.range_start);
    }
    return request;
  }

  /// False when the connection is to be closed.
  bool answer(int fd, const HttpRequest& request, const HttpAnswer& answer) {
    int status = answer.status;
    std::string body = answer.body;
    std::string head;
    if (status == 200 && request.has_range && answer.honour_range) {
      if (request.range_start >= body.size()) {
        status = 416;
        body.clear();
      } else {
        status = 206;
        head = "Content-Range: bytes " + std::to_string(request.range_start + answer.lie_about_start) + "-" +
               std::to_string(body.size() - 1) + "/" + std::to_string(body.size()) + "\r\n";
        body.erase(0, request.range_start);
      }
    }
    if (!answer.location.empty()) head += "Location: " + answer.location + "\r\n";
    if (!answer.retry_after.empty()) head += "Retry-After: " + answer.retry_after + "\r\n";
    if (!answer.type.empty()) head += "Content-Type: " + answer.type + "\r\n";
    if (answer.say_length) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    const bool cut = answer.cut_after < body.size();
    if (cut) body.resize(answer.cut_after);
    if (!send_all(fd, "HTTP/1.1 " + std::to_string(status) + " X\r\n" + head + "\r\n" + body)) return false;
    for (auto left = answer.stall; left.count() > 0 && !stopping_; left -= std::chrono::milliseconds(10)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return !cut && answer.say_length && status < 400;
  }

  static bool send_all(int fd, std::string_view data) {
    while (!data.empty()) {
      const auto count = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      data.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  Handler handler_;
  FileDescriptor listener_;
  unsigned port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<unsigned> connections_{0};
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace mailstead::test
