// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/mirrors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>

#include "base/files.hpp"
#include "lock/openpgp.hpp"
#include "lock/signed_by.hpp"
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

/// What is wrong with the host and port of an address behind its scheme; or nothing.
std::string_view problem_of_authority(std::string_view authority) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    if (authority.substr(0, at).find_first_of("[]@") != std::string_view::npos)
      return "which has an '@' or a bracket in its password: write %40, %5b and %5d there";
    authority.remove_prefix(at + 1);
  }
  std::string_view host = authority.substr(0, authority.find(':'));
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return "which has a bracket that nothing closes";
    host = authority.substr(0, end + 1);
    if (host.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos ||
        end < 3)
      return "whose brackets do not hold an IPv6 address";
  } else if (host.find_first_of("[]") != std::string_view::npos) {
    return "which has characters that an address cannot have";
  }
  if (host.empty()) return "which has no host or folder";
  const std::string_view port = authority.substr(host.size());
  if (port.empty()) return {};
  const bool is_port = port.starts_with(':') && port.size() > 1 && port.size() <= 6 &&
                       port.find_first_not_of("0123456789", 1) == std::string_view::npos;
  return is_port ? std::string_view() : "which has a port that is not a number";
}

/// What is wrong with an address that begins with "http://" or the like; or nothing.
std::string_view problem_of(std::string_view address) {
  const auto begin = address.find("://") + 3;
  const std::string_view authority = address.substr(begin, address.find('/', begin) - begin);
  const std::string_view path = address.substr(begin + authority.size());
  if (path.find('@') != std::string_view::npos)
    return "which has an '@' in its path: write %40 there, and %2f for a '/' in a password";
  if (path.find_first_of("[]") != std::string_view::npos)
    return "which has characters that an address cannot have";
  if (!address.starts_with("file:")) return problem_of_authority(authority);
  if (!authority.empty()) return "which names a host: a local folder is file:///folder";
  return path.empty() ? "which has no host or folder" : "";
}

/// An address in the form in which it is kept: checked, "file:///" for local ones, no final slash.
Result<Address> canonical_address(std::string_view text, std::string_view origin, const Purpose& purpose) {
  std::string address(text);
  const auto refuse = [&](std::string_view why) {
    return fail(
        ErrorKind::usage,
        fmt::format("{} names the {} '{}', {}", origin, purpose.noun, Address(std::string(text)), why),
        std::string(purpose.how_to_name));
  };
  const bool printable = std::all_of(address.begin(), address.end(), [](unsigned char c) {
    return c > ' ' && c < 127 &&
           std::string_view("\"'<>\\^`{|}#?").find(static_cast<char>(c)) == std::string_view::npos;
  });
  if (!printable) return refuse("which has characters that an address cannot have");
  // apt reads local folders by either of two methods.
  if (address.starts_with("copy:/")) address.replace(0, 4, "file");
  if (address.starts_with("file:/") && !address.starts_with("file://")) address.insert(5, "//");
  const auto scheme_end = address.find("://");
  const std::string scheme = scheme_end == std::string::npos ? "" : address.substr(0, scheme_end);
  if (scheme != "http" && scheme != "https" && scheme != "file") {
    return refuse("which is not an address that begins with http://, https:// or file:///");
  }
  while (address.ends_with('/') && address.size() > scheme_end + 3) address.pop_back();
  if (const std::string_view problem = problem_of(address); !problem.empty()) return refuse(problem);
  return Address(std::move(address));
}

/// A third party's archive may carry Debian's suite and component names, but not Debian's keys.
bool is_debian(const AptSource& source, const std::set<std::string>& archive_keys) {
  if (std::find(source.components.begin(), source.components.end(), "main") == source.components.end())
    return false;
  if (source.signed_by.empty()) return true;
  const auto keys = keys_named_by(source.signed_by);
  return std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return archive_keys.contains(key); });
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

