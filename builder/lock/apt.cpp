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

/// Suites of the archive that are asked, each with its mirror.
std::vector<std::pair<std::string, std::string>> suites_of(const AptSetup& setup) {
  return {{setup.suite, setup.debian},
          {setup.suite + "-updates", setup.debian},
          {setup.suite + "-security", setup.security}};
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

}  // namespace

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
  for (const char* part : {"state/lists/partial", "cache/archives/partial", "etc/parts", "log", "tmp"}) {
    CHECK_OK(make_directories(folder / part));
  }
  TRY(auto guard, lock_folder(folder));
  Apt apt(std::move(setup), folder, std::move(guard));
  CHECK_OK(apt.write_configuration());
  return apt;
}

Status Apt::write_configuration() const {
  std::string sources;
  for (const auto& [suite, mirror] : suites_of(setup_)) {
    sources += fmt::format("deb [signed-by={}] {} {} main\n", setup_.keyring.string(),
                           mirror.starts_with("file:///") ? "file:" + mirror.substr(7) : mirror, suite);
  }
  CHECK_OK(write_file(folder_ / "etc/sources.list", sources));
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
  set("Dir::Etc::sourcelist", home + "/etc/sources.list");
  set("Dir::Etc::trusted", "/dev/null");
  set("Dir::Etc::main", "/dev/null");
  set("Dir::Etc::netrc", "/dev/null");
  set("Dir::Etc::preferences", "/dev/null");
  for (const char* parts : {"sourceparts", "trustedparts", "parts", "netrcparts", "preferencesparts"}) {
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
  return write_file(folder_ / "apt.conf", text);
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

Status Apt::update() {
  TRY(auto output, run_any_status(command({"-q", "update"})));
  if (output.exit_status != 0) return fail(explain_update_failure(setup_, output.out + output.err));
  return ok();
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

Status Apt::look_up(std::map<Identity, Package>& wanted) {
  TRY(auto output,
      run(command({"indextargets", "--format", "$(RELEASE) $(FILENAME)", "Created-By: Packages"})));
  std::vector<std::pair<bool, std::string>> indexes;
  for (const auto line : split_lines(output.out)) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    indexes.emplace_back(line.substr(0, space).ends_with("-security"), line.substr(space + 1));
  }
  // The main archive first: it keeps a version that both have for longer.
  std::sort(indexes.begin(), indexes.end());
  for (const auto& [security, file] : indexes) {
    CHECK_OK(fill_from_index(file, security ? "debian-security" : "debian", wanted));
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

Result<std::int64_t> Apt::archive_time() const {
  std::int64_t newest = 0;
  std::error_code error;
  std::vector<std::string> expected;
  for (const auto& [suite, mirror] : suites_of(setup_)) expected.push_back(suite);
  for (fs::directory_iterator it(folder_ / "state/lists", error), end; !error && it != end;
       it.increment(error)) {
    if (!is_release_file(it->path())) continue;
    TRY(auto text, read_file(it->path(), 64u << 20));
    TRY(auto release, parse_release(text, it->path().filename().string()));
    newest = std::max(newest, release.date);
    // A mirror could answer with another suite's Release, which is as validly signed; apt only warns.
    std::erase_if(expected, [&](const std::string& suite) {
      return suite == release.codename || suite == release.suite;
    });
  }
  if (error) return fail(ErrorKind::io, fmt::format("cannot read {}: {}", folder_.string(), error.message()));
  if (!expected.empty()) {
    return fail(ErrorKind::integrity,
                fmt::format("the mirror {} answers for the suite {} with an index of another one",
                            expected.front().ends_with("-security") ? setup_.security : setup_.debian,
                            expected.front()),
                "use another mirror: --mirror");
  }
  return newest;
}

}  // namespace mailstead::lock
