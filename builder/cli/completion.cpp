// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "cli/command.hpp"

namespace mailstead::cli {
namespace {

constexpr const char* kShells = "bash fish zsh";

/// The options of `app` as they are typed, those of `outer` included.
std::vector<std::string> options_of(const CLI::App& app, const CLI::App* outer = nullptr) {
  std::vector<std::string> names = option_names(app);
  if (outer != nullptr) std::ranges::copy(options_of(*outer), std::back_inserter(names));
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

/// Cases that offer the choices of an option behind it; `verb` is a pattern for the command before it.
std::string bash_choices(const CLI::App& app, std::string_view verb) {
  std::string cases;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    const std::string words = choices_of(*option);
    if (words.empty()) continue;
    for (const std::string& name : option->get_lnames())
      cases += fmt::format("    {}--{}) words='{}' ;;\n", verb, name, words);
  }
  return cases;
}

/// A bash function (bash(1), "Programmable Completion"): verbs, the options of the verb, choices, keys of the
/// spec; file names otherwise.
std::string make_bash(const CLI::App& app) {
  std::vector<std::string> verbs;
  std::string options;
  for (const CLI::App* verb : commands_of(app)) {
    verbs.push_back(verb->get_name());
    options +=
        fmt::format("      {}) words='{}' ;;\n", verb->get_name(), fmt::join(options_of(*verb, &app), " "));
  }
  const std::string arguments = fmt::format(
      "      explain) words='{}' ;;\n      help) words='{}' ;;\n      completion) words='{}' ;;\n",
      fmt::join(key_names(), " "), fmt::join(verbs, " "), kShells);
  std::string choices = bash_choices(app, "*");
  for (const CLI::App* verb : commands_of(app)) choices += bash_choices(*verb, verb->get_name());
  return fmt::format(R"(_mailstead() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} verb='' word words=''
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in {}) verb=$word; break ;; esac
  done
  case $verb$prev in
{}  esac
  if [[ -z $words && $cur == -* ]]; then
    case $verb in
{}      *) words='{}' ;;
    esac
  elif [[ -z $words && -z $verb ]]; then
    words='{}'
  elif [[ -z $words ]]; then
    case $verb in
{}    esac
  fi
  # Nothing offered: file names.
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _mailstead mailstead
)",
                     fmt::join(verbs, "|"), choices, options, fmt::join(options_of(app), " "),
                     fmt::join(verbs, " "), arguments);
}

/// Those of `verb`, then those of the program, that people use.
std::vector<const CLI::Option*> all_options(const CLI::App& verb, const CLI::App& app) {
  std::vector<const CLI::Option*> options;
  for (const CLI::App* source : {&verb, &app})
    for (const CLI::Option* option : source->get_options())
      if (!option->get_positional() && (source == &verb || option != app.get_help_ptr()))
        options.push_back(option);
  return options;
}

/// `text` between single quotes, with a backslash before each of `special`.
std::string in_quotes(std::string_view text, std::string_view special, std::string_view quote) {
  std::string out = "'";
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    if (c == '\'')
      out += quote;
    else
      out += c;
  }
  return out + "'";
}

/// An argument of _arguments (zshcompsys(1)).
std::string zsh_option(const CLI::Option& option) {
  std::vector<std::string> names;
  const bool has_value = option.get_items_expected_max() > 0;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name + (has_value ? "=" : ""));
  std::string text = option.get_description();
  std::string description;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') description += '\\';
    description += c;
  }
  std::string rest = fmt::format("[{}]", description);
  if (has_value) {
    const std::string words = choices_of(option);
    rest += words.empty() ? ":value:_files" : fmt::format(":value:({})", words);
  }
  std::string out;
  for (const std::string& name : names)
    out += fmt::format(" \\\n        {}", in_quotes("*" + name + rest, "", "'\\''"));
  return out;
}

/// What stands in the place of the arguments of a verb; nothing for files.
std::string words_for(const CLI::App& verb, const CLI::App& app) {
  if (verb.get_name() == "explain") return fmt::format("{}", fmt::join(key_names(), " "));
  if (verb.get_name() == "completion") return kShells;
  if (verb.get_name() != "help") return {};
  std::string words;
  for (const CLI::App* other : commands_of(app)) words += (words.empty() ? "" : " ") + other->get_name();
  return words;
}

