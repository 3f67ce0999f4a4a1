// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/ssh.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/interrupt.hpp"
#include "base/printable.hpp"
#include "base/threads.hpp"

namespace mailstead::update {
namespace {

constexpr std::size_t kLongestLine = 4000;  // bytes

bool said(const CommandOutput& ended, std::string_view words) {
  return ended.err.find(words) != std::string::npos;
}

std::string last_line(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  const std::size_t end = text.rfind('\n');
  return end == std::string::npos ? text : text.substr(end + 1);
}

}  // namespace

Command ssh_command(const Remote& remote, const std::string& word, std::chrono::seconds timeout) {
  Command command;
  command.argv = {"ssh",  "-F",
                  "none", "-T",
                  "-x",   "-a",
                  "-l",   "root",
                  "-p",   std::to_string(remote.port),
                  "-i",   remote.private_key.string()};
  for (const std::string& option : std::initializer_list<std::string>{
           "BatchMode=yes", "IdentitiesOnly=yes", "PreferredAuthentications=publickey",
           "ClearAllForwardings=yes", "ControlMaster=no", "ControlPath=none", "PermitLocalCommand=no",
           "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null", "VerifyHostKeyDNS=no",
           "UpdateHostKeys=no", "HostKeyAlias=" + remote.hostname,
           // In quotes, as the value may be several names.
           fmt::format("UserKnownHostsFile=\"{}\"", remote.known_hosts.string()), "ConnectTimeout=20",
           "ServerAliveInterval=15", "ServerAliveCountMax=4", "LogLevel=ERROR"}) {
    command.argv.emplace_back("-o");
    command.argv.push_back(option);
  }
  command.argv.insert(command.argv.end(), {"--", remote.host, word});
  command.timeout = timeout;
  command.output_limit = 1u << 20;
  return command;
}

Error ssh_error(const Remote& remote, const CommandOutput& ended) {
  if (said(ended, "IDENTIFICATION HAS CHANGED"))
    return {
        ErrorKind::integrity,
        fmt::format("{} shows another host key than before", remote.host),
        {},
        fmt::format("if it has got new data, or is another machine, remove {} and give its fingerprint with "
                    "--host-key; otherwise somebody is in between",
                    remote.known_hosts.string()),
        {},
        {}};
  if (said(ended, "Host key verification failed"))
    return {ErrorKind::usage,
            fmt::format("the host key of {} is not known yet", remote.host),
            {},
            "give the fingerprint that the machine shows on its console at each start (MAILSTEAD-SSH), as "
            "--host-key SHA256:…",
            {},
            {}};
  if (said(ended, "Permission denied"))
    return {ErrorKind::usage,
            fmt::format("{} does not accept this site's key of updates", remote.host),
            {},
            "its image must have been built from a spec with 'updates: {ssh: true}' and this key",
            {},
            {}};
  std::string reason = printable(last_line(ended.err).substr(0, 300));
  return {ErrorKind::network,
          fmt::format("no connection to {}: {}", remote.host,
                      reason.empty() ? "it was closed without a reason" : reason),
          {},
          {},
          {},
          {}};
}

Session::Session(const Remote& remote, const std::string& word, std::chrono::seconds timeout)
    : remote_(remote) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    ended_ = fail(ErrorKind::io, fmt::format("cannot make a socket: {}", std::strerror(errno)));
    return;
  }
  ours_ = FileDescriptor(ends[0]);
  auto thread =
      start_thread([this, theirs = std::make_shared<FileDescriptor>(ends[1]),
                    command = ssh_command(remote, word, timeout)](const std::stop_token& stop) mutable {
        command.stop = stop;
        command.input_fd = theirs->get();
        command.output_fd = theirs->get();
        ended_ = run_any_status(command);
        theirs->reset();  // what line() waits for
      });
  if (thread)
    ssh_ = *std::move(thread);
  else
    ended_ = fail(std::move(thread).error());
}

Session::~Session() {
  ours_.reset();
  ssh_.request_stop();
}

bool Session::read_more() {
  std::array<char, 1024> block{};
  ssize_t got = 0;
  do {
    got = ours_ ? ::recv(ours_.get(), block.data(), block.size(), 0) : 0;
  } while (got < 0 && errno == EINTR && !interrupted());
  if (got > 0) read_.append(block.data(), static_cast<std::size_t>(got));
  return got > 0;
}

void Session::finish() {
  constexpr int kSeconds = 20;
  pollfd end{ours_.get(), POLLIN, 0};
  for (int i = 0; i < kSeconds && ours_ && !interrupted(); ++i)
    if (::poll(&end, 1, 1000) > 0 && !read_more()) return;
}

Error Session::why_ended() {
  // What it said before it hung up is for line().
  while (read_.size() <= kLongestLine && read_more()) {
  }
  ours_.reset();
  if (ssh_.joinable()) ssh_.join();
  return *ended_ ? ssh_error(remote_, **ended_) : ended_->error();
}

Status Session::send(std::string_view bytes) {
  while (!bytes.empty()) {
    CHECK_OK(check_interrupt());
    const ssize_t put = ours_ ? ::send(ours_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) : -1;
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail(why_ended());
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return ok();
}

Result<std::string> Session::line() {
  for (;;) {
    if (const std::size_t end = read_.find('\n'); end != std::string::npos) {
      std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    if (read_.size() > kLongestLine)
      return fail(ErrorKind::integrity, fmt::format("{} sends what is no answer", remote_.host));
    CHECK_OK(check_interrupt());
    if (!read_more()) return fail(why_ended());
  }
}

}  // namespace mailstead::update
