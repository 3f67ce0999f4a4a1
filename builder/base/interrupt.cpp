// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

namespace mailstead {
namespace {

volatile sig_atomic_t asked_to_stop = 0;

void on_signal(int signal) {
  if (asked_to_stop != 0) ::_exit(128 + signal);
  asked_to_stop = signal;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // Without SA_RESTART a waiting poll(2) returns at once.
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
  // What would be larger than `ulimit -f` is refused then, with an error like others.
  ::signal(SIGXFSZ, SIG_IGN);
  // Under nohup(1) work goes on when the terminal has gone. SIGINT is caught even so: shells ignore it in
  // whatever they start in the background.
  struct sigaction inherited{};
  ::sigaction(SIGHUP, nullptr, &inherited);
  if (inherited.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);
}

bool interrupted() {
  return asked_to_stop != 0;
}

int stop_signal() {
  return asked_to_stop;
}

Status check_interrupt() {
  if (interrupted()) return fail(ErrorKind::interrupted, "interrupted; no partial output was left");
  return ok();
}

}  // namespace mailstead
