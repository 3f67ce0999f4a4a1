// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/version.hpp"

#include <utility>

#include "text/ascii.hpp"

namespace mailstead::lock {
namespace {

using text::is_digit;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// '~' sorts before the end, the end before letters, letters before everything else.
int weight(std::string_view text, std::size_t at) {
  if (at >= text.size() || is_digit(text[at])) return 0;
  if (text[at] == '~') return -1;
  return is_letter(text[at]) ? text[at] : text[at] + 256;
}

int compare_part(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    while ((i < a.size() && !is_digit(a[i])) || (j < b.size() && !is_digit(b[j]))) {
      if (const int order = weight(a, i) - weight(b, j)) return order;
      ++i;
      ++j;
    }
    while (i < a.size() && a[i] == '0') ++i;
    while (j < b.size() && b[j] == '0') ++j;
    int first_difference = 0;
    while (i < a.size() && j < b.size() && is_digit(a[i]) && is_digit(b[j])) {
      if (first_difference == 0) first_difference = a[i] - b[j];
      ++i;
      ++j;
    }
    if (i < a.size() && is_digit(a[i])) return 1;
    if (j < b.size() && is_digit(b[j])) return -1;
    if (first_difference != 0) return first_difference;
  }
  return 0;
}

std::pair<std::string_view, std::string_view> split_epoch(std::string_view version) {
  const auto colon = version.find(':');
  if (colon == std::string_view::npos) return {"", version};
  return {version.substr(0, colon), version.substr(colon + 1)};
}

std::pair<std::string_view, std::string_view> split_revision(std::string_view version) {
  const auto dash = version.rfind('-');
  if (dash == std::string_view::npos) return {version, ""};
  return {version.substr(0, dash), version.substr(dash + 1)};
}

}  // namespace

int compare_versions(std::string_view a, std::string_view b) {
  const auto [epoch_a, rest_a] = split_epoch(a);
  const auto [epoch_b, rest_b] = split_epoch(b);
  if (const int order = compare_part(epoch_a, epoch_b)) return order;
  const auto [upstream_a, revision_a] = split_revision(rest_a);
  const auto [upstream_b, revision_b] = split_revision(rest_b);
  if (const int order = compare_part(upstream_a, upstream_b)) return order;
  return compare_part(revision_a, revision_b);
}

}  // namespace mailstead::lock
