// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/run.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/limits.hpp"
#include "support/catch.hpp"

namespace mailstead {
namespace {

Command shell(const std::string& script) {
  Command command;
  command.argv = {"/bin/sh", "-c", script};
  return command;
}

TEST_CASE("run: output, input and environment") {
  Command command = shell("cat; echo $TZ $HOME $EXTRA; echo problem >&2");
  command.input = "text\n";
  command.env = {{"EXTRA", "yes"}};
  const auto result = run(command);
  REQUIRE(result);
  CHECK(result->out == "text\nUTC yes\n");
  CHECK(result->err == "problem\n");
}

/// The exit status of `work`, in a process of its own whose `closed` descriptors are.
int status_without(std::initializer_list<int> closed, const std::function<bool()>& work) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    for (const int fd : closed) ::close(fd);
    ::_exit(work() ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}

TEST_CASE("run: a caller without standard streams changes nothing for a program") {
  for (const auto& closed : {std::initializer_list<int>{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 1, 2}}) {
    for (const std::string input : {"", "text\n"}) {
      CHECK(status_without(closed, [&] {
              Command command = shell("cat; echo out; echo err >&2");
              command.input = input;
              const auto result = run(command);
              return result && result->out == input + "out\n" && result->err == "err\n";
            }) == 0);
    }
  }
}

TEST_CASE("closed standard streams are opened before something else takes their place") {
  CHECK(status_without({0, 2}, [] {
          open_standard_streams();
          char byte = 0;
          return ::open("/dev/zero", O_RDONLY) > 2 && ::read(0, &byte, 1) == 0 && ::write(2, &byte, 1) < 0;
        }) == 0);
}

TEST_CASE("run: a failure shows the command, the status and what the program said") {
  const auto result = run(shell("echo 'no such thing' >&2; exit 3"));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::tool);
  CHECK(format_error(result.error()) ==
        "/bin/sh failed with exit status 3\n"
        "  command: /bin/sh -c 'echo '\\''no such thing'\\'' >&2; exit 3'\n"
        "  it said: no such thing\n");
}

TEST_CASE("run: where a limit of the machine is the cause, that and its remedy are said, not the command") {
  const auto said = [](const char* script) {
    Command command = shell(script);
    const auto result = run(command);
    REQUIRE_FALSE(result);
    return format_error(result.error());
  };
  const std::string processes =
      "/bin/sh cannot start a process or a thread\n"
      "  this machine lets you run no more processes and threads: end some, or raise the limit (ulimit -u, "
      "TasksMax= of a service, pids.max of a container; a limit of memory, ulimit -v, has the same effect)\n";
  CHECK(said("echo 'FATAL ERROR: Failed to create thread' >&2; exit 1") ==
        processes + "  it said: FATAL ERROR: Failed to create thread\n");
  CHECK(said("echo 'FATAL -> Failed to fork.' >&2; exit 100") ==
        processes + "  it said: FATAL -> Failed to fork.\n");
  CHECK(said("echo 'sh: 1: Cannot fork' >&2; exit 2") == processes + "  it said: sh: 1: Cannot fork\n");
  CHECK(said("echo 'cannot open x: Cannot allocate memory' >&2; exit 1") ==
        "/bin/sh gets no more memory\n"
        "  end other programs, or raise the limit (ulimit -v, MemoryMax= of a service, memory.max of a "
        "container)\n"
        "  it said: cannot open x: Cannot allocate memory\n");
  CHECK(said("echo 'E: Pipe creation failed - pipe (24: Too many open files)' >&2; exit 100") ==
        "/bin/sh cannot open enough files\n"
        "  this machine lets a program open too few files at once: raise the limit (ulimit -n 1024, "
        "LimitNOFILE= "
        "of a service)\n"
        "  it said: E: Pipe creation failed - pipe (24: Too many open files)\n");
  CHECK(said("kill -XFSZ $$") ==
        "/bin/sh cannot write a file as large as it has to be\n"
        "  raise the limit of the size of files (ulimit -f, LimitFSIZE= of a service)\n");
  // A limit of our own is no fault of the machine.
  Command limited = shell("echo 'Cannot allocate memory' >&2; exit 1");
  limited.memory_limit = 1u << 30;
  const auto result = run(limited);
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "/bin/sh failed with exit status 1");
  // A locked tool is started by its loader.
  Command tool;
  tool.argv = {"/bin/sh", "-c", "echo 'Out of memory' >&2; exit 1", "--argv0", "mksquashfs"};
  CHECK(run(tool).error().message == "mksquashfs gets no more memory");
}

TEST_CASE("the system's words for a limit get their remedy") {
  const auto hint = [](const char* message) {
    return explain_limit({ErrorKind::io, message, {}, {}, {}, {}}).hint;
  };
  CHECK(hint("cannot write x: File too large") ==
        "raise the limit of the size of files (ulimit -f, LimitFSIZE= of a service)");
  CHECK(hint("cannot map x: Cannot allocate memory") == no_memory().hint);
  CHECK(hint("cannot start x: Resource temporarily unavailable") == more_processes_hint(EAGAIN));
  CHECK(
      hint("cannot make a pipe: Too many open files") ==
      "this machine lets a program open too few files at once: raise the limit (ulimit -n 1024, LimitNOFILE= "
      "of a service)");
  CHECK(hint("cannot write x: Input/output error").empty());
  CHECK(is_installed("sh"));
  CHECK_FALSE(is_installed("no-such-program"));
}

