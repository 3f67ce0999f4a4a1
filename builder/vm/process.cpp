// SPDX-License-Identifier: GPL-3.0-or-later
#include "vm/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/printable.hpp"
#include "base/run.hpp"

namespace mailstead::vm {
namespace {

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* user = std::getenv("PATH");
  const std::string path = (user != nullptr ? std::string(user) + ":" : "") + kPath;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    const std::string candidate = path.substr(start, end - start) + "/" + name;
    if (end > start && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    start = end + 1;
  }
  return {};
}

// Runs between fork and exec: only async-signal-safe calls. Reports errno through `report` when exec fails.
[[noreturn]] void become(const char* program, char* const* argv, char* const* env, int log, int null,
                         int report, const Daemon& daemon, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the parent died before prctl took effect
  // Ctrl-C at the terminal is for us; we end the child in good order. A background group could not read the
  // terminal.
  if (!daemon.on_terminal) ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (!daemon.on_terminal) {
    ::dup2(null, 0);
    ::dup2(log, 1);
  }
  ::dup2(log, 2);
  for (const int fd : daemon.keep) ::fcntl(fd, F_SETFD, 0);
  ::execve(program, argv, env);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(report, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

std::string Ending::describe() const {
  return signal != 0 ? signal_name(signal) : "exit status " + std::to_string(exit_status);
}

Result<Process> Process::start(const Daemon& daemon) {
  const std::string program = find_program(daemon.argv.at(0));
  if (program.empty())
    return fail(ErrorKind::io, "cannot find the program " + daemon.argv[0],
                "install the package that holds it");
  const FileDescriptor log(::open(daemon.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!log) return fail(ErrorKind::io, "cannot write " + daemon.log.string() + ": " + std::strerror(errno));
  const FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  int pipe[2];
  if (!null || ::pipe2(pipe, O_CLOEXEC) != 0)
    return fail(ErrorKind::io, std::string("cannot start ") + program + ": " + std::strerror(errno));
  FileDescriptor from_child(pipe[0]);
  FileDescriptor to_parent(pipe[1]);

  std::vector<std::string> strings = daemon.argv;
  std::vector<char*> argv;
  argv.reserve(strings.size() + 1);
  for (std::string& string : strings) argv.push_back(string.data());
  argv.push_back(nullptr);
  std::string variables[] = {std::string("PATH=") + kPath, "LANG=C.UTF-8", "TZ=UTC"};
  char* env[] = {variables[0].data(), variables[1].data(), variables[2].data(), nullptr};
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0)
    return fail(ErrorKind::io, std::string("cannot start ") + program + ": " + std::strerror(errno));
  if (pid == 0)
    become(program.c_str(), argv.data(), env, log.get(), null.get(), to_parent.get(), daemon, parent);
  // The pid is ours until we reap it, so a pidfd taken now cannot mean another process.
  Process process(pid, FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), daemon.log);
  to_parent.reset();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(from_child.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got == sizeof error)
    return fail(ErrorKind::io, "cannot start " + program + ": " + std::strerror(error));
  if (!process.pidfd_)
    return fail(ErrorKind::io, "cannot watch " + program + ": pidfd_open failed",
                "Linux 5.3 or later is needed");
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      log_(std::move(other.log_)),
      ending_(other.ending_) {}

Process::~Process() {
  kill();
}

std::optional<Ending> Process::wait(std::chrono::milliseconds timeout) {
  if (ending_ || pid_ < 0) return ending_;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    int status = 0;
    const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped == pid_) {
      ending_ = WIFSIGNALED(status) ? Ending{0, WTERMSIG(status)} : Ending{WEXITSTATUS(status), 0};
      return ending_;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd entry{pidfd_.get(), POLLIN, 0};
    ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
  }
}

void Process::kill() {
  if (pid_ < 0 || ending_) return;
  ::kill(pid_, SIGKILL);  // safe: the child is not reaped yet, so its pid cannot have been given away
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ending_ = WIFSIGNALED(status) ? Ending{0, WTERMSIG(status)} : Ending{WEXITSTATUS(status), 0};
}

std::string tail(const std::filesystem::path& path, int lines) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  const std::streamoff begin = std::max<std::streamoff>(0, size - (256 << 10));
  file.seekg(begin);
  std::string text(static_cast<std::size_t>(size - begin), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));

  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] ==
        '\x1b') {  // ECMA-48: ESC, then '[' parameters and a final byte from '@' to '~', or one byte
      if (i + 1 < text.size() && text[i + 1] == '[') {
        for (i += 2; i < text.size() && (text[i] < '@' || text[i] > '~'); ++i) {
        }
      } else {
        ++i;
      }
    } else if (text[i] != '\r' && text[i] != '\0') {
      clean += text[i];
    }
  }
  std::size_t start = clean.size();
  if (start > 0 && clean.back() == '\n') --start;
  for (int found = 0; start > 0; --start)
    if (clean[start - 1] == '\n' && ++found == lines) break;
  std::string shown;
  for (std::size_t end; start < clean.size(); start = end) {
    end = std::min(clean.find('\n', start), clean.size());
    shown += printable(clean.substr(start, end - start), true);
    if (end < clean.size()) shown += clean[end++];
  }
  return shown;
}

}  // namespace mailstead::vm
