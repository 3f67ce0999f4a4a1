// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "reference/reference.hpp"

namespace mailstead::reference {
namespace {

using spec::Key;
using spec::Many;
using spec::Type;

/// `text` behind `head`, broken between words; later lines begin with `indent` spaces.
std::string wrapped(std::string head, std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::string line = std::move(head);
  std::size_t begin = line.size();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.size() > begin && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line.assign(indent, ' ');
      begin = indent;
    }
    if (line.size() > begin) line += ' ';
    line += word;
  }
  return out + line + "\n";
}

/// The keys below `path` with their sentences, `column` columns from the left, with all that is below them.
std::string branch(std::string_view path, std::size_t indent, std::size_t column, std::size_t width) {
  std::string out;
  for (const Key* key : spec::keys_in(path)) {
    const std::string_view name = spec::name_of(*key) == "*" ? key->name : spec::name_of(*key);
    std::string head(indent, ' ');
    head += name;
    head.resize(std::max(head.size() + 2, column), ' ');
    out += wrapped(head, key->says, column, width);
    out += branch(key->path, indent + 2, column, width);
  }
  return out;
}

}  // namespace

std::string type_text(const Key& key) {
  std::string text;
  const bool list = key.many != Many::one;
  if (key.type == Type::choice)
    text = fmt::format("{}{}", list ? "list of " : "", spec::choices_text(key));
  else if (key.type == Type::section && list)
    text = "map, or list of maps";
  else
    text = fmt::format("{}{}", list ? "list of " : "", type_name(key.type, list));
  if (const std::string bounds = spec::bounds_text(key); !bounds.empty()) text += ", " + bounds;
  return text;
}

std::string default_text(const Key& key) {
  return std::string(key.fallback.empty() ? key.otherwise : key.fallback);
}

std::string key_tree(std::size_t width) {
  return branch("", 0, 26, width);
}

std::string describe(const Key& key, std::size_t width) {
  std::string out = fmt::format("{}\n", key.path);
  out += wrapped("  ", key.says, 2, width);
  const std::string type =
      key.bounds_note.empty() ? type_text(key) : fmt::format("{} ({})", type_text(key), key.bounds_note);
  out += wrapped("  Type:     ", type, 12, width);
  if (const std::string_view note = type_note(key.type); !note.empty())
    out += wrapped("  Written:  ", note, 12, width);
  if (key.required)
    out += "  Required.\n";
  else if (const std::string text = default_text(key); !text.empty())
    out += wrapped("  Default:  ", text, 12, width);
  out += "\n";
  const std::string example = spec::example_text(key);
  for (std::size_t begin = 0; begin < example.size();) {
    const std::size_t end = example.find('\n', begin);
    out += fmt::format("    {}\n", std::string_view(example).substr(begin, end - begin));
    begin = end + 1;
  }
  if (const std::string below = branch(key.path, 2, 28, width); !below.empty()) out += "\n" + below;
  return out;
}

}  // namespace mailstead::reference
