// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

// What the machine does not let its users have: processes and threads, memory, open files, large files
// (getrlimit(2), and the limits of services and containers).
namespace mailstead {

/// The remedy where the system gives no more processes or threads (EAGAIN); empty for any other error number.
std::string more_processes_hint(int error);

/// Lets this process and its children open as many files as it may ask for, up to what is plenty.
void allow_more_files();

/// No memory is left (std::bad_alloc).
Error no_memory();

/// The error of `program`, with a remedy, if what it said tells of such a limit; programs have their own
/// words for it.
std::optional<Error> limit_told_by(std::string_view program, std::string_view said);

/// The same error, with the remedy if its message ends in the system's words for such a limit.
Error explain_limit(Error error);

/// Of a program that was ended by SIGXFSZ.
Error file_size_limit(std::string_view program);

}  // namespace mailstead