/// A function for zsh(1), to be read or to lie in $fpath (zshcompsys(1)).
std::string make_zsh(const CLI::App& app) {
  std::string commands;
  std::string verbs;
  for (const CLI::App* verb : commands_of(app)) {
    commands += fmt::format(
        "    {}\n", in_quotes(fmt::format("{}:{}", verb->get_name(), verb->get_description()), "", "'\\''"));
    const std::string words = words_for(*verb, app);
    std::string options;
    for (const CLI::Option* option : all_options(*verb, app)) options += zsh_option(*option);
    verbs += fmt::format("    {})\n      _arguments{} \\\n        '*:argument:{}' ;;\n", verb->get_name(),
                         options, words.empty() ? "_files" : fmt::format("({})", words));
  }
  std::string options;
  for (const CLI::Option* option : app.get_options()) options += zsh_option(*option);
  return fmt::format(R"(#compdef mailstead
_mailstead() {{
  local curcontext=$curcontext state line
  local -a commands
  commands=(
{}  )
  _arguments -C{} \
        '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands; return ;;
    argument) ;;
    *) return ;;
  esac
  case $words[1] in
{}  esac
}}
if [[ $funcstack[1] == _mailstead ]]; then
  _mailstead "$@"
else
  compdef _mailstead mailstead
fi
)",
                     commands, options, verbs);
}

std::string fish_option(const CLI::Option& option, const std::string& condition) {
  std::string out = fmt::format("complete -c mailstead{}", condition);
  for (const std::string& name : option.get_snames()) out += " -s " + name;
  for (const std::string& name : option.get_lnames()) out += " -l " + name;
  if (option.get_items_expected_max() > 0) {
    const std::string words = choices_of(option);
    out += words.empty() ? " -r" : fmt::format(" -x -a '{}'", words);
  }
  return fmt::format("{} -d {}\n", out, in_quotes(option.get_description(), "\\'", "'"));
}

/// Commands for fish(1): complete(1).
std::string make_fish(const CLI::App& app) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : commands_of(app)) verbs.push_back(verb->get_name());
  const std::string any = fmt::format("{}", fmt::join(verbs, " "));
  // Not __fish_use_subcommand, which takes the value of a global option for a command.
  const std::string first = fmt::format(" -n 'not __fish_seen_subcommand_from {}'", any);
  std::string out;
  for (const CLI::Option* option : app.get_options()) out += fish_option(*option, "");
  for (const CLI::App* verb : commands_of(app)) {
    out += fmt::format("complete -c mailstead{} -f -a {} -d {}\n", first, verb->get_name(),
                       in_quotes(verb->get_description(), "\\'", "'"));
    const std::string condition = fmt::format(" -n '__fish_seen_subcommand_from {}'", verb->get_name());
    for (const CLI::Option* option : verb->get_options())
      if (!option->get_positional() && option != verb->get_help_ptr()) out += fish_option(*option, condition);
    if (const std::string words = words_for(*verb, app); !words.empty())
      out += fmt::format("complete -c mailstead{} -f -a '{}'\n", condition, words);
  }
  return out;
}

}  // namespace

void add_completion(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand("completion", "print a completion script for a shell");
  auto shell = std::make_shared<std::string>("bash");
  verb->add_option("SHELL", *shell, "bash (default), fish or zsh")
      ->check(CLI::IsMember({"bash", "fish", "zsh"}));
  verb->footer(
      "Examples:\n"
      "  source <(mailstead completion)\n"
      "  mailstead completion fish >~/.config/fish/completions/mailstead.fish");
  verb->callback([&app, &globals, shell] {
    globals.work = [&app, shell]() -> Status {
      fmt::print("{}", *shell == "zsh" ? make_zsh(app) : *shell == "fish" ? make_fish(app) : make_bash(app));
      return ok();
    };
  });
}

}  // namespace mailstead::cli
