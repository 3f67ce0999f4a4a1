// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lock/apt.hpp"
#include "lock/text.hpp"

namespace mailstead::lock {
namespace {

/// apt's own words, as far as they are errors and warnings.
std::vector<std::string> complaints(std::string_view output) {
  std::vector<std::string> lines;
  for (const auto line : split_lines(output)) {
    if (!line.starts_with("E: ") && !line.starts_with("W: ") && !line.starts_with("Err:") &&
        !line.starts_with(" "))
      continue;
    std::string text =
        "apt says: " +
        std::string(trim(line.starts_with("E: ") || line.starts_with("W: ") ? line.substr(3) : line));
    if (lines.size() < 12 && std::find(lines.begin(), lines.end(), text) == lines.end())
      lines.push_back(std::move(text));
  }
  return lines;
}

struct Meaning {
  std::array<std::string_view, 7> signs;  ///< any of these in apt's output; unused ones are empty
  ErrorKind kind;
  std::string_view message;
  std::string_view hint;
};

constexpr std::string_view kOtherMirror =
    "wait some hours for the mirror to be refreshed, or use another one: --mirror";

/// In this order: a wrong signature also makes apt say "is not signed".
constexpr std::array<Meaning, 6> kMeanings = {{
    {{"is expired", "Release file expired"},
     ErrorKind::integrity,
     "the index of the archive has expired, so that somebody could be hiding newer packages",
     "check the clock of this machine; if it is right, the mirror is no longer refreshed: use another one "
     "with --mirror"},
    {{"is not valid yet"},
     ErrorKind::integrity,
     "the index of the archive is from the future",
     "set the clock of this machine"},
    {{"NO_PUBKEY", "BADSIG", "EXPKEYSIG", "REVKEYSIG", "signatures couldn't be verified",
      "signatures were invalid", "OpenPGP signature verification failed"},
     ErrorKind::integrity,
     "the index of the archive is not signed by a key of the keyring",
     "use another mirror, or bring the package debian-archive-keyring up to date"},
    {{"Hash Sum mismatch", "unexpected size", "Hashes of expected file", "insufficient security",
      "Clearsigned file", "NOSPLIT", "weak"},
     ErrorKind::integrity,
     "the index of the archive is not what its signature says",
     kOtherMirror},
    {{"is not signed", "no longer signed"},
     ErrorKind::integrity,
     "the index of the archive is not signed",
     "use a mirror of Debian itself: --mirror"},
    {{"does not have a Release file", "no longer has a Release file"},
     ErrorKind::network,
     "the mirror cannot be reached, or does not have this suite",
     "check the network and the address of the mirror: --mirror"},
}};

}  // namespace

Error explain_update_failure(const AptSetup& setup, std::string_view output) {
  Error error{ErrorKind::network, {}, {}, {}, complaints(output), {}};
  std::string_view message = "the indexes of the archive cannot be fetched";
  error.hint = "check the network and the address of the mirror: --mirror";
  for (const auto& meaning : kMeanings) {
    const bool applies = std::any_of(meaning.signs.begin(), meaning.signs.end(), [&](std::string_view sign) {
      return !sign.empty() && output.find(sign) != std::string_view::npos;
    });
    if (!applies) continue;
    error.kind = meaning.kind;
    message = meaning.message;
    error.hint = meaning.hint;
    break;
  }
  error.message = fmt::format("{} ({} from {} and {})", message, setup.suite, setup.debian, setup.security);
  return error;
}

Error explain_solve_failure(std::string_view output) {
  constexpr std::string_view kUnknown = "E: Unable to locate package ";
  Error error{ErrorKind::usage, {}, {}, {}, {}, {}};
  std::vector<std::string> unknown;
  for (const auto line : split_lines(output)) {
    if (line.starts_with(kUnknown)) unknown.emplace_back(line.substr(kUnknown.size()));
  }
  if (!unknown.empty()) {
    error.message = fmt::format("the archive has no package of the name {}", list_some(unknown, 20));
    error.hint = "correct the name in the profile, or ask for another suite";
    return error;
  }
  error.message = "the packages that are asked for cannot be installed together";
  error.hint = "change what the profile asks for";
  error.notes = complaints(output);
  return error;
}

Result<std::vector<Identity>> parse_print_uris(std::string_view output) {
  std::vector<Identity> packages;
  for (const auto line : split_lines(output)) {
    if (!line.starts_with('\'')) continue;
    const auto words = split_words(line.substr(std::min(line.size(), line.find('\'', 1) + 1)));
    const auto bad = [&line] {
      return fail(ErrorKind::internal,
                  fmt::format("apt-get printed a package in a form that is not known: {}", line));
    };
    if (words.empty() || !words[0].ends_with(".deb")) return bad();
    const std::string_view file = words[0].substr(0, words[0].size() - 4);
    const auto first = file.find('_');
    const auto last = file.rfind('_');
    if (first == std::string_view::npos || first == last) return bad();
    std::string version(file.substr(first + 1, last - first - 1));
    // apt quotes ':' and '_' in file names; a version has no '_'.
    for (auto at = version.find("%3a"); at != std::string::npos; at = version.find("%3a", at))
      version.replace(at, 3, ":");
    packages.emplace_back(std::string(file.substr(0, first)), std::move(version),
                          std::string(file.substr(last + 1)));
  }
  if (packages.empty()) return fail(ErrorKind::internal, "apt-get chose no package at all");
  return packages;
}

}  // namespace mailstead::lock
