// SPDX-License-Identifier: GPL-3.0-or-later
// The errors for a command line that cannot be meant.
#include <fmt/format.h>

#include <algorithm>

#include "base/program.hpp"
#include "cli/command.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::cli {
namespace {

Error unknown_option(const CLI::App& app, const CLI::App* verb, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names = option_names(app);
  if (verb != nullptr) std::ranges::copy(option_names(*verb), std::back_inserter(names));
  const std::string whose = verb == nullptr ? "mailstead" : "mailstead " + verb->get_name();
  return {ErrorKind::usage,
          fmt::format("`{}` has no option {}{}", whose, yaml::quote(name), yaml::did_you_mean(name, names)),
          {},
          fmt::format("`{}` lists them",
                      verb == nullptr ? own_command({"help"}) : own_command({"help", verb->get_name()})),
          {},
          {}};
}

/// The first word that is neither an option nor the value of one.
const char* command_in(const CLI::App& app, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with('-')) return argv[i];
    const CLI::Option* option = app.get_option_no_throw(word);
    if (option != nullptr && option->get_items_expected_min() > 0) ++i;
  }
  return nullptr;
}

/// The first word that nothing takes.
const std::string* extra_in(const std::vector<std::string>& words) {
  const auto option =
      std::ranges::find_if(words, [](const std::string& word) { return word.starts_with('-'); });
  if (option != words.end()) return &*option;
  return words.empty() ? nullptr : &words.front();
}

}  // namespace

Error unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* verb : commands_of(app)) names.push_back(verb->get_name());
  return {ErrorKind::usage,
          fmt::format("there is no command {}{}", yaml::quote(word), yaml::did_you_mean(word, names)),
          {},
          fmt::format("`{}` lists the commands", own_command({"help"})),
          {},
          {}};
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Error usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const auto chosen = app.get_subcommands();
  const CLI::App* verb = chosen.empty() ? nullptr : chosen.front();
  const char* command = verb == nullptr ? command_in(app, argc, argv) : nullptr;
  if (command != nullptr) return unknown_command(app, command);
  const std::vector<std::string> extras = app.remaining(true);
  const std::string* extra = extra_in(extras);
  if (extra != nullptr && extra->starts_with('-') && *extra != "-") return unknown_option(app, verb, *extra);
  if (verb == nullptr)
    return {ErrorKind::usage,
            "no command was given",
            {},
            fmt::format("`{}` lists the commands", own_command({"help"})),
            {},
            {}};
  const std::string message =
      extra != nullptr && error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)
          ? fmt::format("{} is one argument too many", yaml::quote(*extra))
          : std::string(error.what());
  return {ErrorKind::usage,
          message,
          {},
          fmt::format("`{}` describes its options and arguments", own_command({"help", verb->get_name()})),
          {},
          {}};
}

}  // namespace mailstead::cli
