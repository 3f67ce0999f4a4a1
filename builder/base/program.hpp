// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace mailstead {

/// Remembers how the program was called (argv[0]), so that hints name a command that works when it is pasted.
/// Called once, before threads start; without a call, or for an empty or null name, it is "mailstead".
void set_program_name(const char* name);

/// One of our own commands for a message, quoted for a POSIX shell: own_command({"keys", "mail.yaml"}) is
/// "mailstead keys mail.yaml", or "build/mailstead keys mail.yaml" where the program was called like that.
/// Printable: with \xHH for control characters, which would reach the terminal.
std::string own_command(std::vector<std::string> words);

}  // namespace mailstead
