// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.hpp"
#include "cli/cli.hpp"

int main(int argc, char** argv) {
  mailstead::open_standard_streams();
  return mailstead::cli::run_command_line(argc, argv);
}
