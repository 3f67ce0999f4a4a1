// SPDX-License-Identifier: GPL-3.0-or-later
// What went wrong where a file is no YAML, in words for somebody who wrote it by hand.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "yaml/tree.hpp"

namespace mailstead::yaml {
namespace {

constexpr const char* kOpenQuote = "the closing quote is missing";

/// The first quote from `from` on that opens a text and is never closed; yaml-cpp knows only that the file
/// ended.
std::size_t unclosed_quote(std::string_view text, std::size_t from) {
  for (std::size_t i = from; i < text.size(); ++i) {
    const bool opens = i == 0 || std::string_view(" \t\n[{,:").find(text[i - 1]) != std::string_view::npos;
    if (!opens || (text[i] != '"' && text[i] != '\'')) continue;
    const std::size_t end = end_of_quotes(text, i);
    if (end == std::string_view::npos) return i;
    i = end - 1;
  }
  return text.size();
}

/// A tab that indents the line of `at` or the one before it. Versions of yaml-cpp differ in what they make of
/// it.
std::optional<std::size_t> tab_in_indentation(std::string_view text, std::size_t at) {
  std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  for (int i = 0; i < 2; ++i) {
    const std::size_t first = text.find_first_not_of(' ', line);
    if (first != std::string_view::npos && text[first] == '\t') return first;
    line = line < 2 ? 0 : text.rfind('\n', line - 2) + 1;
  }
  return std::nullopt;
}

/// An entry without a space after its colon in the line of `at` or in the last one before it that is not
/// empty or a comment: yaml-cpp takes it for a text that goes on, and complains about what comes next. The
/// offset of the colon.
std::optional<std::pair<std::size_t, Joined>> joined_entry_near(std::string_view text, std::size_t at) {
  std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  for (int looked_at = 0; looked_at < 2;) {
    std::string_view words = text.substr(line, text.find('\n', line) - line);
    const std::size_t indent = std::min(words.find_first_not_of(" -"), words.size());
    words.remove_prefix(indent);
    const bool empty = words.empty() || words.starts_with('#');
    if (const auto joined = joined_entry(words))
      return std::pair(line + indent + joined->key.size(), *joined);
    if (!empty) ++looked_at;
    if (line < 2) break;
    line = text.rfind('\n', line - 2) + 1;
  }
  return std::nullopt;
}

/// What yaml-cpp's messages mean to somebody who wrote a file by hand.
std::pair<std::string, std::string> translate(const std::string& message) {
  struct Explanation {
    std::string_view from, message, hint;
  };
  static constexpr std::array kExplanations{
      Explanation{"end of map not found", "this does not continue the map above it",
                  "check the indentation, and that there is a space after each ':'"},
      Explanation{"end of map flow not found", "a '}' or ',' is missing", ""},
      Explanation{"end of sequence not found", "this does not continue the list above it",
                  "check the indentation, and that each item begins with '- '"},
      Explanation{"end of sequence flow not found", "a ']' or ',' is missing", ""},
      Explanation{"illegal tab when looking for indentation", "a tab in the indentation",
                  "indent with spaces"},
      Explanation{"illegal EOF in scalar", kOpenQuote, ""},
      Explanation{"illegal document indicator in scalar", kOpenQuote, ""},
      Explanation{"illegal map value", "a ':' where no value can be",
                  "check the indentation and the line above, or put quotes around a text that holds ': '"},
      Explanation{"illegal block entry", "a '- ' where no list can be",
                  "begin the list in a line of its own"},
      Explanation{"illegal map key", "a '? ' where no key can be", ""},
      Explanation{"illegal flow end", "a closing bracket without an opening one", ""},
      Explanation{"unknown token", "no value can begin with this character", "put quotes around the text"},
      Explanation{"unknown escape character: ", "an unknown escape in a text in double quotes",
                  "use single quotes, or '\\\\' for a backslash"},
      Explanation{"bad character found while scanning hex number", "an escape that is not hexadecimal", ""},
      Explanation{"invalid unicode: ", "an escape that names no character", ""},
      Explanation{"the referenced anchor is not defined", "the alias names no anchor",
                  "put quotes around a text that begins with '*'"},
  };
  for (const Explanation& entry : kExplanations) {
    if (message.starts_with(entry.from)) return {std::string(entry.message), std::string(entry.hint)};
  }
  return {fmt::format("this is not valid YAML ({})", message), {}};
}

}  // namespace

std::size_t end_of_quotes(std::string_view text, std::size_t at) {
  const char quote_mark = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote_mark == '"') {
      ++i;
    } else if (text[i] == quote_mark) {
      if (quote_mark == '"' || i + 1 == text.size() || text[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return std::string_view::npos;
}

std::optional<Joined> joined_entry(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 >= text.size()) return std::nullopt;
  const Joined joined{text.substr(0, colon), text.substr(colon + 1)};
  const bool letter =
      (joined.key[0] >= 'a' && joined.key[0] <= 'z') || (joined.key[0] >= 'A' && joined.key[0] <= 'Z');
  const bool plain = std::all_of(joined.key.begin(), joined.key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.-@+").find(c) != std::string_view::npos;
  });
  if (!letter || !plain || std::string_view(" \t:").find(joined.value[0]) != std::string_view::npos ||
      joined.value.starts_with("//"))
    return std::nullopt;
  return joined;
}

std::pair<std::string, std::string> joined_fault(const Joined& joined) {
  const bool secret = looks_secret(joined.key) || joined.key.find('@') != std::string_view::npos;
  std::string value(joined.value.substr(0, joined.value.find_first_of("\r\n")));
  return {fmt::format("there is no space after the colon of {}", quote(joined.key)),
          secret ? fmt::format("write '{}: ' in front of the value", joined.key)
                 : fmt::format("write {}: {}", joined.key, value)};
}

Fault open_quote(std::size_t at) {
  return {at, kOpenQuote, {}};
}

Fault explain(const std::string& message, std::size_t at, std::string_view text, std::size_t read) {
  auto [words, hint] = translate(message);
  at = std::min(at, text.size());
  if (words == kOpenQuote) return open_quote(unclosed_quote(text, read));
  if (const auto tab = tab_in_indentation(text, at))
    return {*tab, "a tab in the indentation", "indent with spaces"};
  if (const auto joined = joined_entry_near(text, at)) {
    auto [what, remedy] = joined_fault(joined->second);
    return {joined->first, std::move(what), std::move(remedy)};
  }
  return {at, std::move(words), std::move(hint)};
}

}  // namespace mailstead::yaml
