// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "base/result.hpp"

namespace mailstead::vm {

/// QEMU's machine protocol (docs/interop/qmp-spec), a JSON object a line each way, over a connected socket.
class Qmp {
 public:
  /// `socket`: our end of a socket pair whose other end QEMU has got as its monitor.
  explicit Qmp(FileDescriptor socket) : socket_(std::move(socket)) {}

  /// Reads the greeting and leaves the negotiation mode. To be called once, before execute().
  Status connect(std::chrono::milliseconds timeout);

  /// Sends one command and waits for its answer; events in between are dropped. `arguments` is a JSON object
  /// or empty. Returns the line with QEMU's answer. Errors: QEMU refused, closed the connection (it ended),
  /// or did not answer.
  Result<std::string> execute(std::string_view command, std::string_view arguments,
                              std::chrono::milliseconds timeout);

 private:
  Result<std::string> read_line(std::chrono::steady_clock::time_point deadline);
  FileDescriptor socket_;
  std::string buffer_;
};

}  // namespace mailstead::vm
