// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/run.hpp"
#include "support/catch.hpp"

namespace mailstead::test {

inline Command command(std::vector<std::string> argv, std::string input = {}) {
  Command made;
  made.argv = std::move(argv);
  made.input = std::move(input);
  return made;
}

/// What a program printed; the test ends if it fails.
inline std::string output_of(std::vector<std::string> argv, std::string input = {}) {
  const auto output = run(command(std::move(argv), std::move(input)));
  INFO((output ? output->err : format_error(output.error())));
  REQUIRE(output);
  return output->out;
}

/// The exit status of a program that may fail.
inline int status_of(std::vector<std::string> argv, std::string input = {}) {
  const auto output = run_any_status(command(std::move(argv), std::move(input)));
  REQUIRE(output);
  return output->exit_status;
}

}  // namespace mailstead::test
