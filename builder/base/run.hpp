// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace mailstead {

/// A program to run, without a shell. Its environment is built from nothing: PATH, LANG=C.UTF-8, TZ=UTC and
/// `env`.
struct Command {
  std::vector<std::string> argv;  ///< argv[0] is looked up in PATH unless it holds a slash; not empty
  std::filesystem::path cwd;      ///< empty: the current one
  std::map<std::string, std::string> env;
  std::string input;  ///< what the program reads on stdin; with neither this nor `input_fd`, /dev/null
  std::optional<int> input_fd;   ///< a descriptor to become its stdin instead of `input`
  std::optional<int> output_fd;  ///< a descriptor to become its stdout instead of being collected
  std::chrono::seconds timeout{600};
  std::stop_token stop;  ///< whoever waits for it may give it up: it is killed then
  // Limits for a program that reads what somebody hostile may have written. Without one it is the caller's.
  std::optional<std::uint64_t> memory_limit;     ///< bytes of address space (RLIMIT_AS)
  std::optional<std::uint64_t> file_size_limit;  ///< bytes of any file that it writes (RLIMIT_FSIZE)
  std::uint64_t output_limit = 256u << 20;       ///< bytes of stdout that are collected
};

/// What a finished program left. A program ended by a signal or a time-out is an Error instead.
struct CommandOutput {
  int exit_status = 0;
  std::string out;
  std::string err;
};

/// Runs to the end. Errors: could not be started (ErrorKind::io), ended by a signal, timed out, more output
/// than its limit (it is killed then), or an exit status other than 0 (ErrorKind::tool, with the quoted
/// command, the status or the signal's name and the last lines of stderr; ErrorKind::io and the remedy where
/// a limit of the machine is the cause).
Result<CommandOutput> run(const Command& command);

/// Like run, but any exit status is a result.
Result<CommandOutput> run_any_status(const Command& command);

/// Runs `command` with its stdin fed by `feed`, which gets a sink to write blocks to (a sink that fails means
/// that the program has gone; the command's own error is then reported). Used to stream archives without
/// holding them in memory.
using Sink = std::function<Status(const char* data, std::size_t size)>;
Result<CommandOutput> run_with_feed(const Command& command, const std::function<Status(const Sink&)>& feed);

/// Whether there is such a program in PATH or in the usual folders.
bool is_installed(const std::string& program);

/// The command line as one could paste it into a POSIX shell.
std::string shell_quote(const std::vector<std::string>& argv);

/// "SIGKILL" for 9, and so on; "signal 77" for one without a name.
std::string signal_name(int signal);

}  // namespace mailstead
