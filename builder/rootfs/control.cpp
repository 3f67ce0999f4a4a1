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
  return false;
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

bool relation_names(std::string_view relation, std::string_view name, std::string_view version) {
  while (!relation.empty()) {
    const auto comma = relation.find(',');
    const auto item = trim(relation.substr(0, comma));
    relation.remove_prefix(comma == std::string_view::npos ? relation.size() : comma + 1);
    // "name", "name:arch", "name (<< version)"
    const auto end = item.find_first_of(" \t:(");
    if (item.substr(0, end) != name) continue;
    const auto open = item.find('(');
    if (open == std::string_view::npos) return true;
    const auto close = item.find(')', open);
    if (close != std::string_view::npos &&
        satisfies(version, trim(item.substr(open + 1, close - open - 1)))) {
      return true;
    }
  }
  return false;
}

}  // namespace mailstead::rootfs
