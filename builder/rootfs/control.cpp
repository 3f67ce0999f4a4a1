// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lock/version.hpp"

namespace mailstead::rootfs {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// Takes what is in front of `separator` off `text`.
std::string_view take_part(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const std::string_view part = trim(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

/// "name", "name:arch", "name (<< version)"
Relation parse_relation(std::string_view text) {
  Relation relation;
  const auto end = std::min(text.find_first_of(" \t\n:("), text.size());
  relation.name = text.substr(0, end);
  if (end < text.size() && text[end] == ':') {
    text.remove_prefix(end + 1);
    relation.qualifier = text.substr(0, text.find_first_of(" \t\n("));
  }
  if (const auto open = text.find('('); open != std::string_view::npos)
    relation.constraint = trim(text.substr(open + 1, text.find(')', open) - open - 1));
  return relation;
}

}  // namespace

std::string_view ControlData::field(std::string_view field_name) const {
  const auto found = fields.find(std::string(field_name));
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view ControlData::file(std::string_view file_name) const {
  const auto found = files.find(std::string(file_name));
  return found == files.end() ? std::string_view() : std::string_view(found->second);
}

Result<ControlData> parse_control(std::string_view text) {
  ControlData control;
  std::string* last = nullptr;
  bool ended = false;
  int line_number = 0;
  const auto malformed = [&](std::string_view what) {
    return fail(ErrorKind::integrity, fmt::format("control file, line {}: {}", line_number, what));
  };
  if (text.find('\0') != std::string_view::npos) return malformed("a NUL byte");
  while (!text.empty()) {
    ++line_number;
    const auto newline = text.find('\n');
    const auto line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (trim(line).empty()) {
      ended = !control.fields.empty();
      continue;
    }
    if (ended) return malformed("a second stanza");
    control.stanza += line;
    control.stanza += '\n';
    if (line[0] == ' ' || line[0] == '\t') {
      if (last == nullptr) return malformed("a continuation line without a field");
      *last += '\n';
      *last += line.substr(1);
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return malformed("neither a field nor a continuation");
    const auto [field, added] =
        control.fields.emplace(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
    if (!added) return malformed(fmt::format("field {} for the second time", field->first));
    last = &field->second;
  }
  control.name = control.field("Package");
  control.version = control.field("Version");
  control.architecture = control.field("Architecture");
  for (const auto& [name, value] :
       {std::pair("Package", &control.name), std::pair("Version", &control.version),
        std::pair("Architecture", &control.architecture)}) {
    const bool valid = !value->empty() && std::all_of(value->begin(), value->end(), [](char c) {
      return is_digit(c) || is_letter(c) || std::string_view("+-.:~_").find(c) != std::string_view::npos;
    });
    if (!valid) return fail(ErrorKind::integrity, fmt::format("control file: no valid {} field", name));
  }
  return control;
}

bool satisfies(std::string_view version, std::string_view constraint) {
  const auto end = constraint.find_first_not_of("<>=");
  if (end == std::string_view::npos) return false;
  const auto op = constraint.substr(0, end);
  const int comparison = lock::compare_versions(version, trim(constraint.substr(end)));
  if (op == "<<") return comparison < 0;
  if (op == "<=") return comparison <= 0;
  if (op == "=") return comparison == 0;
  if (op == ">=") return comparison >= 0;
  if (op == ">>") return comparison > 0;
  // Before there were "<=" and ">=" these were written so.
  if (op == "<") return comparison <= 0;
  if (op == ">") return comparison >= 0;
  return false;
}

std::vector<std::vector<Relation>> parse_relations(std::string_view field) {
  std::vector<std::vector<Relation>> groups;
  while (!field.empty()) {
    std::string_view group = take_part(field, ',');
    if (group.empty()) continue;
    auto& alternatives = groups.emplace_back();
    while (!group.empty()) alternatives.push_back(parse_relation(take_part(group, '|')));
  }
  return groups;
}

bool relation_names(std::string_view relation, std::string_view name, std::string_view version) {
  for (const auto& group : parse_relations(relation)) {
    for (const Relation& one : group) {
      if (one.name == name && (one.constraint.empty() || satisfies(version, one.constraint))) return true;
    }
  }
  return false;
}

}  // namespace mailstead::rootfs
