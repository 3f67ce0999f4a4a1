// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lock/apt.hpp"
#include "lock/text.hpp"

namespace mailstead::lock {
namespace {

/// apt's own words, as far as they are errors and warnings, those with `about` in them only.
std::vector<std::string> complaints(std::string_view output, std::string_view about = {}) {
  std::vector<std::string> lines;
  for (const auto line : split_lines(output)) {
    if (!line.starts_with("E: ") && !line.starts_with("W: ") && !line.starts_with("Err:") &&
        !line.starts_with(" "))
      continue;
    if (line.find(about) == std::string_view::npos) continue;
    std::string text =
        "apt says: " +
        without_credentials(trim(line.starts_with("E: ") || line.starts_with("W: ") ? line.substr(3) : line));
    if (lines.size() < 12 && std::find(lines.begin(), lines.end(), text) == lines.end())
      lines.push_back(std::move(text));
  }
  return lines;
}

/// What apt says of one suite.
struct Complaint {
  std::string reason;  ///< why a file of it could not be fetched ("401  Unauthorized"), or empty
  std::string text;    ///< all of it
};

/// "Err:1 http://mirror.example/debian trixie InRelease", and below it, further in, the reason; "E: …" and
/// "W: …" name the suite in an address or as here.
Complaint complaint_about(const std::string& suite, std::string_view output) {
  const std::string in_address = "/dists/" + suite + "/";
  const std::string as_word = " " + suite + " ";
  Complaint complaint;
  bool reason_follows = false;
  for (const auto line : split_lines(output)) {
    if (reason_follows && line.starts_with(' ')) {
      // "[IP: 192.0.2.1 80]" says nothing that the address does not.
      complaint.reason = without_credentials(trim(line.substr(0, line.rfind(" [IP:"))));
      complaint.text += std::string(line) + "\n";
    }
    reason_follows = line.starts_with("Err:") && line.find(as_word) != std::string_view::npos;
    const bool names_it =
        line.find(in_address) != std::string_view::npos || line.find(as_word) != std::string_view::npos;
    if (names_it && (line.starts_with("E: ") || line.starts_with("W: ")))
      complaint.text += std::string(line) + "\n";
  }
  return complaint;
}

struct Meaning {
  std::array<std::string_view, 7> signs;  ///< any of these in apt's output; unused ones are empty
  ErrorKind kind;
  std::string_view message;  ///< "the mirror …"
  std::string_view hint;
};

constexpr std::string_view kOtherMirror =
    "wait some hours for the mirror to be refreshed, or use another one: --mirror";
constexpr std::string_view kAddress = "check the network and the address of the mirror: --mirror";
constexpr std::string_view kLogin =
    "give its user and password in the address or in /etc/apt/auth.conf, or use another mirror: --mirror";

/// In this order: a wrong signature also makes apt say "is not signed", and so does a server that refuses.
constexpr std::array<Meaning, 13> kMeanings = {{
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
    {{"  401 "}, ErrorKind::network, "the server requires a user and a password", kLogin},
    {{"407 Proxy", "  407 ", " 407 "},
     ErrorKind::network,
     "the proxy requires a user and a password",
     "give them in the proxy's address (http_proxy, or Acquire::http::Proxy in /etc/apt/apt.conf)"},
    {{"  403 ", "  451 "}, ErrorKind::network, "the server refuses", "use another mirror: --mirror"},
    {{"NOSPLIT", "Clearsigned file", "into data and signature failed"},
     ErrorKind::network,
     "the server answers with something else than the index of an archive",
     "if this network asks for a login in a browser, log in there; else use another mirror: --mirror"},
    {{"Redirection loop"},
     ErrorKind::network,
     "the server redirects in a loop",
     "use another mirror: --mirror"},
    {{"ould not handshake", "Certificate verification", "certificate"},
     ErrorKind::network,
     "no TLS connection to the server",
     "check the address of the mirror and the clock of this machine; a certificate authority of your own "
     "belongs "
     "into Acquire::https::CaInfo in /etc/apt/apt.conf"},
    {{"  429 ", "  5"},
     ErrorKind::network,
     "the server is in trouble",
     "try again later, or use another mirror: --mirror"},
    {{"Hash Sum mismatch", "unexpected size", "Hashes of expected file", "insufficient security", "weak"},
     ErrorKind::integrity,
     "the index of the archive is not what its signature says",
     kOtherMirror},
    {{"does not have a Release file", "no longer has a Release file"},
     ErrorKind::network,
     "the mirror cannot be reached, or does not have this suite",
     kAddress},
    {{"is not signed", "no longer signed"},
     ErrorKind::integrity,
     "the index of the archive is not signed",
     "use a mirror of Debian itself: --mirror"},
}};

Error explain(const std::string& suite, const Address& mirror, const Complaint& complaint,
              std::string_view output) {
  Error error{ErrorKind::network, {}, {}, std::string(kAddress), complaints(output, suite), {}};
  std::string_view message = "the indexes of the archive cannot be fetched";
  for (const auto& meaning : kMeanings) {
    const bool applies = std::any_of(meaning.signs.begin(), meaning.signs.end(), [&](std::string_view sign) {
      return !sign.empty() && complaint.text.find(sign) != std::string::npos;
    });
    if (!applies) continue;
    error.kind = meaning.kind;
    message = meaning.message;
    error.hint = meaning.hint;
    break;
  }
  error.message = fmt::format("{} ({} from {}{}{})", message, suite, mirror,
                              complaint.reason.empty() ? "" : ": ", complaint.reason);
  return error;
}

}  // namespace

std::vector<MirrorFailure> explain_update_failure(const AptSetup& setup, std::string_view output) {
  std::vector<MirrorFailure> failures;
  for (const auto& [suite, mirror] : suites_of(setup)) {
    const Complaint complaint = complaint_about(suite, output);
    const bool security = suite.ends_with("-security");
    const bool known = !failures.empty() && failures.back().security == security;
    if (!complaint.text.empty() && !known)
      failures.push_back({security, explain(suite, mirror, complaint, output)});
  }
  if (!failures.empty()) return failures;
  for (const auto& [suite, mirror] : suites_of(setup)) {
    if (suite != setup.suite + "-updates")
      failures.push_back({suite != setup.suite, explain(suite, mirror, {}, output)});
  }
  for (MirrorFailure& failure : failures) failure.error.notes = complaints(output);
  return failures;
}

Error join_failures(const std::vector<MirrorFailure>& failures) {
  if (failures.size() == 1) return failures.front().error;
  const bool untrusted = std::any_of(failures.begin(), failures.end(), [](const MirrorFailure& failure) {
    return failure.error.kind == ErrorKind::integrity;
  });
  Error error{untrusted ? ErrorKind::integrity : ErrorKind::network,
              "no mirror gives an index of the archive that can be used",
              {},
              failures.back().error.hint,
              {},
              {}};
  for (const MirrorFailure& failure : failures) error.notes.push_back(failure.error.message);
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
