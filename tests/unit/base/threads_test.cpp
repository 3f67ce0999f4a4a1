// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/threads.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "base/reporter.hpp"
#include "base/run.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"

using namespace mailstead;

namespace {

/// What `work` says in a process that can start no thread and no program: the limit does not hold for a
/// superuser.
std::string without_threads(const std::function<std::string()>& work) {
  return in_child_once([&] {
           if (::geteuid() == 0 && ::setuid(64321) != 0) return std::string("no other user");
           const rlimit none{0, 0};
           if (::setrlimit(RLIMIT_NPROC, &none) != 0) return std::string("no limit");
           return work();
         })
      .text;
}

}  // namespace

TEST_CASE("what is done beside other work is done without a thread, too") {
  const auto both = [] {
    auto one = beside([] { return std::string("one"); });
    auto other = beside([] { return std::string("other"); });
    return one.get() + " " + other.get();
  };
  CHECK(both() == "one other");
  CHECK(without_threads(both) == "one other");
}

TEST_CASE("threads share their work, and one alone does all of it") {
  const auto counted = [] {
    std::atomic<int> next = 0;
    std::atomic<int> sum = 0;
    in_threads(4, [&] {
      for (int i = next++; i < 100; i = next++) sum += i;
    });
    return std::to_string(sum);
  };
  CHECK(counted() == "4950");
  CHECK(without_threads(counted) == "4950");
  CHECK(useful_threads() >= 1);
}

TEST_CASE("what one of the threads throws is thrown when all have ended") {
  std::atomic<int> ended = 0;
  std::atomic<int> next = 0;
  CHECK_THROWS_AS(in_threads(3,
                             [&] {
                               const bool first = next++ == 0;
                               ++ended;
                               if (first) throw std::bad_alloc();
                             }),
                  std::bad_alloc);
  CHECK(ended == 3);
}

TEST_CASE("where no thread and no program can be started, the limit is named") {
  const std::string hint =
      "this machine lets you run no more processes and threads: end some, or raise the limit (ulimit -u, "
      "TasksMax= of a service, pids.max of a container; a limit of memory, ulimit -v, has the same effect)";
  CHECK(without_threads([] {
          const auto thread = start_thread([] {});
          return thread ? "" : thread.error().message + "; " + thread.error().hint;
        }) == "cannot start a thread: Resource temporarily unavailable; " + hint);
  CHECK(without_threads([] {
          Command program;
          program.argv = {"true"};
          const auto output = run(program);
          return output ? "" : output.error().message + "; " + output.error().hint;
        }) == "cannot start true: Resource temporarily unavailable; " + hint);
}

TEST_CASE("progress on a terminal needs no thread") {
  CHECK(without_threads([] {
          make_terminal_reporter()->start("work")->set_result("");
          return std::string("shown");
        }) == "shown");
}
