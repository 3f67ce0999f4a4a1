// SPDX-License-Identifier: GPL-3.0-or-later
// What --help and `mailstead help` print.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/program.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/manual.hpp"

namespace mailstead::cli {
namespace {

/// Where descriptions begin (CLI::FormatterBase::column_width_). On a narrow terminal, on a line of their
/// own.
constexpr std::size_t kColumn = 30;
constexpr std::size_t kNarrow = 60;
constexpr std::size_t kNarrowColumn = 4;

/// A line of a list of options or commands continues where its description begins; any other at its left.
std::size_t indent_of(std::string_view line, std::size_t column) {
  const bool in_list =
      line.size() > column && line.starts_with("  ") && line[column - 1] == ' ' && line[column] != ' ';
  return in_list ? column : std::min(line.find_first_not_of(' '), line.size());
}

/// Examples are to be copied: their lines are not broken.
std::string wrap_help(std::string_view text, std::size_t width, std::size_t column) {
  std::string out;
  bool example = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    example = line.starts_with("Example") || (example && line.starts_with("  "));
    out += (example ? std::string(line) : wrap_line(line, width, indent_of(line, column))) + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// The options that every command has.
std::string common_options(const CLI::App& app) {
  std::string names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0) continue;  // --help, --version
    names += fmt::format("{}--{}", names.empty() ? "" : ", ", option->get_lnames().front());
  }
  return fmt::format("\nCommon options: {} (`{}` describes them)\n", names, own_command({"help"}));
}

}  // namespace

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  std::vector<const CLI::App*> verbs = app.get_subcommands(nullptr);
  std::erase_if(verbs, [](const CLI::App* verb) { return verb->get_group().empty(); });
  return verbs;
}

std::string examples(std::initializer_list<std::vector<std::string>> commands, std::string_view more) {
  std::string text = commands.size() == 1 ? "Example:" : "Examples:";
  for (const std::vector<std::string>& words : commands) text += "\n  " + own_command(words);
  return more.empty() ? text : fmt::format("{}\n\n{}", text, more);
}

void print_help(const CLI::App& app, const CLI::App* verb) {
  const CLI::App& subject = verb == nullptr ? app : *verb;
  const std::string name = verb == nullptr ? app.get_name() : app.get_name() + " " + verb->get_name();
  // Not CLI::App::help, which describes the command that was given.
  constexpr std::size_t kUsual = 80;
  const std::size_t known = terminal_width(STDOUT_FILENO);
  const std::size_t width = known == 0 ? kUsual : known;
  const std::size_t column = width < kNarrow ? kNarrowColumn : kColumn;
  const auto formatter = subject.get_formatter();
  formatter->column_width(column);
  const std::string text = formatter->make_help(&subject, name, CLI::AppFormatMode::Normal);
  const std::string common = verb == nullptr ? "" : common_options(app);
  fmt::print("{}", wrap_help(text + common, width, column));
}

void add_help(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand("help", "describe a command, or list all commands");
  auto name = std::make_shared<std::string>();
  auto manual = std::make_shared<bool>(false);
  auto* command = verb->add_option("COMMAND", *name, "the command to describe");
  verb->add_flag("--man", *manual, "print the manual page mailstead(1) in roff")->excludes(command);
  verb->footer(examples({{"help", "build"}}));
  verb->callback([&app, &globals, name, manual] {
    globals.work = [&app, name, manual]() -> Status {
      if (*manual) {
        fmt::print("{}", manual_page(app));
        return ok();
      }
      if (name->empty()) {
        print_help(app, nullptr);
        return ok();
      }
      const std::vector<const CLI::App*> verbs = commands_of(app);
      const auto asked = std::ranges::find(verbs, *name, &CLI::App::get_name);
      if (asked == verbs.end()) return fail(unknown_command(app, *name));
      print_help(app, *asked);
      return ok();
    };
  });
}

}  // namespace mailstead::cli
