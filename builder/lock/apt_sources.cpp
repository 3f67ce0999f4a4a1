// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/apt_sources.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/files.hpp"
#include "lock/text.hpp"

namespace mailstead::lock {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// Takes "[arch=amd64 signed-by=/x]" off the front of `rest` and returns the value of signed-by.
std::string take_options(std::string_view& rest) {
  std::string signed_by;
  if (!rest.starts_with('[')) return signed_by;
  const auto end = rest.find(']');
  if (end == std::string_view::npos) {
    rest = {};
    return signed_by;
  }
  for (const auto option : split_words(rest.substr(1, end - 1))) {
    if (lower(option).starts_with("signed-by=")) signed_by = option.substr(10);
  }
  rest = trim(rest.substr(end + 1));
  return signed_by;
}

void add_stanza(const std::map<std::string, std::string>& fields, std::vector<AptSource>& sources) {
  const auto field = [&fields](const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  const std::string enabled = lower(field("enabled"));
  if (enabled == "no" || enabled == "false" || enabled == "0") return;
  const std::string types = field("types");
  const auto type_words = split_words(types);
  if (std::find(type_words.begin(), type_words.end(), "deb") == type_words.end()) return;
  const std::string uris = field("uris");
  const std::string suites = field("suites");
  const std::string component_text = field("components");
  std::vector<std::string> components;
  for (const auto word : split_words(component_text)) components.emplace_back(word);
  for (const auto uri : split_words(uris)) {
    for (const auto suite : split_words(suites)) {
      sources.push_back({std::string(uri), std::string(suite), components, field("signed-by")});
    }
  }
}

}  // namespace

std::vector<AptSource> parse_one_line_sources(std::string_view text) {
  std::vector<AptSource> sources;
  for (auto line : split_lines(text)) {
    line = trim(line.substr(0, line.find('#')));
    if (!line.starts_with("deb ") && !line.starts_with("deb\t")) continue;
    std::string_view rest = trim(line.substr(4));
    std::string signed_by = take_options(rest);
    const auto words = split_words(rest);
    if (words.size() < 2) continue;
    AptSource source{std::string(words[0]), std::string(words[1]), {}, std::move(signed_by)};
    for (std::size_t i = 2; i < words.size(); ++i) source.components.emplace_back(words[i]);
    sources.push_back(std::move(source));
  }
  return sources;
}

std::vector<AptSource> parse_deb822_sources(std::string_view text) {
  std::vector<AptSource> sources;
  std::map<std::string, std::string> fields;
  std::string last;
  for (const auto line : split_lines(text)) {
    if (line.starts_with('#')) continue;
    if (trim(line).empty()) {
      add_stanza(fields, sources);
      fields.clear();
      last.clear();
    } else if (line.starts_with(' ') || line.starts_with('\t')) {
      if (!last.empty()) fields[last] += " " + std::string(trim(line));
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      last = lower(trim(line.substr(0, colon)));
      fields[last] = trim(line.substr(colon + 1));
    }
  }
  add_stanza(fields, sources);
  return sources;
}

std::vector<AptSource> read_apt_sources(const std::filesystem::path& folder) {
  constexpr std::uint64_t kLimit = 1 << 20;
  std::vector<std::filesystem::path> files{folder / "sources.list"};
  std::error_code error;
  std::vector<std::filesystem::path> parts;
  for (std::filesystem::directory_iterator it(folder / "sources.list.d", error), end; !error && it != end;
       it.increment(error)) {
    parts.push_back(it->path());
  }
  std::sort(parts.begin(), parts.end());
  files.insert(files.end(), parts.begin(), parts.end());

  std::vector<AptSource> sources;
  for (const auto& file : files) {
    const auto extension = file.extension();
    if (extension != ".list" && extension != ".sources") continue;
    const auto text = read_file(file, kLimit);
    if (!text) continue;
    auto found = extension == ".list" ? parse_one_line_sources(*text) : parse_deb822_sources(*text);
    sources.insert(sources.end(), found.begin(), found.end());
  }
  return sources;
}

}  // namespace mailstead::lock
