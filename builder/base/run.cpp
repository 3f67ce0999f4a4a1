// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>

#include "base/address.hpp"
#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/limits.hpp"
#include "base/threads.hpp"

namespace mailstead {
namespace {

using Clock = std::chrono::steady_clock;

/// What a program may say on stderr before we stop keeping it: its first words are what counts.
constexpr std::size_t kMostSaid = 16u << 20;

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail(ErrorKind::io, fmt::format("cannot make a pipe: {}", strerror(errno)));
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  // Users of Debian often lack the sbin folders in PATH, where mkfs and friends are.
  const char* path = std::getenv("PATH");
  const std::string folders = std::string(path != nullptr ? path : "") +
                              ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::size_t start = 0;
  while (start <= folders.size()) {
    const std::size_t end = std::min(folders.find(':', start), folders.size());
    if (end > start) {
      std::string candidate = folders.substr(start, end - start) + "/" + name;
      if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    start = end + 1;
  }
  return {};
}

constexpr const char* kNoexecHint =
    "its file system is mounted noexec: if it is the cache's, let MAILSTEAD_CACHE name a folder on another "
    "one";

bool is_noexec(const std::string& program) {
  struct statvfs status{};
  return ::statvfs(program.c_str(), &status) == 0 && (status.f_flag & ST_NOEXEC) != 0;
}

/// dup2(2) leaves a descriptor that is at its place already as it is: closed on exec, as ours all are.
bool place(int from, int to) {
  return from == to ? ::fcntl(to, F_SETFD, 0) == 0 : ::dup2(from, to) >= 0;
}

bool set_limit(int resource, std::optional<std::uint64_t> limit) {
  const rlimit both{limit.value_or(0), limit.value_or(0)};
  return !limit || ::setrlimit(static_cast<__rlimit_resource>(resource), &both) == 0;
}

bool set_limits(const Command& command) {
  const bool limited = command.memory_limit || command.file_size_limit;
  return set_limit(RLIMIT_AS, command.memory_limit) && set_limit(RLIMIT_FSIZE, command.file_size_limit) &&
         (!limited || set_limit(RLIMIT_CORE, 0));  // a core would hold as much as the memory
}

/// The child's side between fork and exec: only async-signal-safe calls. Never returns.
[[noreturn]] void exec_child(const char* program, char* const argv[], char* const envp[], const char* cwd,
                             int in, int out, int err, int report, pid_t parent, const Command& limits) {
  // A program of ours must not outlive us, or it would go on writing to files that are being removed.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  // A group of its own, so that what the program starts can be ended with it. Ctrl-C then reaches us only.
  if (::setpgid(0, 0) != 0) ::_exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGXFSZ, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  if (place(in, 0) && place(out, 1) && place(err, 2) && (cwd == nullptr || ::chdir(cwd) == 0) &&
      set_limits(limits)) {
    ::execve(program, argv, envp);
  }
  const int error = errno;
  [[maybe_unused]] const ssize_t ignored = ::write(report, &error, sizeof error);
  ::_exit(127);
}

struct Child {
  pid_t pid = -1;
  FileDescriptor in;   // our end of its stdin, when we feed it
  FileDescriptor out;  // our end of its stdout, when we collect it
  FileDescriptor err;
};

Result<Child> start(const Command& command, bool feed) {
  if (command.argv.empty()) return fail(ErrorKind::internal, "a command without a program");
  const std::string program = find_program(command.argv[0]);
  if (program.empty()) {
    return fail(ErrorKind::io, fmt::format("the program '{}' is not installed", command.argv[0]),
                "./setup installs what Mailstead needs from Debian's packages");
  }
  Pipe in;
  Pipe out;
  FileDescriptor null;
  if (feed) {
    TRY(in, make_pipe());
  } else if (!command.input_fd) {
    null = FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  if (!command.output_fd) {
    TRY(out, make_pipe());
  }
  TRY(Pipe err, make_pipe());
  TRY(Pipe report, make_pipe());

  std::map<std::string, std::string> variables = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"LANG", "C.UTF-8"},
      {"TZ", "UTC"}};
  for (const auto& [name, value] : command.env) variables[name] = value;
  std::vector<std::string> environment;
  environment.reserve(variables.size());
  for (const auto& [name, value] : variables) environment.push_back(fmt::format("{}={}", name, value));
  std::vector<char*> envp;
  envp.reserve(environment.size() + 1);
  for (std::string& entry : environment) envp.push_back(entry.data());
  envp.push_back(nullptr);
  std::vector<std::string> arguments = command.argv;
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string cwd = command.cwd.string();

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0)
    return fail(ErrorKind::io, fmt::format("cannot start {}: {}", command.argv[0], strerror(errno)),
                more_processes_hint(errno));
  if (pid == 0) {
    exec_child(program.c_str(), argv.data(), envp.data(), cwd.empty() ? nullptr : cwd.c_str(),
               feed ? in.read.get() : command.input_fd.value_or(null.get()),
               command.output_fd.value_or(out.write.get()), err.write.get(), report.write.get(), parent,
               command);
  }
  report.write.reset();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(report.read.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got == sizeof error) {
    ::waitpid(pid, nullptr, 0);
    return fail(ErrorKind::io, fmt::format("cannot start {}: {}", program, strerror(error)),
                error == EACCES && is_noexec(program) ? kNoexecHint : more_processes_hint(error));
  }
  return Child{pid, std::move(in.write), std::move(out.read), std::move(err.read)};
}

