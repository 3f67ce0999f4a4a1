// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>

#include "lock/text.hpp"
#include "lock/version.hpp"

namespace mailstead::lock {
namespace {

/// The fields of a stanza that are used. Others (most of the 50 MB) are skipped without a copy.
struct Stanza {
  std::string name;
  std::string version;
  std::string architecture;
  std::string filename;
  std::string size;
  std::string sha256;

  std::string* field(std::string_view key) {
    if (key == "Package") return &name;
    if (key == "Version") return &version;
    if (key == "Architecture") return &architecture;
    if (key == "Filename") return &filename;
    if (key == "Size") return &size;
    if (key == "SHA256") return &sha256;
    return nullptr;
  }
};

Status fill(const Stanza& stanza, const std::string& archive, std::map<Identity, Package>& wanted) {
  const auto found = wanted.find({stanza.name, stanza.version, stanza.architecture});
  if (found == wanted.end() || !found->second.sha256.empty()) return ok();
  Package& package = found->second;
  const auto end = stanza.size.data() + stanza.size.size();
  const auto [stop, error] = std::from_chars(stanza.size.data(), end, package.size);
  if (error != std::errc() || stop != end || stanza.sha256.empty() || stanza.filename.empty()) {
    return fail(ErrorKind::integrity,
                fmt::format("the archive's entry for {} {} lacks its file name, size or SHA-256", stanza.name,
                            stanza.version));
  }
  package.pool_path = stanza.filename;
  package.sha256 = stanza.sha256;
  package.archive = archive;
  return ok();
}

template <class Take>
Status for_each_stanza(const std::filesystem::path& index, const Take& take) {
  std::ifstream file(index, std::ios::binary);
  if (!file) return fail(ErrorKind::io, fmt::format("cannot read the package index {}", index.string()));
  Stanza stanza;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty()) {
      if (!stanza.name.empty()) CHECK_OK(take(stanza));
      stanza = Stanza();
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view view = line;
    if (std::string* field = stanza.field(view.substr(0, colon))) *field = trim(view.substr(colon + 1));
  }
  if (file.bad()) return fail(ErrorKind::io, fmt::format("cannot read the package index {}", index.string()));
  return stanza.name.empty() ? ok() : take(stanza);
}

template <class Number>
bool read_digits(std::string_view text, Number& number) {
  if (text.empty() || text.front() == '-') return false;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && stop == text.data() + text.size();
}

}  // namespace

Status fill_from_index(const std::filesystem::path& index, const std::string& archive,
                       std::map<Identity, Package>& wanted) {
  return for_each_stanza(index, [&](const Stanza& stanza) { return fill(stanza, archive, wanted); });
}

Status collect_newest(const std::filesystem::path& index, std::map<std::string, std::string>& newest) {
  return for_each_stanza(index, [&](const Stanza& stanza) -> Status {
    std::string& version = newest[stanza.name];
    if (version.empty() || compare_versions(version, stanza.version) < 0) version = stanza.version;
    return ok();
  });
}

Result<std::int64_t> parse_release_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto words = split_words(text);
  int year = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const auto bad = [&] {
    return fail(ErrorKind::integrity,
                fmt::format("the archive's date '{}' is not valid", text.substr(0, 60)));
  };
  if (words.size() != 6 || !words[0].ends_with(',') || words[4].size() < 7 || words[4].size() > 8)
    return bad();
  const auto month = std::find(kMonths.begin(), kMonths.end(), words[2]);
  // Some archives write "9:15:44".
  const std::string_view clock = words[4];
  const auto first = clock.find(':');
  if (month == kMonths.end() || first == std::string_view::npos || clock.size() != first + 6 ||
      clock[first + 3] != ':' || !read_digits(words[1], day) || !read_digits(words[3], year) ||
      !read_digits(clock.substr(0, first), hour) || !read_digits(clock.substr(first + 1, 2), minute) ||
      !read_digits(clock.substr(first + 4), second)) {
    return bad();
  }
  if (words[5] != "UTC" && words[5] != "GMT" && words[5] != "Z" && words[5] != "+0000") return bad();
  const std::chrono::year_month_day date{
      std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(day)};
  if (!date.ok() || year < 1993 || year > 9999 || hour > 23 || minute > 59 || second > 60) return bad();
  const std::chrono::sys_seconds time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                                        std::chrono::minutes(minute) + std::chrono::seconds(second);
  return time.time_since_epoch().count();
}

Result<Release> parse_release(std::string_view text, const std::string& name) {
  Release release;
  std::string_view date;
  bool in_body = true;
  for (const auto line : split_lines(text)) {
    if (line == "-----BEGIN PGP SIGNED MESSAGE-----") {
      in_body = false;
    } else if (!in_body) {
      // RFC 9580 section 7: armor headers end with an empty line.
      in_body = line.empty();
    } else if (line == "-----BEGIN PGP SIGNATURE-----" || line == "SHA256:" || line == "MD5Sum:") {
      break;
    } else if (line.starts_with("Codename:")) {
      release.codename = trim(line.substr(9));
    } else if (line.starts_with("Suite:")) {
      release.suite = trim(line.substr(6));
    } else if (line.starts_with("Date:")) {
      date = trim(line.substr(5));
    }
  }
  auto time = parse_release_date(date);
  if (!time) return fail(std::move(time).error().with_note(fmt::format("while reading {}", name)));
  release.date = *time;
  return release;
}

}  // namespace mailstead::lock
