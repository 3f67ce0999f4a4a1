// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace mailstead::cli {

/// The whole program. Results go to stdout, messages and progress to stderr. Returns the exit code: 0 done, 1
/// the work failed, 2 the command line or the spec is wrong.
int run_command_line(int argc, char** argv);

}  // namespace mailstead::cli
