// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/keys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mailstead::spec {
namespace {

/// A size as a spec has it: "64K".
std::string size_text(std::uint64_t bytes) {
  constexpr std::string_view kUnits = "KMGT";
  std::size_t units = 0;
  while (units < kUnits.size() && bytes > 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++units;
  }
  return units == 0 ? std::to_string(bytes) : fmt::format("{}{}", bytes, kUnits[units - 1]);
}

bool counts_bytes(const Key& record) {
  return record.type == Type::size || record.type == Type::file;
}

/// Whether `path` is that of the record, with anything for each "*".
bool fits(std::string_view record, std::string_view path) {
  const std::size_t star = record.find('*');
  if (star == std::string_view::npos) return record == path;
  const std::string_view before = record.substr(0, star);
  const std::string_view after = record.substr(star + 1);
  return path.size() > before.size() + after.size() && path.starts_with(before) && path.ends_with(after);
}

/// The names in a path.
std::vector<std::string_view> steps_of(std::string_view path) {
  std::vector<std::string_view> steps;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    steps.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return steps;
}

const Key* record_of(std::string_view path) {
  const auto at = std::ranges::find(kKeys, path, &Key::path);
  return at == kKeys.end() ? nullptr : &*at;
}

/// The lines of `text`, each with `indent` spaces in front.
std::string indented(std::string_view text, std::size_t indent) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += fmt::format("{:{}}{}\n", "", indent, text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

}  // namespace

std::vector<const Key*> keys_in(std::string_view path) {
  std::vector<const Key*> keys;
  for (const Key& record : kKeys)
    if (parent_of(record) == path) keys.push_back(&record);
  return keys;
}

std::string typed(std::string_view path) {
  std::string text;
  for (const std::string_view step : steps_of(path)) {
    if (step == "*") continue;
    if (!text.empty()) text += '.';
    text += step;
  }
  return text;
}

std::string bound_text(const Key& record, std::uint64_t bound) {
  return counts_bytes(record) ? size_text(bound) : std::to_string(bound);
}

std::string bounds_text(const Key& record) {
  if (record.most == 0) return {};
  const bool bytes = counts_bytes(record);
  const auto number = [&](std::uint64_t bound) { return bound_text(record, bound); };
  const char* unit = record.type == Type::names              ? " entries"
                     : bytes || record.type == Type::integer ? ""
                                                             : " characters";
  if (record.least == record.most) return number(record.most) + unit;
  return record.least == 0 ? fmt::format("at most {}{}", number(record.most), unit)
                           : fmt::format("{} to {}{}", number(record.least), number(record.most), unit);
}

std::string choices_text(const Key& record) {
  std::string text;
  for (std::size_t i = 0; i < record.choices.size(); ++i) {
    if (i > 0) text += i + 1 == record.choices.size() ? " or " : ", ";
    text += record.choices[i].empty() ? "\"\"" : record.choices[i];
  }
  return text;
}

std::string example_text(const Key& record) {
  std::string text;
  std::string path;
  std::size_t indent = 0;
  for (const std::string_view step : steps_of(record.path)) {
    path += path.empty() ? std::string(step) : fmt::format(".{}", step);
    const Key* at = record_of(path);
    text += indented(at->beside, indent);
    const std::string_view name = step == "*" ? at->name : step;
    text += fmt::format("{:{}}{}:", "", indent, name);
    text += at == &record ? fmt::format(" {}\n", record.example) : "\n";
    indent += 2;
  }
  return text;
}

std::vector<const Key*> find_keys(std::string_view word) {
  std::vector<const Key*> found;
  for (const auto& match : {+[](std::string_view record, std::string_view w) { return record == w; },
                            +[](std::string_view record, std::string_view w) { return typed(record) == w; },
                            +[](std::string_view record, std::string_view w) { return fits(record, w); },
                            +[](std::string_view record, std::string_view w) {
                              return typed(record).ends_with(fmt::format(".{}", w));
                            }}) {
    for (const Key& record : kKeys)
      if (match(record.path, word)) found.push_back(&record);
    if (!found.empty()) break;
  }
  // "domains.*" fits whatever is below it, too.
  const std::string_view first = found.empty() ? std::string_view() : found.front()->path;
  if (first.ends_with('*') && word.starts_with(first.substr(0, first.size() - 1)))
    found.erase(found.begin(), found.end() - 1);
  return found;
}

}  // namespace mailstead::spec
