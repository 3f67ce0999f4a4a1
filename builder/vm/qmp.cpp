// SPDX-License-Identifier: GPL-3.0-or-later
#include "vm/qmp.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace mailstead::vm {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLongestLine = 1 << 20;

// QEMU prints the member that tells what a line is first; events begin with their timestamp.
bool begins_with_member(std::string_view line, std::string_view name) {
  return line.substr(0, name.size() + 3) == "{\"" + std::string(name) + "\"";
}

}  // namespace

Result<std::string> Qmp::read_line(Clock::time_point deadline) {
  while (true) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return fail(ErrorKind::tool, "QEMU's monitor does not answer");
    pollfd entry{socket_.get(), POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(left)) <= 0) continue;
    char block[4096];
    const ssize_t got = ::recv(socket_.get(), block, sizeof block, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
      return fail(ErrorKind::tool, "QEMU has closed its monitor");
    if (got > 0) buffer_.append(block, static_cast<std::size_t>(got));
    if (buffer_.size() > kLongestLine) return fail(ErrorKind::tool, "QEMU's monitor sent an endless line");
  }
}

Status Qmp::connect(std::chrono::milliseconds timeout) {
  TRY(const std::string greeting, read_line(Clock::now() + timeout));
  if (!begins_with_member(greeting, "QMP"))
    return fail(ErrorKind::tool, "QEMU's monitor greeted with " + greeting.substr(0, 200));
  CHECK_OK(execute("qmp_capabilities", "", timeout));
  return ok();
}

Result<std::string> Qmp::execute(std::string_view command, std::string_view arguments,
                                 std::chrono::milliseconds timeout) {
  std::string request = "{\"execute\": \"" + std::string(command) + "\"";
  if (!arguments.empty()) request += ", \"arguments\": " + std::string(arguments);
  request += "}\n";
  const auto deadline = Clock::now() + timeout;
  if (::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return fail(ErrorKind::tool, std::string("cannot write to QEMU's monitor: ") + std::strerror(errno));
  while (true) {
    TRY(std::string line, read_line(deadline));
    if (begins_with_member(line, "return")) return line;
    if (begins_with_member(line, "error"))
      return fail(ErrorKind::tool, "QEMU refused " + std::string(command) + ": " + line.substr(0, 500));
  }
}

}  // namespace mailstead::vm