std::string last_lines(const std::string& text, std::size_t count) {
  std::size_t start = text.size();
  while (start > 0 && text[start - 1] == '\n') --start;
  const std::size_t end = start;
  for (std::size_t lines = 0; start > 0; --start) {
    if (text[start - 1] == '\n' && ++lines == count) break;
  }
  return text.substr(start, end - start);
}

/// What people call a program: a locked tool is started by its loader, which is told the name.
std::string_view name_of(const Command& command) {
  const auto option = std::find(command.argv.begin(), command.argv.end(), "--argv0");
  return command.argv.end() - option > 1 ? option[1] : command.argv[0];
}

/// The machine's limits, not those that we have set.
std::optional<Error> limit_of(const Command& command, std::string_view what, const std::string& err) {
  if (command.memory_limit || command.file_size_limit) return std::nullopt;
  auto error = what.ends_with("SIGXFSZ") ? std::optional(file_size_limit(name_of(command)))
                                         : limit_told_by(name_of(command), err);
  if (const std::string tail = last_lines(err, 1); error && !tail.empty())
    error->notes.push_back("it said: " + without_credentials(tail));
  return error;
}

Error command_error(const Command& command, std::string what, const std::string& err) {
  if (auto limit = limit_of(command, what, err)) return *std::move(limit);
  Error error{ErrorKind::tool, fmt::format("{} {}", command.argv[0], what), {}, {}, {}, {}};
  error.notes.push_back("command: " + without_credentials(shell_quote(command.argv)));
  if (const std::string tail = last_lines(err, 12); !tail.empty())
    error.notes.push_back("it said: " + without_credentials(tail));
  return error;
}

/// Reads what is there into `text`, until that has more than `most` bytes; closes the descriptor at the end
/// of the stream.
void drain(FileDescriptor& fd, std::string& text, std::uint64_t most) {
  char block[65536];
  const ssize_t got = ::read(fd.get(), block, sizeof block);
  if (got > 0) {
    if (text.size() <= most) text.append(block, static_cast<std::size_t>(got));
  } else if (got == 0 || errno != EINTR) {
    fd.reset();
  }
}

/// Ends the program and all that it has started, unless that made itself a group of its own. The program is
/// not waited for yet, so that its id, which is also the group's, cannot have been given away.
void kill_group(const Child& child) {
  ::kill(-child.pid, SIGKILL);
  ::waitpid(child.pid, nullptr, 0);
}

