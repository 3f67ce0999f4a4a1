// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/program.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "reference/reference.hpp"
#include "spec/keys.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::cli {
namespace {

/// Long lines are hard to read, however wide the terminal is.
std::size_t text_width() {
  constexpr std::size_t kMost = 100;
  const std::size_t width = terminal_width(STDOUT_FILENO);
  return width == 0 ? kMost : std::min(width, kMost);
}

std::vector<const spec::Key*> all_keys() {
  std::vector<const spec::Key*> keys;
  std::ranges::transform(spec::kKeys, std::back_inserter(keys), [](const spec::Key& key) { return &key; });
  return keys;
}

Error unknown_key(const std::string& word) {
  std::vector<std::string> names = key_names();
  for (const spec::Key& key : spec::kKeys)
    if (spec::name_of(key) != "*") names.emplace_back(spec::name_of(key));
  return {ErrorKind::usage,
          fmt::format("there is no key {}{}", yaml::quote(word), yaml::did_you_mean(word, names)),
          {},
          fmt::format("`{}` lists the keys of a spec", own_command({"explain"})),
          {},
          {}};
}

Status explain(const std::string& word, bool json) {
  const std::vector<const spec::Key*> keys = word.empty() ? all_keys() : spec::find_keys(word);
  if (keys.empty()) return fail(unknown_key(word));
  if (json) {
    fmt::print("{}", reference::to_json(keys));
    return ok();
  }
  if (word.empty()) {
    fmt::print("{}", reference::key_tree(text_width()));
    return ok();
  }
  for (const spec::Key* key : keys)
    fmt::print("{}{}", key == keys.front() ? "" : "\n", reference::describe(*key, text_width()));
  return ok();
}

}  // namespace

std::vector<std::string> key_names() {
  std::vector<std::string> names;
  for (const spec::Key& key : spec::kKeys)
    if (spec::name_of(key) != "*") names.push_back(spec::typed(key.path));
  return names;
}

void add_explain(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand("explain", "describe a key of the spec, or list all of them");
  auto word = std::make_shared<std::string>();
  auto schema = std::make_shared<bool>(false);
  auto manual = std::make_shared<bool>(false);
  verb->add_option("KEY", *word, "the key, such as network.mtu, domains.dkim.selector or quota");
  verb->add_flag("--schema", *schema, "print a JSON schema of the spec, for editors");
  verb->add_flag("--man", *manual, "print the manual page mailstead.yaml(5) in roff");
  add_json_option(*verb, globals);
  verb->footer(examples({{"explain", "domains.dkim"}},
                        "`explain --man` prints the whole reference as a manual page."));
  verb->callback([&globals, word, schema, manual] {
    globals.work = [&globals, word, schema, manual]() -> Status {
      if (*manual) {
        fmt::print("{}", reference::to_manual_page(MAILSTEAD_VERSION));
        return ok();
      }
      if (!*schema) return explain(*word, globals.json);
      fmt::print("{}", reference::to_json_schema());
      return ok();
    };
  });
}

}  // namespace mailstead::cli
