// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/variable_use.hpp"

#include <vector>

namespace mailstead::mailtest {
namespace {

/// The texts between `opening` and the next `closing`.
std::vector<std::string> enclosed(std::string_view text, std::string_view opening, char closing) {
  std::vector<std::string> found;
  for (std::size_t at = text.find(opening); at != std::string_view::npos; at = text.find(opening, at)) {
    at += opening.size();
    const std::size_t end = text.find(closing, at);
    if (end == std::string_view::npos) continue;
    const std::string_view inside = text.substr(at, end - at);
    // A name that contains another variable is known only when the step is played.
    if (inside.find(opening) == std::string_view::npos || inside.starts_with("base64:"))
      found.emplace_back(inside);
  }
  return found;
}

}  // namespace

void VariableUse::look_into(std::string_view text) {
  for (const std::string& inside : enclosed(text, "${", '}')) {
    if (inside.starts_with("base64:")) continue;  // the variables in it are found on their own
    used.insert(inside.starts_with("length:") ? inside.substr(7) : inside);
  }
  for (const std::string& group : enclosed(text, "(?P<", '>')) set.insert(group);
}

void VariableUse::add(const VariableUse& other) {
  used.insert(other.used.begin(), other.used.end());
  set.insert(other.set.begin(), other.set.end());
}

}  // namespace mailstead::mailtest
