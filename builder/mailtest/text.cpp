// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/text.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <regex.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace mailstead::mailtest {
namespace {

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("_.-+:@").find(c) != std::string_view::npos;
}

struct NamedExpression {
  std::string posix;  ///< without the names
  std::vector<std::pair<std::size_t, std::string>>
      names;  ///< number of the group, counted from 1, and its name
};

// POSIX knows no named groups: takes the names out and remembers which group each stood for.
Result<NamedExpression> take_names(const std::string& expression) {
  NamedExpression result;
  std::size_t group = 0;
  bool in_set = false;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    result.posix += c;
    if (c == '\\' && !in_set && i + 1 < expression.size()) {
      result.posix += expression[++i];
    } else if (c == '[' && !in_set) {
      in_set = true;
      // "]" right after "[" or "[^" is a member of the set.
      if (i + 1 < expression.size() && expression[i + 1] == '^') result.posix += expression[++i];
      if (i + 1 < expression.size() && expression[i + 1] == ']') result.posix += expression[++i];
    } else if (c == ']') {
      in_set = false;
    } else if (c == '(' && !in_set) {
      ++group;
      if (expression.compare(i + 1, 2, "?<") != 0) continue;
      const std::size_t end = expression.find('>', i);
      if (end == std::string::npos || end == i + 3)
        return fail(ErrorKind::usage, "a group's name is written (?<name>…)");
      result.names.emplace_back(group, expression.substr(i + 3, end - i - 3));
      i = end;
    }
  }
  return result;
}

struct RegexFree {
  void operator()(regex_t* regex) const {
    ::regfree(regex);
    delete regex;
  }
};
using Regex = std::unique_ptr<regex_t, RegexFree>;

/// The end of the set (bracket expression) that begins at `i`: the place of its ']', or of the last
/// character.
std::size_t end_of_set(std::string_view expression, std::size_t i) {
  std::size_t at = i + 1;
  if (at < expression.size() && expression[at] == '^') ++at;
  if (at < expression.size() && expression[at] == ']') ++at;  // the first one stands for itself
  for (; at < expression.size() && expression[at] != ']'; ++at) {
    if (expression[at] != '[' || at + 1 >= expression.size()) continue;
    const char kind = expression[at + 1];  // "[:digit:]" and its kin hold a ']' of their own
    if (kind != ':' && kind != '.' && kind != '=') continue;
    const std::size_t close = expression.find(std::string{kind, ']'}, at + 2);
    if (close != std::string_view::npos) at = close + 1;
  }
  return std::min(at, expression.size() - 1);
}

/// How many nodes glibc makes of an expression, roughly: it copies what stands before '+' and '{n,m}', so
/// that repetitions of repetitions multiply. No more than a little above `most`.
std::size_t expanded_size(std::string_view expression, std::size_t most) {
  struct Group {
    std::size_t all = 0;
    std::size_t last = 0;  ///< of `all`, what a repetition would repeat
  };
  std::vector<Group> open(1);
  const auto add = [&open](std::size_t size) {
    open.back().all += size;
    open.back().last = size;
  };
  for (std::size_t i = 0; i < expression.size(); ++i) {
    std::size_t times = 1;
    switch (expression[i]) {
      case '\\':
        ++i;
        add(1);
        break;
      case '[':
        i = end_of_set(expression, i);
        add(1);
        break;
      case '(':
        open.emplace_back();
        break;
      case ')':
        if (open.size() > 1) {
          const std::size_t size = open.back().all + 1;
          open.pop_back();
          add(size);
        }
        break;
      case '+':
        times = 2;
        break;
      case '{':
        // The larger of two counts is the last one; "{3,}" is three and a star.
        for (std::size_t count = 0; i + 1 < expression.size() && expression[i] != '}'; ++i) {
          const char c = expression[i + 1];
          count = c >= '0' && c <= '9' ? std::min(count * 10 + static_cast<std::size_t>(c - '0'), most) : 0;
          times = std::max(times, count + 1);
        }
        break;
      default:
        add(1);
    }
    Group& group = open.back();
    group.all += group.last * (times - 1);
    group.last *= times;
    if (group.all > most) return group.all;
  }
  std::size_t size = 0;
  for (const Group& group : open) size += group.all;
  return size;
}

Result<Regex> compile(const std::string& expression) {
  // These limits keep a file from eating the memory: a node takes about a hundred bytes.
  constexpr std::size_t kMostNodes = 20'000;
  if (expression.size() > 1000) return fail(ErrorKind::usage, "the regular expression is too long");
  if (expanded_size(expression, kMostNodes) > kMostNodes)
    return fail(ErrorKind::usage, "the repetitions in the regular expression multiply to too much");
  auto raw = std::make_unique<regex_t>();
  if (const int code = ::regcomp(raw.get(), expression.c_str(), REG_EXTENDED | REG_NEWLINE); code != 0) {
    char text[200];
    ::regerror(code, raw.get(), text, sizeof text);
    return fail(ErrorKind::usage, std::string("not a regular expression: ") + text);
  }
  return Regex(raw.release());
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
  TRY(const NamedExpression named, take_names(expression));
  TRY(const Regex regex, compile(named.posix));
  std::vector<regmatch_t> groups(regex->re_nsub + 1);
  // NUL would end the C string early; replies hold none, messages may.
  std::string subject = text;
  for (char& c : subject)
    if (c == '\0') c = ' ';
  if (::regexec(regex.get(), subject.c_str(), groups.size(), groups.data(), 0) != 0) return false;
  for (const auto& [number, name] : named.names) {
    const regmatch_t& group = groups.at(number);
    captures[name] = group.rm_so < 0 ? ""
                                     : subject.substr(static_cast<std::size_t>(group.rm_so),
                                                      static_cast<std::size_t>(group.rm_eo - group.rm_so));
  }
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
  TRY(const NamedExpression named, take_names(plain));
  TRY(const Regex regex, compile(named.posix));
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
      result += base64(value);
      continue;
    }
    const bool length = inside.substr(0, 7) == "length:";
    const std::string name(length ? inside.substr(7) : inside);
    for (const char c : name)
      if (!is_name_character(c)) return fail(ErrorKind::usage, "'" + name + "' is not a variable's name");
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
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::uint64_t factor = unit == "M" ? 1u << 20 : unit == "G" ? 1u << 30 : 0;
  if (error != std::errc{} || factor == 0 || number == 0 || number > (1024ull << 30) / factor)
    return std::nullopt;
  return number * factor;
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

std::string base64(std::string_view bytes) {
  std::string result(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  result.resize(static_cast<std::size_t>(length));
  return result;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (c != ' ' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string result;
  for (const char c : text.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r')
      result += "\\r";
    else if (c == '\n')
      result += "\\n";
    else if (byte < 0x20 || byte == 0x7f)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += c;
  }
  if (text.size() > limit) result += "…";
  return result;
}

}  // namespace mailstead::mailtest
