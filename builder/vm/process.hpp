// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/result.hpp"

namespace mailstead::vm {

/// A program that goes on while we do something else (QEMU, a name server). For programs that end, use run().
struct Daemon {
  std::vector<std::string> argv;  ///< argv[0] is looked up in PATH, then in the sbin folders; not empty
  std::filesystem::path log;      ///< stdout and stderr go here; created, mode 0600
  std::vector<int> keep;          ///< descriptors that the program inherits under the same numbers
  bool on_terminal = false;       ///< stdin and stdout stay ours; only stderr goes to the log
};

/// How a process ended: its exit status, or the signal that ended it.
struct Ending {
  int exit_status = 0;
  int signal = 0;  ///< 0 if it exited by itself
  bool clean() const { return signal == 0 && exit_status == 0; }
  std::string describe() const;  ///< "exit status 1", "SIGKILL"
};

/// A running child. The kernel kills it when the thread that started it dies (PR_SET_PDEATHSIG), so nothing
/// is left running whatever happens to us; the destructor kills and reaps it.
class Process {
 public:
  /// Errors: ErrorKind::io if the program is not found or cannot be started.
  static Result<Process> start(const Daemon& daemon);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  Process(const Process&) = delete;

  pid_t pid() const { return pid_; }
  /// Waits until the process ends, at most `timeout`; nothing if it is still running then.
  std::optional<Ending> wait(std::chrono::milliseconds timeout);
  bool running() { return !wait(std::chrono::milliseconds(0)).has_value(); }
  /// SIGKILL, then reaps. Does nothing if the process has ended.
  void kill();
  const std::filesystem::path& log() const { return log_; }

 private:
  Process(pid_t pid, FileDescriptor pidfd, std::filesystem::path log)
      : pid_(pid), pidfd_(std::move(pidfd)), log_(std::move(log)) {}
  pid_t pid_ = -1;
  FileDescriptor pidfd_;
  std::filesystem::path log_;
  std::optional<Ending> ending_;
};

/// The last `lines` lines of a log file, "" if it cannot be read. Reads at most the last 256 KiB. Carriage
/// returns and escape sequences of a terminal are removed; other control characters become \xHH.
std::string tail(const std::filesystem::path& path, int lines);

}  // namespace mailstead::vm
