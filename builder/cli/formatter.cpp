// SPDX-License-Identifier: GPL-3.0-or-later
// How options are shown, in help and manual page.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "cli/command.hpp"

namespace mailstead::cli {
namespace {

/// The lower and upper bound in "INT in [1 - 64]", as CLI11 calls a range.
std::string range_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t begin = type.find("in [");
  const std::size_t end = type.find(']', std::min(begin, type.size()));
  if (begin == std::string::npos || end == std::string::npos) return {};
  const std::string bounds = type.substr(begin + 4, end - begin - 4);
  const std::size_t dash = bounds.find(" - ");
  if (dash == std::string::npos) return {};
  return fmt::format("{} to {}", bounds.substr(0, dash), bounds.substr(dash + 3));
}

/// The names of other options, in the order of their texts: CLI11 has them in that of their addresses.
std::string names_of(const std::set<CLI::Option*>& options) {
  std::set<std::string> names;
  for (const CLI::Option* option : options) names.insert(option->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (const std::string value = value_of(*option); !value.empty() && !option->get_positional())
      text += " " + value;
    if (option->get_expected_max() >= CLI::detail::expected_max_vector_size) text += " ...";
    return text;
  }
  std::string make_option_desc(const CLI::Option* option) const override { return description_of(*option); }
};

}  // namespace

std::string choices_of(const CLI::Option& option) {
  const std::string shown = option.get_type_name();
  const std::size_t begin = shown.find('{');
  const std::size_t end = shown.find('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::string words = shown.substr(begin + 1, end - begin - 1);
  std::ranges::replace(words, ',', ' ');
  return words;
}

std::string value_of(const CLI::Option& option) {
  if (option.get_type_size() == 0) return {};
  if (std::string choices = choices_of(option); !choices.empty()) {
    std::ranges::replace(choices, ' ', '|');
    return choices;
  }
  const std::string type = option.get_type_name();
  const std::string name = type.substr(0, type.find(':'));
  return name == "UINT" || name == "INT" || name == "FLOAT" ? "N" : name;
}

std::string description_of(const CLI::Option& option) {
  std::vector<std::string> more;
  if (option.get_required() && !option.get_positional()) more.emplace_back("required");
  if (std::string range = range_of(option); !range.empty()) more.push_back(std::move(range));
  if (option.get_type_size() != 0 && !option.get_default_str().empty())
    more.push_back("default: " + option.get_default_str());
  if (!option.get_needs().empty()) more.push_back("needs " + names_of(option.get_needs()));
  if (!option.get_excludes().empty()) more.push_back("not together with " + names_of(option.get_excludes()));
  return more.empty() ? option.get_description()
                      : fmt::format("{} ({})", option.get_description(), fmt::join(more, "; "));
}

std::shared_ptr<CLI::Formatter> make_formatter() {
  return std::make_shared<HelpFormatter>();
}

}  // namespace mailstead::cli
