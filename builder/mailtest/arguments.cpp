// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/arguments.hpp"

#include <algorithm>
#include <charconv>

#include "mailtest/fragment.hpp"
#include "mailtest/text.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

constexpr std::string_view kBlanks = " \t";

bool is_port(std::string_view word) {
  if (word.find("${") != std::string_view::npos) return true;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
  return error == std::errc{} && end == word.data() + word.size() && port >= 1 && port <= 65535;
}

bool is_assignment(const std::string& word) {
  const std::size_t equals = word.find('=');
  return equals != std::string::npos && equals > 0;
}

}  // namespace

std::string_view Arguments::next_word() const {
  const std::string_view rest = std::string_view(line_).substr(at_);
  const std::size_t begin = std::min(rest.find_first_not_of(kBlanks), rest.size());
  return rest.substr(begin, rest.find_first_of(kBlanks, begin) - begin);
}

bool Arguments::at_end() const {
  return next_word().empty();
}

bool Arguments::at_text() const {
  return next_word().starts_with("<<");
}

bool Arguments::has(std::string_view word) {
  if (next_word() != word) return false;
  (void)plain_word();
  return true;
}

Arguments& Arguments::after(std::string_view word) {
  if (!has(word)) refuse();
  return *this;
}

std::string Arguments::plain_word() {
  const std::string_view word = next_word();
  if (word.empty()) refuse();
  at_ = static_cast<std::size_t>(word.data() + word.size() - line_.data());
  return std::string(word);
}

std::vector<std::string> Arguments::plain_words() {
  std::vector<std::string> words{plain_word()};
  while (!at_end()) words.push_back(plain_word());
  return words;
}

std::vector<std::string> Arguments::words_before(std::string_view end) {
  std::vector<std::string> words;
  while (!at_end() && next_word() != end) words.push_back(new_variable());
  if (words.empty()) refuse();
  after(end);
  return words;
}

Text Arguments::word() {
  return noted(plain_word());
}

std::vector<Text> Arguments::words() {
  std::vector<Text> words;
  while (!at_end()) words.push_back(word());
  return words;
}

Text Arguments::port() {
  Text port = word();
  if (!is_port(port.written)) refuse();
  return port;
}

std::vector<Text> Arguments::ports() {
  std::vector<Text> ports;
  while (!at_end()) ports.push_back(port());
  return ports;
}

std::string Arguments::file() {
  std::string name = plain_word();
  if (name.find('/') != std::string::npos) refuse();
  return name;
}

Text Arguments::program() {
  return noted(file());
}

std::string Arguments::take_rest() {
  if (at_end()) refuse();
  std::string rest(text::trim(std::string_view(line_).substr(at_)));
  at_ = line_.size();
  return rest;
}

Text Arguments::rest() {
  return noted(take_rest());
}

Text Arguments::line() {
  std::string line = at_ < line_.size() ? line_.substr(at_ + 1) : "";
  if (line.empty()) refuse();
  at_ = line_.size();
  return noted(std::move(line));
}

Text Arguments::regex() {
  return checked_regex(rest());
}

Text Arguments::regex_line() {
  return checked_regex(line());
}

Text Arguments::checked_regex(Text expression) {
  if (const Status status = check_regex(expression.written); !status) complain(status.error().message);
  return expression;
}

std::string Arguments::plain_quoted_bytes() {
  const std::string quoted = take_rest();
  if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') {
    complain("bytes are written in double quotes");
    return {};
  }
  auto bytes = unescape(std::string_view(quoted).substr(1, quoted.size() - 2));
  if (!bytes) complain(bytes.error().message);
  return std::move(bytes).value_or("");
}

Text Arguments::quoted_bytes() {
  return noted(plain_quoted_bytes());
}

verb::Time Arguments::time() {
  const auto time = parse_duration(plain_word());
  if (!time) refuse();
  return time.value_or(verb::Time{});
}

std::uint64_t Arguments::size() {
  const auto size = parse_size(plain_word());
  if (!size) refuse();
  return size.value_or(0);
}

std::uint64_t Arguments::place() {
  const auto place = parse_place(plain_word());
  if (!place) refuse();
  return place.value_or(0);
}

std::string Arguments::variable() {
  std::string name = plain_word();
  variables_.used.insert(name);
  return name;
}

std::string Arguments::new_variable(std::initializer_list<const char*> parts) {
  std::string name = plain_word();
  variables_.set.insert(name);
  for (const char* part : parts) variables_.set.insert(name + part);
  return name;
}

Text Arguments::text() {
  const std::string mark = plain_word();
  if (mark.size() <= 2 || !mark.starts_with("<<") || !at_end()) {
    refuse();
    return {};
  }
  const std::string end = mark.substr(2);
  std::string text;
  while (!following_.at_end()) {
    const Line& line = following_.all[following_.next++];
    if (line.text == end && !line.has_value) return noted(std::move(text));
    text += line.text + "\n";
  }
  complain("the text has no line '" + printable(end, 40) + "' at its end");
  return {};
}

verb::Include Arguments::include() {
  while (line_.ends_with(" \\") && !following_.at_end()) {
    line_.pop_back();
    line_ += text::trim(following_.all[following_.next++].text);
  }
  verb::Include include{file(), {}};
  auto arguments = split_arguments(std::string_view(line_).substr(at_));
  at_ = line_.size();
  const bool good = arguments && std::all_of(arguments->begin(), arguments->end(), is_assignment);
  if (good && include.file.ends_with(".part"))
    include.arguments = *std::move(arguments);
  else
    refuse();
  for (const std::string& argument : include.arguments) variables_.look_into(argument);
  return include;
}

Text Arguments::noted(std::string written) {
  variables_.look_into(written);
  return {std::move(written)};
}

void Arguments::complain(std::string message) {
  if (fits_) mistakes_.push_back(std::move(message));
}

}  // namespace mailstead::mailtest
