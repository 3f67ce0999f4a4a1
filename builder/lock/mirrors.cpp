// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/mirrors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/files.hpp"
#include "lock/apt_sources.hpp"
#include "lock/text.hpp"

namespace mailstead::lock {
namespace {

constexpr std::string_view kHowToName =
    "give one with --mirror or MAILSTEAD_MIRROR, for example --mirror http://mirror.example/debian";

/// Suites that Debian itself has; anything else in a source of APT's is somebody else's archive.
constexpr std::array<std::string_view, 12> kSuites = {"buster",  "bullseye", "bookworm",  "trixie",
                                                      "forky",   "duke",     "sid",       "unstable",
                                                      "testing", "stable",   "oldstable", "oldoldstable"};

/// What an address is for, in messages.
struct Purpose {
  std::string_view noun;
  std::string_view how_to_name;
};
constexpr Purpose kMirror{"mirror", kHowToName};
constexpr Purpose kSnapshot{"snapshot archive",
                            "give an address like https://snapshot.example, or none to do without"};

/// An address in the form in which it is kept: checked, "file:///" for local ones, no final slash.
Result<std::string> canonical_address(std::string_view text, std::string_view origin,
                                      const Purpose& purpose) {
  std::string address(text);
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::usage, fmt::format("{} names the {} '{}', {}", origin, purpose.noun, text, why),
                std::string(purpose.how_to_name));
  };
  const bool printable = std::all_of(address.begin(), address.end(), [](unsigned char c) {
    return c > ' ' && c < 127 &&
           std::string_view("\"'[]<>\\^`{|}#?").find(static_cast<char>(c)) == std::string_view::npos;
  });
  if (!printable) return refuse("which has characters that an address cannot have");
  if (address.starts_with("file:/") && !address.starts_with("file:///")) {
    if (address.starts_with("file://")) return refuse("which names a host: a local folder is file:///folder");
    address.insert(5, "//");
  }
  const auto scheme_end = address.find("://");
  const std::string scheme = scheme_end == std::string::npos ? "" : address.substr(0, scheme_end);
  if (scheme != "http" && scheme != "https" && scheme != "file") {
    return refuse("which is not an address that begins with http://, https:// or file:///");
  }
  while (address.ends_with('/')) address.pop_back();
  if (address.size() <= scheme_end + 3) return refuse("which has no host or folder");
  return address;
}

bool is_debian(const AptSource& source) {
  // A third party's archive may carry Debian's suite and component names, but not Debian's keys.
  if (!source.signed_by.empty() && source.signed_by.find("debian-archive") == std::string::npos) return false;
  return std::find(source.components.begin(), source.components.end(), "main") != source.components.end();
}

enum class Kind { other, debian, security };

Kind kind_of_suite(std::string_view suite) {
  const auto is_codename = [](std::string_view name) {
    return std::find(kSuites.begin(), kSuites.end(), name) != kSuites.end();
  };
  if (is_codename(suite)) return Kind::debian;
  // "buster/updates" is how the security suite was called before bullseye.
  for (const std::string_view ending : {"-security", "/updates"}) {
    if (suite.ends_with(ending) && is_codename(suite.substr(0, suite.size() - ending.size())))
      return Kind::security;
  }
  return Kind::other;
}

/// "mirror+file:/etc/apt/mirrors/debian.list" (Debian's cloud images) stands for the addresses in that file.
std::vector<std::string> addresses_of(const std::string& uri) {
  constexpr std::string_view kMirrorFile = "mirror+file:";
  if (!uri.starts_with(kMirrorFile)) return {uri};
  std::string path = uri.substr(kMirrorFile.size());
  while (path.starts_with("//")) path.erase(0, 1);
  std::vector<std::string> addresses;
  if (const auto text = read_file(path, 1 << 20)) {
    for (const auto line : split_lines(*text)) {
      const auto words = split_words(line.substr(0, line.find('#')));
      if (!words.empty()) addresses.emplace_back(words.front());
    }
  }
  return addresses;
}

void add_once(std::vector<std::string>& list, std::string value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

Result<Mirrors> mirrors_of_machine(const std::filesystem::path& folder) {
  Mirrors mirrors;
  for (const auto& source : read_apt_sources(folder)) {
    const Kind kind = kind_of_suite(source.suite);
    if (kind == Kind::other || !is_debian(source)) continue;
    for (const auto& uri : addresses_of(source.uri)) {
      // Schemes that only APT speaks (cdrom:, tor+http:, mirror:) are of no use for downloads of our own.
      auto address = canonical_address(uri, "an APT source", kMirror);
      if (address) add_once(kind == Kind::security ? mirrors.security : mirrors.debian, *std::move(address));
    }
  }
  if (mirrors.debian.empty()) {
    return fail(ErrorKind::usage,
                fmt::format("no Debian mirror is known: the APT sources of this machine ({}) name none",
                            folder.string()),
                std::string(kHowToName));
  }
  // An archive without a keyring of its own may still be a third party's; one that is called debian comes
  // first.
  std::stable_partition(mirrors.debian.begin(), mirrors.debian.end(), [](const std::string& address) {
    return address.find("/debian") != std::string::npos;
  });
  if (mirrors.security.empty()) {
    for (const auto& address : mirrors.debian) mirrors.security.push_back(address + "-security");
  }
  return mirrors;
}

}  // namespace

Result<Mirrors> parse_mirrors(std::string_view text, std::string_view origin) {
  const auto words = split_words(text);
  if (words.empty() || words.size() > 2) {
    return fail(
        ErrorKind::usage,
        fmt::format("{} must hold one address, or two (main and security) separated by a space", origin),
        std::string(kHowToName));
  }
  Mirrors mirrors;
  TRY(auto debian, canonical_address(words[0], origin, kMirror));
  if (words.size() == 2) {
    TRY(auto security, canonical_address(words[1], origin, kMirror));
    mirrors.security.push_back(std::move(security));
  } else {
    mirrors.security.push_back(debian + "-security");
  }
  mirrors.debian.push_back(std::move(debian));
  return mirrors;
}

Result<Mirrors> find_mirrors(const MirrorChoice& choice) {
  if (!trim(choice.option).empty()) return parse_mirrors(choice.option, "--mirror");
  if (!trim(choice.environment).empty()) return parse_mirrors(choice.environment, "MAILSTEAD_MIRROR");
  return mirrors_of_machine(choice.apt_folder);
}

Result<std::string> find_snapshot_archive(std::string_view option, std::string_view environment) {
  const bool by_option = !trim(option).empty();
  const std::string_view text = trim(by_option ? option : environment);
  if (text.empty()) return std::string(kSnapshotArchive);
  if (text == "none") return std::string();
  return canonical_address(text, by_option ? "--snapshot" : "MAILSTEAD_SNAPSHOT", kSnapshot);
}

}  // namespace mailstead::lock
