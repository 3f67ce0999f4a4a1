// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/needs.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
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
    // A name that is made of another is known only when it is played.
    if (inside.find(opening) == std::string_view::npos || inside.starts_with("base64:"))
      found.emplace_back(inside);
  }
  return found;
}

void collect(const std::vector<Step>& steps, std::set<std::string>& used, std::set<std::string>& set) {
  const auto look_into = [&](const std::string& text) {
    for (const std::string& inside : enclosed(text, "${", '}')) {
      if (inside.starts_with("base64:")) continue;  // what it holds is found by itself
      used.insert(inside.starts_with("length:") ? inside.substr(7) : inside);
    }
    for (const std::string& group : enclosed(text, "(?P<", '>')) set.insert(group);
  };
  for (const Step& step : steps) {
    for (const std::string& word : step.words) look_into(word);
    look_into(step.text);
    for (const std::string& word : step.condition) look_into(word);
    for (const Row& row : step.rows)
      for (const std::string& field : row.fields) look_into(field);
    switch (step.verb) {
      case Verb::set:
      case Verb::message:
        set.insert(step.words[0]);
        break;
      case Verb::each:
        set.insert(step.words.begin(), step.words.end());
        break;
      case Verb::received:
        for (const char* part : {"", ".from", ".helo", ".tls"}) set.insert(step.words[5] + part);
        break;
      case Verb::data:
        if (!step.words[0].starts_with("<<")) used.insert(step.words[0]);
        break;
      case Verb::check:
      case Verb::verify_dkim:
        used.insert(step.words[0]);
        break;
      default:
        break;
    }
    collect(step.block, used, set);
  }
}

}  // namespace

std::set<std::string> needed_variables(const Dialogue& dialogue) {
  std::set<std::string> used;
  std::set<std::string> set;
  collect(dialogue.steps, used, set);
  std::set<std::string> needed;
  std::set_difference(used.begin(), used.end(), set.begin(), set.end(), std::inserter(needed, needed.end()));
  return needed;
}

}  // namespace mailstead::mailtest
