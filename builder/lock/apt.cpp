// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/apt.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/interrupt.hpp"
#include "base/limits.hpp"
#include "crypto/digest.hpp"
#include "lock/text.hpp"

namespace mailstead::lock {
namespace {

namespace fs = std::filesystem;

/// apt.conf(5) has no way to write these inside of a quoted value.
bool fits_in_quotes(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c >= ' ' && c != '"' && c != 127; });
}

/// Whether apt keeps a Release file under this name ("mirror.example_debian_dists_trixie_InRelease").
bool is_release_file(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.ends_with("_InRelease") || name.ends_with("_Release");
}

Result<FileDescriptor> lock_folder(const fs::path& folder) {
  const fs::path file = folder / "in-use";
  FileDescriptor guard(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!guard) return fail(ErrorKind::io, fmt::format("cannot open {}: {}", file.string(), strerror(errno)));
  while (::flock(guard.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return fail(ErrorKind::io, fmt::format("cannot lock {}: {}", file.string(), strerror(errno)));
    CHECK_OK(check_interrupt());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return guard;
}

/// An address as apt reads it.
std::string apt_address(const Address& mirror) {
  const std::string& exact = mirror.exact();
  return exact.starts_with("file:///") ? "file:" + exact.substr(7) : exact;
}

}  // namespace

std::vector<std::pair<std::string, Address>> suites_of(const AptSetup& setup) {
  std::vector<std::pair<std::string, Address>> suites{{setup.suite + "-security", setup.security}};
  if (!setup.debian.empty())
    suites.insert(suites.begin(), {{setup.suite, setup.debian}, {setup.suite + "-updates", setup.debian}});
  return suites;
}

Apt::Apt(AptSetup setup, fs::path folder, FileDescriptor guard)
    : setup_(std::move(setup)), folder_(std::move(folder)), guard_(std::move(guard)) {}

Result<Apt> Apt::open(const fs::path& parent, AptSetup setup) {
  std::error_code error;
  if (!fs::is_regular_file(setup.keyring, error)) {
    return fail(ErrorKind::usage,
                fmt::format("the keyring {} that Debian's archive is verified with is missing",
                            setup.keyring.string()),
                "install the package debian-archive-keyring");
  }
  const std::string identity = fmt::format("{}\n{}\n{}\n{}\n{}\n", setup.suite, setup.architecture,
                                           setup.debian, setup.security, setup.keyring.string());
  const fs::path folder = fs::absolute(parent, error) / crypto::sha256_hex(identity).substr(0, 16);
  if (error || !fits_in_quotes(folder.string()) ||
      setup.keyring.string().find_first_of(" \t\n]\"") != std::string::npos) {
    return fail(
        ErrorKind::usage,
        fmt::format(
            "apt cannot work below {} with the keyring {}: a name has a character that it cannot write down",
            folder.string(), setup.keyring.string()),
        "choose another cache folder with MAILSTEAD_CACHE");
  }
  for (const char* part :
       {"state/lists/partial", "cache/archives/partial", "etc/parts", "etc/sources", "log", "tmp"}) {
    CHECK_OK(make_directories(folder / part));
  }
  TRY(auto guard, lock_folder(folder));
  Apt apt(std::move(setup), folder, std::move(guard));
  CHECK_OK(apt.write_configuration());
  return apt;
}

Status Apt::write_configuration() const {
  // In the deb822 format: of the one-line format apt would decode the percent signs of a password.
  std::string sources;
  for (const auto& [suite, mirror] : suites_of(setup_)) {
    sources += fmt::format("Types: deb\nURIs: {}\nSuites: {}\nComponents: main\nSigned-By: {}\n\n",
                           apt_address(mirror), suite, setup_.keyring.string());
  }
  // Not for others: an address may have a password.
  CHECK_OK(write_file(folder_ / "etc/sources/archive.sources", sources, 0600));
  CHECK_OK(write_file(folder_ / "state/status", ""));
  // APT_CONFIG is read first, so that /etc/apt/apt.conf and its parts are never opened; whatever they would
  // set is apt's own default. Every Dir:: is named because apt's defaults lead into the machine's own
  // folders.
  const std::string home = folder_.string();
  std::string text;
  const auto set = [&text](std::string_view key, std::string_view value) {
    text += fmt::format("{} \"{}\";\n", key, value);
  };
  set("Dir::State", home + "/state/");
  set("Dir::State::lists", home + "/state/lists/");
  set("Dir::State::status", home + "/state/status");
  set("Dir::State::extended_states", home + "/state/extended_states");
  set("Dir::Cache", home + "/cache/");
  set("Dir::Cache::archives", home + "/cache/archives/");
  set("Dir::Cache::srcpkgcache", "");
  set("Dir::Etc", home + "/etc/");
  set("Dir::Etc::sourcelist", "/dev/null");
  set("Dir::Etc::sourceparts", home + "/etc/sources/");
  set("Dir::Etc::trusted", "/dev/null");
  set("Dir::Etc::main", "/dev/null");
  const std::string auth_folder = setup_.transport.auth_folder.string();
  set("Dir::Etc::netrc", setup_.transport.auth_file.string());
  set("Dir::Etc::netrcparts", auth_folder.empty() ? home + "/etc/parts/" : auth_folder);
  set("Dir::Etc::preferences", "/dev/null");
  for (const char* parts : {"trustedparts", "parts", "preferencesparts"}) {
    set(fmt::format("Dir::Etc::{}", parts), home + "/etc/parts/");
  }
  set("Dir::Log", home + "/log/");
  set("APT::Architecture", setup_.architecture);
  text += fmt::format("APT::Architectures {{ \"{}\"; }};\n", setup_.architecture);
  set("APT::Install-Recommends", "false");
  set("APT::Install-Suggests", "false");
  // One answer whichever apt solves: 3.0 brought a second solver.
  set("APT::Solver", "internal");
  set("APT::Sandbox::User", "root");
  set("APT::Update::Error-Mode", "any");
  set("APT::Color", "false");
  set("APT::Get::Show-User-Simulation-Note", "false");
  set("Acquire::Languages", "none");
  set("Acquire::GzipIndexes", "false");
  set("Acquire::PDiffs", "false");
  set("Acquire::Retries", "3");
  set("Acquire::http::Timeout", "30");
  set("Acquire::https::Timeout", "30");
  text += setup_.transport.apt_configuration();
  set("Acquire::ForceHash", "SHA256");
  set("Acquire::Check-Valid-Until", "true");
  set("Acquire::Check-Date", "true");
  for (const char* danger :
       {"AllowInsecureRepositories", "AllowWeakRepositories", "AllowDowngradeToInsecureRepositories"}) {
    set(fmt::format("Acquire::{}", danger), "false");
  }
  // On release day "stable" becomes "oldstable" in the index of a suite that we ask for by its code name.
  set("Acquire::AllowReleaseInfoChange", "true");
  set("APT::Get::AllowUnauthenticated", "false");
  return write_file(folder_ / "apt.conf", text, 0600);
}

Command Apt::command(std::vector<std::string> arguments) const {
  Command command;
  command.argv = std::move(arguments);
  command.argv.insert(command.argv.begin(), "apt-get");
  command.env["APT_CONFIG"] = (folder_ / "apt.conf").string();
  command.env["TMPDIR"] = (folder_ / "tmp").string();
  // Programs get an environment made from nothing; the way out to the network is the user's to say.
  for (const char* name : {"http_proxy", "https_proxy", "no_proxy"}) {
    if (const char* value = std::getenv(name)) command.env[name] = value;
  }
  command.timeout = std::chrono::seconds(900);
  return command;
}

Result<std::vector<MirrorFailure>> Apt::update() {
  Command update = command({"-q", "update"});
  update.timeout = setup_.time_limit;
  TRY(const auto output, run_any_status(update));
  if (output.exit_status == 0) return check_suites();
  const std::string said = output.out + output.err;
  for (const std::string_view full : {"No space left on device", "Disk quota exceeded"}) {
    if (said.find(full) != std::string::npos)
      return fail(ErrorKind::io,
                  fmt::format("the indexes of the archive cannot be kept in {}: {}", folder_.string(), full),
                  kCacheFull);
  }
  if (auto limit = limit_told_by("apt-get", output.err)) return fail(*std::move(limit));
  return explain_update_failure(setup_, said);
}

Result<std::vector<Identity>> Apt::solve(const std::vector<std::string>& names, bool essential) {
  std::vector<std::string> arguments{"-q", "-y", "--print-uris", "--no-remove", "install"};
  if (essential) arguments.emplace_back("?essential");
  arguments.insert(arguments.end(), names.begin(), names.end());
  TRY(auto output, run_any_status(command(std::move(arguments))));
  if (output.exit_status != 0) return fail(explain_solve_failure(output.out + output.err));
  TRY(auto packages, parse_print_uris(output.out));
  // A name that is not a package may still have solved: apt reads "a.c" as a pattern, "x-" as an order to
  // remove x, and a virtual name as its only provider. None of these would be the same tomorrow.
  std::vector<std::string> missing;
  for (const auto& name : names) {
    const auto has_name = [&name](const Identity& identity) { return std::get<0>(identity) == name; };
    if (std::none_of(packages.begin(), packages.end(), has_name)) missing.push_back(name);
  }
  if (!missing.empty()) {
    return fail(ErrorKind::usage,
                fmt::format("the archive has no package of the name {}", list_some(missing)),
                "ask for the package that provides it");
  }
  return packages;
}

Result<std::vector<std::pair<std::string, fs::path>>> Apt::indexes() const {
  TRY(auto output,
      run(command({"indextargets", "--format", "$(RELEASE) $(FILENAME)", "Created-By: Packages"})));
  std::vector<std::pair<std::string, fs::path>> indexes;
  for (const auto line : split_lines(output.out)) {
    const auto space = line.find(' ');
    if (space != std::string_view::npos) indexes.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return indexes;
}

Status Apt::look_up(std::map<Identity, Package>& wanted) {
  TRY(auto found, indexes());
  // The main archive first: it keeps a version that both have for longer.
  const auto is_security = [](const auto& index) { return index.first.ends_with("-security"); };
  std::stable_partition(found.begin(), found.end(), [&](const auto& index) { return !is_security(index); });
  for (const auto& index : found) {
    CHECK_OK(fill_from_index(index.second, is_security(index) ? "debian-security" : "debian", wanted));
  }
  for (const auto& [identity, package] : wanted) {
    if (package.sha256.empty()) {
      return fail(ErrorKind::internal,
                  fmt::format("apt chose {} {}, which is in none of the indexes that it verified",
                              package.name, package.version));
    }
  }
  return ok();
}

Result<std::vector<Release>> Apt::releases() const {
  std::vector<Release> releases;
  std::error_code error;
  for (fs::directory_iterator it(folder_ / "state/lists", error), end; !error && it != end;
       it.increment(error)) {
    if (!is_release_file(it->path())) continue;
    TRY(auto text, read_file(it->path(), 64u << 20));
    TRY(auto release, parse_release(text, it->path().filename().string()));
    releases.push_back(std::move(release));
  }
  if (error) return fail(ErrorKind::io, fmt::format("cannot read {}: {}", folder_.string(), error.message()));
  return releases;
}

/// A mirror could answer with another suite's Release, which is as validly signed; apt only warns.
Result<std::vector<MirrorFailure>> Apt::check_suites() const {
  TRY(const auto found, releases());
  std::vector<MirrorFailure> failures;
  for (const auto& [suite, mirror] : suites_of(setup_)) {
    const bool answered = std::any_of(found.begin(), found.end(), [&name = suite](const Release& release) {
      return name == release.codename || name == release.suite;
    });
    if (answered) continue;
    failures.push_back(
        {suite.ends_with("-security"),
         Error{ErrorKind::integrity,
               fmt::format("the mirror {} answers for the suite {} with an index of another one", mirror,
                           suite),
               {},
               "use another mirror: --mirror",
               {},
               {}}});
  }
  return failures;
}

Result<std::int64_t> Apt::archive_time() const {
  TRY(const auto found, releases());
  std::int64_t newest = 0;
  for (const Release& release : found) newest = std::max(newest, release.date);
  return newest;
}

}  // namespace mailstead::lock
