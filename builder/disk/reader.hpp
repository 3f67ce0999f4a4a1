// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "base/run.hpp"

namespace mailstead::disk {

/// Runs a program that reads an image which may be hostile: two minutes at most, 4 GiB of memory, and files
/// of at most `most_written` bytes, whatever it is made to write. Errors: those of run_any_status;
/// ErrorKind::tool with what it says for any exit status but 0.
Result<CommandOutput> run_reader(Command command, std::uint64_t most_written);

}  // namespace mailstead::disk