/// The addresses in a mirror list (apt-transport-mirror(1)), those of the least number of priority first.
std::vector<Address> read_mirror_list(std::string_view text) {
  std::vector<std::pair<unsigned, Address>> found;
  for (const auto line : split_lines(text)) {
    const auto words = split_words(line.substr(0, line.find('#')));
    if (words.empty()) continue;
    unsigned priority = std::numeric_limits<unsigned>::max();
    for (const auto word : words) {
      constexpr std::string_view kPriority = "priority:";
      if (word.starts_with(kPriority))
        std::from_chars(word.data() + kPriority.size(), word.data() + word.size(), priority);
    }
    found.emplace_back(priority, std::string(words.front()));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Address> addresses;
  for (auto& [priority, address] : found) addresses.push_back(std::move(address));
  return addresses;
}

/// "mirror+file:/etc/apt/mirrors/debian.list" (Debian's cloud images) stands for the addresses in that file.
std::vector<Address> addresses_of(const Address& uri) {
  constexpr std::string_view kMirrorFile = "mirror+file:";
  std::string path = uri.exact();
  if (!path.starts_with(kMirrorFile)) return {uri};
  path.erase(0, kMirrorFile.size());
  while (path.starts_with("//")) path.erase(0, 1);
  while (path.ends_with('/')) path.pop_back();
  const auto text = read_file(path, 1 << 20);
  return text ? read_mirror_list(*text) : std::vector<Address>();
}

void add_once(std::vector<Address>& list, Address value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

Result<Mirrors> mirrors_of_machine(const MachineApt& apt, const std::filesystem::path& keyring) {
  Mirrors mirrors;
  TRY(const auto sources, apt.sources());
  const auto keys = keys_named_by(keyring.string());
  std::vector<std::string> passed_over;
  for (const AptSource& source : sources) {
    const Kind kind = kind_of_suite(source.suite);
    if (kind == Kind::other) continue;
    if (!is_debian(source, keys)) {
      passed_over.push_back(
          fmt::format("not used: {} {} ({}) is another archive than Debian's: it lacks 'main', or is "
                      "not signed by a key of {}",
                      source.uri, source.suite, source.file, keyring.string()));
      continue;
    }
    for (const auto& uri : addresses_of(source.uri)) {
      // Schemes that only APT speaks (cdrom:, tor+http:, mirror:) are of no use for downloads of our own.
      auto address = canonical_address(uri.exact(), "APT (" + source.file + ")", kMirror);
      if (address)
        add_once(kind == Kind::security ? mirrors.security : mirrors.debian, *std::move(address));
      else
        passed_over.push_back("not used: " + address.error().message);
    }
  }
  if (mirrors.debian.empty())
    return fail(Error{ErrorKind::usage,
                      "no Debian mirror is known: the APT sources of this machine name none",
                      {},
                      std::string(kHowToName),
                      std::move(passed_over),
                      {}});
  // An archive without a keyring of its own may still be a third party's; one that is called debian comes
  // first.
  std::stable_partition(mirrors.debian.begin(), mirrors.debian.end(), [](const Address& address) {
    return address.exact().find("/debian") != std::string::npos;
  });
  if (mirrors.security.empty()) {
    for (const auto& address : mirrors.debian) mirrors.security.emplace_back(address.exact() + "-security");
  }
  return mirrors;
}

}  // namespace

Result<Mirrors> parse_mirrors(std::string_view text, std::string_view origin) {
  const auto words = split_words(text);
  if (words.empty() || words.size() > 2) {
    return fail(
        ErrorKind::usage,
        fmt::format("{} must contain one address, or two (main and security) separated by a space", origin),
        std::string(kHowToName));
  }
  Mirrors mirrors;
  TRY(auto debian, canonical_address(words[0], origin, kMirror));
  if (words.size() == 2) {
    TRY(auto security, canonical_address(words[1], origin, kMirror));
    mirrors.security.push_back(std::move(security));
  } else {
    mirrors.security.emplace_back(debian.exact() + "-security");
  }
  mirrors.debian.push_back(std::move(debian));
  return mirrors;
}

Result<Mirrors> find_mirrors(const MirrorChoice& choice, const std::filesystem::path& keyring) {
  if (!trim(choice.option).empty()) return parse_mirrors(choice.option, "--mirror");
  if (!trim(choice.environment).empty()) return parse_mirrors(choice.environment, "MAILSTEAD_MIRROR");
  return mirrors_of_machine(choice.apt, keyring);
}

Result<Address> find_snapshot_archive(std::string_view option, std::string_view environment) {
  const bool by_option = !trim(option).empty();
  const std::string_view text = trim(by_option ? option : environment);
  if (text.empty()) return Address(std::string(kSnapshotArchive));
  if (text == "none") return Address();
  return canonical_address(text, by_option ? "--snapshot" : "MAILSTEAD_SNAPSHOT", kSnapshot);
}

}  // namespace mailstead::lock
