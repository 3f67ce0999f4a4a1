// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace mailstead::mailtest {

/// The names of variables that a step uses, and of those that it gives a value.
struct VariableUse {
  std::set<std::string> used;
  std::set<std::string> set;

  /// Adds what `text` uses by ${name}, ${length:name} and ${base64:…}, and what it captures by (?P<name>…).
  void look_into(std::string_view text);
  void add(const VariableUse& other);
};

}  // namespace mailstead::mailtest
