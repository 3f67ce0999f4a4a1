// SPDX-License-Identifier: GPL-3.0-or-later
// The errors for a command line that cannot be meant.
#include <fmt/format.h>

#include <algorithm>
#include <regex>

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

bool is_command(const CLI::App& app, std::string_view word) {
  const auto verbs = app.get_subcommands(nullptr);
  return std::ranges::any_of(verbs, [word](const CLI::App* verb) { return verb->get_name() == word; });
}

bool is_about_value(const CLI::ParseError& error) {
  const int code = error.get_exit_code();
  return code == static_cast<int>(CLI::ExitCodes::ValidationError) ||
         code == static_cast<int>(CLI::ExitCodes::ConversionError) ||
         code == static_cast<int>(CLI::ExitCodes::ArgumentMismatch);
}

std::string lower(std::string word) {
  std::ranges::transform(word, word.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c; });
  return word;
}

/// "0.1" of "0.100000".
std::string short_number(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

/// What CLI11 says, as we say it. Its versions 2.1 and 2.4 write ranges differently.
std::string plain_text(const CLI::ParseError& error) {
  static const std::regex range(R"((.+): Value (.*) not in range \[?(\S+) (?:to|-) ([^\]\s]+)\]?)");
  static const std::regex choice(R"((.+): (.*) not in \{(.*)\})");
  static const std::regex missing(R"((.+): \d+ required .* missing)");
  static const std::regex repeated(R"((.+): At Most 1 required but received \d+)");
  static const std::regex conversion(R"(Could not convert: (\S+) = (.*))");
  static const std::regex excluded(R"((\S+) excludes (\S+))");
  static const std::regex needed(R"((\S+) requires (\S+))");
  const std::string text = error.what();
  std::smatch part;
  if (std::regex_match(text, part, range))
    return fmt::format("{}: {} is not a number from {} to {}", part[1].str(), yaml::quote(part[2].str()),
                       short_number(part[3]), short_number(part[4]));
  if (std::regex_match(text, part, choice))
    return fmt::format("{}: {} is not one of {}", part[1].str(), yaml::quote(part[2].str()),
                       std::regex_replace(part[3].str(), std::regex(","), ", "));
  if (std::regex_match(text, part, missing)) return fmt::format("{} needs a value", part[1].str());
  if (std::regex_match(text, part, repeated))
    return fmt::format("{} was given more than once", part[1].str());
  if (std::regex_match(text, part, conversion))
    return fmt::format("{}: {} is not a number", part[1].str(), yaml::quote(part[2].str()));
  if (std::regex_match(text, part, excluded))
    return fmt::format("{} and {} cannot be given together", part[1].str(), part[2].str());
  if (std::regex_match(text, part, needed))
    return fmt::format("{} needs {}, too", part[1].str(), part[2].str());
  return text;
}

}  // namespace

Error unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* verb : commands_of(app)) names.push_back(verb->get_name());
  return {ErrorKind::usage,
          fmt::format("there is no command {}{}", yaml::quote(word), yaml::did_you_mean(lower(word), names)),
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
  // Of an option of the program, before any command.
  if (verb == nullptr && is_about_value(error))
    return {ErrorKind::usage,
            plain_text(error),
            {},
            fmt::format("`{}` describes the options", own_command({"help"})),
            {},
            {}};
  const char* command = verb == nullptr ? command_in(app, argc, argv) : nullptr;
  if (command != nullptr && !is_command(app, command)) return unknown_command(app, command);
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
          : plain_text(error);
  return {ErrorKind::usage,
          message,
          {},
          fmt::format("`{}` describes its options and arguments", own_command({"help", verb->get_name()})),
          {},
          {}};
}

}  // namespace mailstead::cli
