// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/redirects.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "text/ascii.hpp"

namespace mailstead::spec {
namespace {

/// Blocks within blocks; Dovecot takes 32.
constexpr int kDeepest = 64;

/// The words and signs of a script that matter here: names of commands and tests in lower case, and ; { }.
class Tokens {
 public:
  explicit Tokens(std::string_view script) : text_(script) {}

  /// Empty at the end.
  std::string next() {
    while (!text_.empty()) {
      const char c = text_.front();
      if (c == '#') {
        skip_behind("\n", 1);
      } else if (text_.starts_with("/*")) {
        skip_behind("*/", 2);
      } else if (c == '"') {
        skip_string();
      } else if (is_word(c) || c == ':') {
        std::string word = take_word();
        // A text on lines of its own, up to one with a dot.
        if (word == "text" && text_.starts_with(':'))
          take_lines();
        else if (word.front() != ':')
          return word;
      } else {
        text_.remove_prefix(1);
        if (c == ';' || c == '{' || c == '}') return std::string(1, c);
      }
    }
    return {};
  }

  /// The string that was last passed over.
  const std::string& last_string() const { return last_string_; }

 private:
  static bool is_word(char c) { return text::is_alphanumeric(c) || c == '_'; }

  void skip_behind(std::string_view end, std::size_t from) {
    const std::size_t at = text_.find(end, from);
    text_.remove_prefix(at == std::string_view::npos ? text_.size() : at + end.size());
  }

  void skip_string() {
    std::size_t at = 1;
    last_string_.clear();
    for (; at < text_.size() && text_[at] != '"'; ++at) {
      if (text_[at] == '\\') ++at;
      if (at < text_.size()) last_string_ += text_[at];
    }
    text_.remove_prefix(std::min(at + 1, text_.size()));
  }

  void take_lines() {
    last_string_.clear();
    skip_behind("\n", 0);
    while (!text_.empty()) {
      std::string_view line = text_.substr(0, text_.find('\n'));
      text_.remove_prefix(std::min(line.size() + 1, text_.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line == ".") return;
      if (line.starts_with('.')) line.remove_prefix(1);  // another one was put in front of it
      last_string_.append(line) += '\n';
    }
  }

  std::string take_word() {
    std::size_t size = 1;
    while (size < text_.size() && is_word(text_[size])) ++size;
    std::string word = text::lower(text_.substr(0, size));
    text_.remove_prefix(size);
    return word;
  }

  std::string_view text_;
  std::string last_string_;
};

/// What a message can meet in a block, at most.
struct Met {
  std::optional<std::size_t> beyond = 0;  ///< if it gets through it; nothing: it never does
  std::size_t within = 0;                 ///< wherever the script ends
};

class Counter {
 public:
  explicit Counter(std::string_view script) : tokens_(script) {}

  /// Up to the closing brace.
  Met block(int depth) {
    Met met;
    std::optional<std::size_t> before;     // the if whose alternatives follow
    std::optional<std::size_t> any_taken;  // beyond that if and those of its alternatives that were read
    std::string command;
    for (std::string token = tokens_.next(); !token.empty() && token != "}"; token = tokens_.next()) {
      if (token == ";") {
        if (command == "redirect" && met.beyond) met.within = std::max(met.within, ++*met.beyond);
        if (command == "stop") met.beyond.reset();
        command.clear();
      } else if (token == "{") {
        const bool alternative = command == "elsif" || command == "else";
        if (!alternative) {
          before = met.beyond;
          any_taken.reset();
        }
        const Met inner = depth < kDeepest ? block(depth + 1) : Met{};
        if (before) {
          met.within = std::max(met.within, *before + inner.within);
          if (inner.beyond) any_taken = std::max(any_taken.value_or(0), *before + *inner.beyond);
        }
        // Without an else, none of them may be taken.
        met.beyond = command == "else" || !before ? any_taken : std::max(any_taken.value_or(0), *before);
        command.clear();
      } else if (command.empty()) {
        command = token;
      }
    }
    return met;
  }

 private:
  Tokens tokens_;
};

/// What is in angle brackets, if there are any, without quotes, comments and blanks.
std::string address_in(std::string_view mailbox) {
  std::string address;
  bool quoted = false;
  int comments = 0;
  for (std::size_t at = 0; at < mailbox.size(); ++at) {
    const char c = mailbox[at];
    if (c == '\\' && (quoted || comments > 0)) {
      if (++at < mailbox.size() && quoted) address += mailbox[at];
    } else if (c == '"' && comments == 0) {
      quoted = !quoted;
    } else if (quoted) {
      address += c;
    } else if (c == '(') {
      ++comments;
    } else if (c == ')' && comments > 0) {
      --comments;
    } else if (comments > 0 || c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      continue;
    } else if (c == '<') {
      address.clear();
    } else if (c == '>') {
      break;
    } else {
      address += c;
    }
  }
  return address;
}

}  // namespace

std::vector<std::string> redirect_targets(std::string_view script) {
  Tokens tokens(script);
  std::vector<std::string> targets;
  std::string command;
  std::string token = tokens.next();
  for (; !token.empty() && targets.size() < kMostRedirects; token = tokens.next()) {
    const bool ends = token == ";" || token == "{" || token == "}";
    if (token == ";" && command == "redirect") targets.push_back(address_in(tokens.last_string()));
    if (ends) command.clear();
    if (!ends && command.empty()) command = std::move(token);
  }
  return targets;
}

std::size_t most_redirects(std::string_view script) {
  return Counter(script).block(0).within;
}

}  // namespace mailstead::spec
