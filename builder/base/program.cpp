// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/program.hpp"

#include "base/printable.hpp"
#include "base/run.hpp"

namespace mailstead {
namespace {

std::string& name_of_program() {
  static std::string name = "mailstead";
  return name;
}

}  // namespace

void set_program_name(const char* name) {
  if (name != nullptr && *name != '\0') name_of_program() = name;
}

std::string own_command(std::vector<std::string> words) {
  words.insert(words.begin(), name_of_program());
  return printable(shell_quote(words));
}

}  // namespace mailstead
