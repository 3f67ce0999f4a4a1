// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/interrupt.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "support/catch.hpp"

using namespace mailstead;

namespace {

/// Whether it holds in a process of its own, since the wish to stop cannot be taken back.
bool holds(const std::function<bool()>& condition) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(condition() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

}  // namespace

TEST_CASE("signals ask to stop, once") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    CHECK(holds([&] {
      ::signal(signal, SIG_DFL);
      catch_interrupts();
      ::raise(signal);
      return interrupted() && check_interrupt().error().kind == ErrorKind::interrupted &&
             stop_signal() == signal;
    }));
  CHECK(stop_signal() == 0);
}

TEST_CASE("SIGHUP stays ignored under nohup; SIGINT is caught though a shell ignores it in the background") {
  CHECK(holds([] {
    ::signal(SIGHUP, SIG_IGN);
    catch_interrupts();
    ::raise(SIGHUP);
    return !interrupted();
  }));
  CHECK(holds([] {
    ::signal(SIGINT, SIG_IGN);
    catch_interrupts();
    ::raise(SIGINT);
    return interrupted();
  }));
}
