// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/text.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/printable.hpp"
#include "text/base64.hpp"
#include "text/size.hpp"

namespace mailstead::mailtest {
namespace {

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("_.-+:@").find(c) != std::string_view::npos;
}

/// With any expression, RE2 needs time linear in the text, and bounded memory.
Result<std::unique_ptr<re2::RE2>> compile(const std::string& expression) {
  re2::RE2::Options options(re2::RE2::Latin1);  // bytes: a server's text need not be UTF-8
  options.set_longest_match(true);
  options.set_log_errors(false);
  auto regex = std::make_unique<re2::RE2>("(?m)" + expression, options);
  if (!regex->ok()) return fail(ErrorKind::usage, "not a regular expression: " + regex->error());
  return regex;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<bool> regex_search(const std::string& expression, const std::string& text, Variables& captures) {
  TRY(const auto regex, compile(expression));
  std::vector<std::string> groups(static_cast<std::size_t>(regex->NumberOfCapturingGroups()));
  std::vector<re2::RE2::Arg> arguments;
  std::vector<const re2::RE2::Arg*> pointers;
  arguments.reserve(groups.size());
  pointers.reserve(groups.size());
  for (std::string& group : groups) pointers.push_back(&arguments.emplace_back(&group));
  if (!re2::RE2::PartialMatchN(text, *regex, pointers.data(), static_cast<int>(pointers.size())))
    return false;
  for (const auto& [name, number] : regex->NamedCapturingGroups())
    captures[name] = groups.at(static_cast<std::size_t>(number) - 1);
  return true;
}

Status check_regex(const std::string& expression) {
  std::string plain;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const std::size_t end = expression.compare(i, 2, "${") == 0 ? expression.find('}', i) : std::string::npos;
    if (end == std::string::npos) {
      plain += expression[i];
    } else {
      plain += 'x';
      i = end;
    }
  }
  TRY(const auto regex, compile(plain));
  return ok();
}

Result<std::string> expand(std::string_view text, const Variables& variables) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) != "${") {
      result += text[i];
      continue;
    }
    // The brace that closes this one; ${base64:…} may hold others.
    std::size_t end = i + 2;
    for (int depth = 1; end < text.size(); ++end) {
      if (text[end] == '{' && text[end - 1] == '$') ++depth;
      if (text[end] == '}' && --depth == 0) break;
    }
    if (end >= text.size()) return fail(ErrorKind::usage, "'${' without '}'");
    const std::string_view inside = text.substr(i + 2, end - i - 2);
    i = end;
    if (inside.substr(0, 7) == "base64:") {
      TRY(const std::string raw, unescape(inside.substr(7)));
      if (raw.find("${base64:") != std::string::npos)
        return fail(ErrorKind::usage, "${base64:…} cannot hold another");
      TRY(const std::string value, expand(raw, variables));
      result += text::to_base64(value);
      continue;
    }
    const bool length = inside.substr(0, 7) == "length:";
    std::string name(length ? inside.substr(7) : inside);
    if (name.find("${") != std::string::npos) {
      TRY(name, expand(name, variables));
    } else if (!std::ranges::all_of(name, is_name_character)) {
      return fail(ErrorKind::usage, "'" + name + "' is not a variable's name");
    }
    const auto found = variables.find(name);
    if (found == variables.end()) return fail(ErrorKind::usage, "the variable '" + name + "' has no value");
    result += length ? std::to_string(found->second.size()) : found->second;
  }
  return result;
}

Result<std::string> unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
      continue;
    }
    const char kind = ++i < text.size() ? text[i] : ' ';
    unsigned value = 0;
    switch (kind) {
      case 'r':
        result += '\r';
        break;
      case 'n':
        result += '\n';
        break;
      case 't':
        result += '\t';
        break;
      case '0':
        result += '\0';
        break;
      case '\\':
        result += '\\';
        break;
      case '"':
        result += '"';
        break;
      case 'x':
        if (i + 2 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
          result += static_cast<char>(value);
          i += 2;
          break;
        }
        [[fallthrough]];
      default:
        return fail(ErrorKind::usage, "bad escape; known are \\r \\n \\t \\0 \\\\ \\\" and \\xHH");
    }
  }
  return result;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || number > 86'400'000) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const long long factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
  if (factor == 0 || number * factor > 86'400'000) return std::nullopt;
  return std::chrono::milliseconds(number * factor);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::uint64_t kMost = 1024ull << 30;
  const auto size = text::parse_size(text);
  const bool has_unit = text.ends_with('M') || text.ends_with('G');
  if (!has_unit || !size || *size == 0 || *size > kMost) return std::nullopt;
  return *size;
}

std::optional<std::uint64_t> parse_place(std::string_view text) {
  std::uint64_t place = 0;
  while (true) {
    const std::string_view part = text.substr(0, text.find('+'));
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), bytes);
    if (error == std::errc{} && end == part.data() + part.size() && bytes < (1ull << 50))
      place += bytes;
    else if (const auto size = parse_size(part))
      place += *size;
    else
      return std::nullopt;
    if (part.size() == text.size()) return place;
    text.remove_prefix(part.size() + 1);
  }
}

std::string to_crlf(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) result += '\r';
    result += text[i];
  }
  if (!result.empty() && result.back() != '\n') result += "\r\n";
  return result;
}

std::string dot_stuff(std::string_view crlf_text) {
  std::string result;
  bool at_start = true;
  for (const char c : crlf_text) {
    if (at_start && c == '.') result += '.';
    result += c;
    at_start = c == '\n';
  }
  return result + ".\r\n";
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string result;
  std::string_view rest = text.substr(0, limit);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    result += mailstead::printable(rest.substr(0, end));
    if (end < rest.size()) result += rest[end] == '\r' ? "\\r" : "\\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (text.size() > limit) result += "…";
  return result;
}

}  // namespace mailstead::mailtest