TEST_CASE("run: a signal is called by its name") {
  const auto result = run(shell("kill -SEGV $$"));
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "/bin/sh was ended by SIGSEGV");
}

TEST_CASE("run: a program that does not end is killed at its time limit") {
  Command command = shell("sleep 60");
  command.timeout = std::chrono::seconds(1);
  const auto result = run(command);
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "/bin/sh did not end within 1 s and was killed");
}

TEST_CASE("run: a program that prints more than is wanted is killed, and what it printed is no result") {
  Command command = shell("yes");
  command.output_limit = 1000;
  const auto result = run(command);
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "/bin/sh printed more than 1000 bytes and was killed");
  command = shell("echo 1234");
  command.output_limit = 5;
  REQUIRE(run(command));
  CHECK(run(command)->out == "1234\n");
}

TEST_CASE("run: a program gets no more memory and writes no larger file than it may, and leaves no core") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  Command command = shell("ulimit -v; ulimit -f; ulimit -c; head -c 5000 /dev/zero >" +
                          (folder.path() / "file").string() + "; echo $?");
  command.memory_limit = 512u << 20;
  command.file_size_limit = 4096;
  const auto result = run(command);
  REQUIRE(result);
  // In units of 1024 and 512 bytes; 153 is 128 and SIGXFSZ.
  CHECK(result->out == "524288\n8\n0\n153\n");
  CHECK(std::filesystem::file_size(folder.path() / "file") == 4096);
}

/// Waits until the process has gone or is a zombie that nobody has waited for; false after ten seconds.
bool ends(pid_t pid) {
  for (int i = 0; i < 1000; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(stat, line)) return true;
    if (const auto name = line.rfind(") "); name != std::string::npos && line[name + 2] == 'Z') return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST_CASE("run: what a program leaves behind ends with it at the time limit") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const std::string file = (folder.path() / "pid").string();
  std::string then = "exit 0";
  std::string input;
  SECTION("the program has ended, its child holds stderr") {}
  SECTION("the program waits for its child") {
    then = "wait";
  }
  SECTION("the program has more input than anybody reads") {
    then = "wait";
    input = std::string(1 << 20, 'x');
  }
  Command command = shell("sleep 60 & echo $! > " + file + "; " + then);
  command.input = input;
  command.timeout = std::chrono::seconds(1);
  const auto start = std::chrono::steady_clock::now();
  const auto result = run(command);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "/bin/sh did not end within 1 s and was killed");
  CHECK(ends(static_cast<pid_t>(std::stol(read_file(file).value()))));
}

TEST_CASE("run: an interruption ends the program and what it started, and says whose wish it was") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const std::string file = (folder.path() / "pid").string();
  // In a process of its own: an interruption cannot be taken back.
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    catch_interrupts();
    const auto result = run(shell("sleep 60 & echo $! > " + file + "; kill -INT $PPID; wait"));
    ::_exit(!result && result.error().kind == ErrorKind::interrupted ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
  CHECK(ends(static_cast<pid_t>(std::stol(read_file(file).value()))));
}

TEST_CASE("run: a program leads a process group of its own") {
  const auto result =
      run(shell("read -r pid name state parent group rest < /proc/self/stat; echo $$ $group"));
  REQUIRE(result);
  const auto space = result->out.find(' ');
  REQUIRE(space != std::string::npos);
  CHECK(result->out.substr(0, space) + "\n" == result->out.substr(space + 1));
}

TEST_CASE("run: a missing program is named, with the remedy") {
  Command command;
  command.argv = {"no-such-program-here"};
  const auto result = run(command);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::io);
  CHECK(result.error().message == "the program 'no-such-program-here' is not installed");
}

TEST_CASE("run_with_feed: large streams do not deadlock and a program that leaves early is no crash") {
  const std::string block(1 << 20, 'x');
  const auto feed = [&](const Sink& sink) -> Status {
    for (int i = 0; i < 8; ++i) CHECK_OK(sink(block.data(), block.size()));
    return ok();
  };
  const auto counted = run_with_feed(shell("wc -c"), feed);
  REQUIRE(counted);
  CHECK(counted->out == "8388608\n");
  const auto left = run_with_feed(shell("exit 4"), feed);
  REQUIRE_FALSE(left);
  CHECK(left.error().message == "/bin/sh failed with exit status 4");
}

TEST_CASE("shell_quote can be pasted") {
  CHECK(shell_quote({"a", "b c", "it's", "", "x=1"}) == "a 'b c' 'it'\\''s' '' x=1");
}

}  // namespace
}  // namespace mailstead
