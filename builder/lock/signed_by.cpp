// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/signed_by.hpp"

#include <algorithm>
#include <map>

#include "base/files.hpp"
#include "lock/openpgp.hpp"
#include "lock/text.hpp"

namespace mailstead::lock {
namespace {

bool is_same_place(std::string_view written, std::string_view uri) {
  while (written.ends_with('/')) written.remove_suffix(1);
  while (uri.ends_with('/')) uri.remove_suffix(1);
  return written == uri;
}

/// Takes "[arch=amd64 signed-by=/x]" off the front of `rest` and returns the value of signed-by.
std::string take_options(std::string_view& rest) {
  std::string signed_by;
  if (!rest.starts_with('[')) return signed_by;
  const auto end = std::min(rest.find(']'), rest.size() - 1);
  for (const auto option : split_words(rest.substr(1, end - 1))) {
    if (lower(option).starts_with("signed-by=")) signed_by = option.substr(10);
  }
  rest = trim(rest.substr(end + 1));
  return signed_by;
}

std::string find_in_lines(std::string_view text, std::string_view uri, std::string_view suite) {
  for (const auto whole : split_lines(text)) {
    const std::string_view line = trim(whole);
    if (!line.starts_with("deb ") && !line.starts_with("deb\t")) continue;
    std::string_view rest = trim(line.substr(4));
    std::string signed_by = take_options(rest);
    const auto words = split_words(rest);
    if (words.size() >= 2 && is_same_place(words[0], uri) && words[1] == suite) return signed_by;
  }
  return {};
}

/// The fields of a stanza, names in lower case, continuation lines joined by line feeds.
using SourceFields = std::map<std::string, std::string>;

std::vector<SourceFields> split_stanzas(std::string_view text) {
  std::vector<SourceFields> stanzas(1);
  std::string last;
  for (const auto line : split_lines(text)) {
    if (line.starts_with('#')) continue;
    if (trim(line).empty()) {
      stanzas.emplace_back();
      last.clear();
    } else if (line.starts_with(' ') || line.starts_with('\t')) {
      if (!last.empty()) stanzas.back()[last] += "\n" + std::string(line);
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      last = lower(trim(line.substr(0, colon)));
      stanzas.back()[last] = trim(line.substr(colon + 1));
    }
  }
  return stanzas;
}

/// Whether one of the words of a field fits.
template <class Fits>
bool has_word(const SourceFields& stanza, const std::string& field, const Fits& fits) {
  const auto found = stanza.find(field);
  if (found == stanza.end()) return false;
  for (const auto line : split_lines(found->second)) {
    const auto words = split_words(line);
    if (std::any_of(words.begin(), words.end(), fits)) return true;
  }
  return false;
}

std::string find_in_stanzas(std::string_view text, std::string_view uri, std::string_view suite) {
  for (const SourceFields& stanza : split_stanzas(text)) {
    if (!has_word(stanza, "uris", [&](std::string_view word) { return is_same_place(word, uri); }) ||
        !has_word(stanza, "suites", [&](std::string_view word) { return word == suite; }) ||
        has_word(stanza, "enabled", is_no))
      continue;
    const auto found = stanza.find("signed-by");
    if (found != stanza.end()) return found->second;
  }
  return {};
}

}  // namespace

std::string find_signed_by(std::string_view text, const Address& uri, std::string_view suite) {
  std::string in_lines = find_in_lines(text, uri.exact(), suite);
  return in_lines.empty() ? find_in_stanzas(text, uri.exact(), suite) : in_lines;
}

std::set<std::string> keys_named_by(std::string_view signed_by) {
  if (signed_by.find("-----BEGIN") != std::string_view::npos) return key_fingerprints(signed_by);
  std::string list(signed_by);
  std::replace_if(list.begin(), list.end(), [](char c) { return c == ',' || c == '\n'; }, ' ');
  std::set<std::string> keys;
  for (auto word : split_words(list)) {
    if (word.starts_with('/')) {
      if (const auto keyring = read_file(word, 16u << 20)) keys.merge(key_fingerprints(*keyring));
      continue;
    }
    // "!" at the end: this very subkey.
    while (word.ends_with('!')) word.remove_suffix(1);
    keys.insert(upper(word));
  }
  return keys;
}

}  // namespace mailstead::lock
