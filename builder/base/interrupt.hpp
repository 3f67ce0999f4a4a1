// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "base/result.hpp"

namespace mailstead {

/// From here on SIGINT, SIGTERM and SIGHUP ask long work to stop at its next safe point, so that destructors
/// remove what is half-written. A second such signal ends the program at once. SIGHUP stays ignored if it
/// was.
void catch_interrupts();

/// True once the user asked to stop.
bool interrupted();

/// The signal that asked to stop; 0 if none has. A program that was stopped exits with 128 and its number.
int stop_signal();

/// An error when the user asked to stop, else ok(); for loops of long work.
Status check_interrupt();

}  // namespace mailstead
