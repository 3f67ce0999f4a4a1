// SPDX-License-Identifier: GPL-3.0-or-later
// The errors for a command line that cannot be meant.
#include <fmt/format.h>
#include <re2/re2.h>

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

/// What the groups of an expression match if it matches all of `text`; else nothing. By RE2, as a word of a
/// command line may be of any length, and of any bytes.
std::vector<std::string> groups_in(const std::string& text, const char* expression) {
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_dot_nl(true);
  const re2::RE2 regex(expression, options);
  std::vector<std::string> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()));
  std::vector<re2::RE2::Arg> arguments(groups.size());
  std::vector<const re2::RE2::Arg*> pointers(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    arguments[i] = &groups[i];
    pointers[i] = &arguments[i];
  }
  const bool matches = re2::RE2::FullMatchN(text, regex, pointers.data(), static_cast<int>(pointers.size()));
  return matches ? groups : std::vector<std::string>();
}

/// What CLI11 says, as we say it. Its versions 2.1 and 2.4 write ranges differently.
std::string plain_text(const CLI::App& app, const CLI::ParseError& error) {
  std::string text = error.what();
  if (const auto range = groups_in(text, R"((.+?): Value (.*) not in range \[?(\S+) (?:to|-) ([^\]\s]+)\]?)");
      !range.empty())
    return fmt::format("{}: {} is not a number from {} to {}", range[0], yaml::quote(range[1]),
                       short_number(range[2]), short_number(range[3]));
  if (const auto choice = groups_in(text, R"((.+?): (.*) not in \{(.*)\})"); !choice.empty()) {
    std::string choices;
    for (const char c : choice[2]) choices += c == ',' ? std::string(", ") : std::string(1, c);
    return fmt::format("{}: {} is not one of {}", choice[0], yaml::quote(choice[1]), choices);
  }
  if (const auto missing = groups_in(text, R"((.+?): \d+ required .* missing)"); !missing.empty())
    return fmt::format("{} needs a value", missing[0]);
  if (const auto repeated = groups_in(text, R"((.+?): At Most 1 required but received \d+)");
      !repeated.empty())
    return fmt::format("{} was given more than once", repeated[0]);
  if (const auto conversion = groups_in(text, R"(Could not convert: (\S+) = (.*))"); !conversion.empty()) {
    const CLI::Option* option = app.get_option_no_throw(conversion[0]);
    if (option != nullptr && option->get_items_expected_max() == 0) return conversion[0] + " takes no value";
    return fmt::format("{}: {} is not a number", conversion[0], yaml::quote(conversion[1]));
  }
  if (const auto excluded = groups_in(text, R"((\S+) excludes (\S+))"); !excluded.empty())
    return fmt::format("{} and {} cannot be given together", excluded[0], excluded[1]);
  if (const auto needed = groups_in(text, R"((\S+) requires (\S+))"); !needed.empty())
    return fmt::format("{} needs {}, too", needed[0], needed[1]);
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
            plain_text(app, error),
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
          : plain_text(*verb, error);
  // Help describes an option where it belongs.
  const std::string option = message.substr(0, message.find_first_of(" :"));
  const bool of_app = option.starts_with('-') && verb->get_option_no_throw(option) == nullptr;
  return {ErrorKind::usage,
          message,
          {},
          of_app ? fmt::format("`{}` describes the options", own_command({"help"}))
                 : fmt::format("`{}` describes its options and arguments",
                               own_command({"help", verb->get_name()})),
          {},
          {}};
}

}  // namespace mailstead::cli
