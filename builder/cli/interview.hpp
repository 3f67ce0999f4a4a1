// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "init/answers.hpp"

namespace mailstead::cli {

/// What the flags of `init` say; empty where they are not given.
struct InitOptions {
  std::filesystem::path folder;
  std::vector<std::string> domains;
  std::string hostname;
  std::vector<std::string> people;
  bool dhcp = false;
  std::vector<std::string> addresses;
  std::vector<std::string> gateways;
  std::vector<std::string> ssh_keys;
  std::string time_zone;
  bool generate_passwords = false;
};

struct MadeUp {
  std::string address;
  std::string password;
};

/// The answers of the flags; if any that is needed is missing, those of whoever sits at the terminal to
/// questions for all the rest. What is wrong is told at once and asked again. Errors: ErrorKind::usage, no
/// terminal to ask on (with the flags that are missing), a wrong flag, the end of the input;
/// ErrorKind::interrupted.
Result<init::Answers> interview(const InitOptions& given);

/// Gives each person a password: made up if `generate` or if an empty one is typed, else from the terminal,
/// where it is typed twice, or from a line of standard input. Returns those that were made up.
Result<std::vector<MadeUp>> set_passwords(init::Answers& answers, bool generate);

}  // namespace mailstead::cli
