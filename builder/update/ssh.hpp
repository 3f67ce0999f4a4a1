// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/files.hpp"
#include "base/result.hpp"
#include "base/run.hpp"
#include "update/remote.hpp"

namespace mailstead::update {

/// ssh(1) as it is started for `remote`: it asks nothing, forwards nothing, tries this key alone, and
/// connects only to a host whose key is known. No configuration of SSH is read, which could name other keys.
Command ssh_command(const Remote& remote, const std::string& word, std::chrono::seconds timeout);

/// The error behind an ssh(1) that has ended without what was asked for.
Error ssh_error(const Remote& remote, const CommandOutput& ended);

/// A conversation with the machine's end of the key of updates.
class Session {
 public:
  Session(const Remote& remote, const std::string& word, std::chrono::seconds timeout);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Errors: the machine does not listen any more (that of ssh_error); ErrorKind::interrupted.
  Status send(std::string_view bytes);
  /// The next line, without its end. Errors: as send; it is longer than 4000 bytes (ErrorKind::integrity).
  Result<std::string> line();
  /// After the last line: until the machine has hung up, some seconds at most.
  void finish();

 private:
  /// Waits for bytes; false if none will come.
  bool read_more();
  /// Why there is nobody to talk to any more.
  Error why_ended();

  const Remote& remote_;
  FileDescriptor ours_;
  std::string read_;
  std::optional<Result<CommandOutput>> ended_;  ///< of the thread, until it is joined
  std::jthread ssh_;
};

}  // namespace mailstead::update
