// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "cli/command.hpp"

namespace mailstead::cli {
namespace {

/// The options of `app` as they are typed, those of `outer` included.
std::vector<std::string> options_of(const CLI::App& app, const CLI::App* outer = nullptr) {
  std::vector<std::string> names = option_names(app);
  if (outer != nullptr) std::ranges::copy(options_of(*outer), std::back_inserter(names));
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

/// What a checked option may be, from the {…} that CLI11 shows of it in the help; nothing if anything may be.
std::string choices_of(const CLI::Option& option) {
  const std::string shown = option.get_type_name();
  const std::size_t begin = shown.find('{');
  const std::size_t end = shown.find('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::string words = shown.substr(begin + 1, end - begin - 1);
  std::ranges::replace(words, ',', ' ');
  return words;
}

/// A bash function (bash(1), "Programmable Completion"): verbs, the options of the verb, choices, keys of the
/// spec; file names otherwise.
std::string make_bash(const CLI::App& app) {
  std::vector<std::string> verbs;
  std::string options;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    if (verb->get_group().empty()) continue;  // not for people
    verbs.push_back(verb->get_name());
    options +=
        fmt::format("      {}) words='{}' ;;\n", verb->get_name(), fmt::join(options_of(*verb, &app), " "));
  }
  const std::string arguments = fmt::format("      explain) words='{}' ;;\n", fmt::join(key_names(), " "));
  std::string choices;
  for (const CLI::Option* option : app.get_options())
    if (const std::string words = choices_of(*option); !words.empty())
      choices += fmt::format("    --{}) words='{}' ;;\n", fmt::join(option->get_lnames(), "|--"), words);
  return fmt::format(R"(_mailstead() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} verb='' word words=''
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in {}) verb=$word; break ;; esac
  done
  case $prev in
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

}  // namespace

void add_completion(CLI::App& app, Globals& globals) {
  CLI::App* verb =
      app.add_subcommand("completion", "print a script by which bash completes mailstead's words");
  verb->footer("Try it with: source <(mailstead completion)");
  verb->callback([&app, &globals] {
    globals.work = [&app]() -> Status {
      fmt::print("{}", make_bash(app));
      return ok();
    };
  });
}

}  // namespace mailstead::cli