/// Collects output until the program has closed it and ended. Kills it, with what it has started, at the
/// deadline or when the user asked to stop.
Result<CommandOutput> collect(const Command& command, Child child) {
  const auto deadline = Clock::now() + command.timeout;
  CommandOutput output;
  int status = 0;
  for (bool ended = false; !ended;) {
    if (interrupted() || command.stop.stop_requested() || Clock::now() >= deadline) {
      kill_group(child);
      CHECK_OK(check_interrupt());
      if (command.stop.stop_requested()) return fail(command_error(command, "was given up", output.err));
      const auto limit = command.timeout.count();
      return fail(
          command_error(command, fmt::format("did not end within {} s and was killed", limit), output.err));
    }
    if (child.out || child.err) {
      pollfd fds[2] = {{child.out.get(), POLLIN, 0}, {child.err.get(), POLLIN, 0}};
      if (::poll(fds, 2, 200) <= 0) continue;
      if (fds[0].revents != 0) drain(child.out, output.out, command.output_limit);
      if (fds[1].revents != 0) drain(child.err, output.err, kMostSaid);
      if (output.out.size() > command.output_limit) {
        kill_group(child);
        return fail(command_error(
            command, fmt::format("printed more than {} bytes and was killed", command.output_limit),
            output.err));
      }
    } else {
      const pid_t done = ::waitpid(child.pid, &status, WNOHANG);
      if (done < 0 && errno != EINTR) {
        return fail(ErrorKind::internal,
                    fmt::format("lost track of {}: {}", command.argv[0], strerror(errno)));
      }
      ended = done == child.pid;
      if (!ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  if (WIFSIGNALED(status)) {
    return fail(command_error(command, "was ended by " + signal_name(WTERMSIG(status)), output.err));
  }
  output.exit_status = WEXITSTATUS(status);
  return output;
}

Result<CommandOutput> must_succeed(const Command& command, Result<CommandOutput> result) {
  if (result && result->exit_status != 0) {
    const std::string& said = result->err.empty() ? result->out : result->err;
    return fail(command_error(command, fmt::format("failed with exit status {}", result->exit_status), said));
  }
  return result;
}

/// SIGPIPE would end us when a program that we feed goes away; blocked in the feeding thread only.
void block_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Result<CommandOutput> feed_and_collect(const Command& command,
                                       const std::function<Status(const Sink&)>& feed) {
  TRY(Child child, start(command, true));
  FileDescriptor in = std::move(child.in);
  Status fed = ok();
  Result<std::jthread> feeder = start_thread([&] {
    block_sigpipe();
    try {
      fed = feed([&](const char* data, std::size_t size) -> Status {
        if (write_all(in.get(), {data, size})) return ok();
        // EPIPE is an error like others: the program's own message tells why it went.
        return fail(ErrorKind::io, fmt::format("cannot write to the program: {}", strerror(errno)));
      });
    } catch (const std::bad_alloc&) {
      fed = fail(no_memory());
    }
    in.reset();
  });
  if (!feeder) {
    kill_group(child);
    return fail(std::move(feeder).error());
  }
  Result<CommandOutput> result = collect(command, std::move(child));
  feeder->join();
  if (result && result->exit_status == 0 && !fed) return fail(std::move(fed).error());
  return result;
}

}  // namespace

bool is_installed(const std::string& program) {
  return !find_program(program).empty();
}

Result<CommandOutput> run_any_status(const Command& command) {
  if (!command.input.empty()) {
    return feed_and_collect(command, [&](const Sink& sink) -> Status {
      // A program may rightly not read all of its input; its exit status decides.
      if (const Status written = sink(command.input.data(), command.input.size()); !written) return ok();
      return ok();
    });
  }
  TRY(Child child, start(command, false));
  return collect(command, std::move(child));
}

Result<CommandOutput> run(const Command& command) {
  return must_succeed(command, run_any_status(command));
}

Result<CommandOutput> run_with_feed(const Command& command, const std::function<Status(const Sink&)>& feed) {
  return must_succeed(command, feed_and_collect(command, feed));
}

std::string shell_quote(const std::vector<std::string>& argv) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  std::string out;
  for (const std::string& argument : argv) {
    if (!out.empty()) out += ' ';
    if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) {
      out += argument;
      continue;
    }
    out += '\'';
    for (const char c : argument) {
      if (c == '\'') {
        out += "'\\''";
      } else {
        out += c;
      }
    }
    out += '\'';
  }
  return out;
}

std::string signal_name(int signal) {
  if (const char* name = ::sigabbrev_np(signal); name != nullptr) return fmt::format("SIG{}", name);
  return fmt::format("signal {}", signal);
}

}  // namespace mailstead
