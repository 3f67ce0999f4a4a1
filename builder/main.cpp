// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/cli.hpp"

int main(int argc, char** argv) {
  return mailstead::cli::run_command_line(argc, argv);
}
