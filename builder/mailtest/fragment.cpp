// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/fragment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "mailtest/dialogue.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

struct Parameter {
  std::string name;
  std::optional<std::string> value;
};

Parameter parse_argument(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) return {word, std::nullopt};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

bool is_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

/// Takes the line `parameters` out of the lines.
Result<std::vector<Parameter>> take_parameters(std::vector<std::string>& lines, const std::string& file) {
  std::vector<Parameter> parameters;
  const auto line = std::find_if(lines.begin(), lines.end(), [](const std::string& one) {
    const std::string_view bare = text::trim(one);
    return !bare.empty() && bare[0] != '#';
  });
  if (line == lines.end()) return parameters;
  const auto wrong = [&](std::string message) {
    return fail(error_at(file, static_cast<int>(line - lines.begin()) + 1, *line, std::move(message),
                         "write: parameters NAME NAME=VALUE…, names in lower case"));
  };
  if (!text::trim(*line).starts_with("parameters")) return parameters;
  std::optional<std::vector<std::string>> words = split_arguments(*line);
  if (!words) return wrong("a quote is not closed");
  if (words->front() != "parameters") return parameters;
  words->erase(words->begin());
  for (const std::string& word : *words) parameters.push_back(parse_argument(word));
  const auto twice = [&](const Parameter& one) {
    return std::count_if(parameters.begin(), parameters.end(),
                         [&](const Parameter& other) { return other.name == one.name; }) > 1;
  };
  for (const Parameter& one : parameters)
    if (!is_name(one.name) || twice(one))
      return wrong(is_name(one.name) ? fmt::format("the parameter '{}' is listed twice", one.name)
                                     : fmt::format("'{}' is not a parameter's name", one.name));
  line->clear();
  return parameters;
}

Result<std::map<std::string, std::string>> values_of(const std::vector<Parameter>& parameters,
                                                     const std::string& file,
                                                     const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> values;
  std::vector<std::string> names;
  names.reserve(parameters.size());
  for (const Parameter& parameter : parameters) names.push_back(parameter.name);
  for (const std::string& argument : arguments) {
    const Parameter given = parse_argument(argument);
    if (std::find(names.begin(), names.end(), given.name) == names.end())
      return fail(ErrorKind::usage, fmt::format("{} has no parameter '{}'", file, given.name),
                  names.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(names, ", ")));
    if (!values.emplace(given.name, given.value.value_or("")).second)
      return fail(ErrorKind::usage, fmt::format("the parameter '{}' is given twice", given.name));
  }
  for (const Parameter& parameter : parameters) {
    if (values.contains(parameter.name)) continue;
    if (!parameter.value)
      return fail(ErrorKind::usage, fmt::format("{} needs a value for '{}'", file, parameter.name),
                  fmt::format("add {}=VALUE", parameter.name));
    values.emplace(parameter.name, *parameter.value);
  }
  return values;
}

Line put_in(const std::string& line, const std::map<std::string, std::string>& values) {
  Line filled;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = line.compare(at, 2, "${") == 0 ? line.find('}', at) : std::string::npos;
    const auto value =
        end == std::string::npos ? values.end() : values.find(line.substr(at + 2, end - at - 2));
    if (value == values.end()) {
      filled.text += line[at++];
    } else {
      filled.text += value->second;
      filled.has_value = true;
      at = end + 1;
    }
  }
  return filled;
}

}  // namespace

std::optional<std::vector<std::string>> split_arguments(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ' || line[i] == '\t') {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (line[i] != '"' || words.back().find('=') + 1 != words.back().size() || words.back().empty()) {
      words.back() += line[i];
      continue;
    }
    for (++i; i < line.size() && line[i] != '"'; ++i) {
      if (line.substr(i, 2) == "\\\"") ++i;
      words.back() += line[i];
    }
    if (i >= line.size()) return std::nullopt;
  }
  return words;
}

Result<std::vector<Line>> fill_fragment(std::string_view text, const std::string& file,
                                        const std::vector<std::string>& arguments) {
  std::vector<std::string> lines = text::to_strings(text::split_lines(text));
  TRY(const std::vector<Parameter> parameters, take_parameters(lines, file));
  TRY(const auto values, values_of(parameters, file, arguments));
  std::vector<Line> filled;
  filled.reserve(lines.size());
  for (const std::string& line : lines) filled.push_back(put_in(line, values));
  return filled;
}

}  // namespace mailstead::mailtest
