// SPDX-License-Identifier: GPL-3.0-or-later
// What is said to a command line that cannot be meant, and `mailstead help`.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::cli {
namespace {

/// Those that are for people.
std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  std::vector<const CLI::App*> verbs = app.get_subcommands(nullptr);
  std::erase_if(verbs, [](const CLI::App* verb) { return verb->get_group().empty(); });
  return verbs;
}

Error unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* verb : commands_of(app)) names.push_back(verb->get_name());
  return {ErrorKind::usage,
          fmt::format("there is no command {}{}", yaml::quote(word), yaml::did_you_mean(word, names)),
          {},
          "`mailstead help` lists the commands",
          {},
          {}};
}

Error unknown_option(const CLI::App& app, const CLI::App* verb, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names = option_names(app);
  if (verb != nullptr) std::ranges::copy(option_names(*verb), std::back_inserter(names));
  const std::string whose = verb == nullptr ? "mailstead" : "mailstead " + verb->get_name();
  return {ErrorKind::usage,
          fmt::format("`{}` has no option {}{}", whose, yaml::quote(name), yaml::did_you_mean(name, names)),
          {},
          fmt::format("`mailstead help{}` lists them", verb == nullptr ? "" : " " + verb->get_name()),
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

/// Not CLI::App::help, which describes the command that was given: this one.
void print_help(const CLI::App& app, const std::string& name) {
  fmt::print("{}", app.get_formatter()->make_help(&app, name, CLI::AppFormatMode::Normal));
}

/// The first word that nothing takes.
const std::string* extra_in(const std::vector<std::string>& words) {
  const auto option =
      std::ranges::find_if(words, [](const std::string& word) { return word.starts_with('-'); });
  if (option != words.end()) return &*option;
  return words.empty() ? nullptr : &words.front();
}

}  // namespace

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
    return {ErrorKind::usage, "name a command", {}, "`mailstead help` lists the commands", {}, {}};
  const std::string message =
      extra != nullptr && error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)
          ? fmt::format("{} is one argument too many", yaml::quote(*extra))
          : std::string(error.what());
  return {ErrorKind::usage,
          message,
          {},
          fmt::format("`mailstead help {}` shows what it takes", verb->get_name()),
          {},
          {}};
}

void add_help(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand("help", "describe a command, or all of them in a line each");
  auto name = std::make_shared<std::string>();
  verb->add_option("COMMAND", *name, "the command to describe");
  verb->callback([&app, &globals, name] {
    globals.work = [&app, name]() -> Status {
      if (name->empty()) {
        print_help(app, app.get_name());
        return ok();
      }
      const std::vector<const CLI::App*> verbs = commands_of(app);
      const auto asked = std::ranges::find(verbs, *name, &CLI::App::get_name);
      if (asked == verbs.end()) return fail(unknown_command(app, *name));
      print_help(**asked, app.get_name() + " " + *name);
      return ok();
    };
  });
}

}  // namespace mailstead::cli
