// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/machine_apt.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/files.hpp"
#include "base/limits.hpp"
#include "lock/signed_by.hpp"
#include "lock/text.hpp"
#include "text/percent.hpp"

namespace mailstead::lock {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestFile = 1 << 20;

std::vector<fs::path> auth_files(const Transport& transport) {
  std::vector<fs::path> parts;
  std::error_code error;
  for (fs::directory_iterator it(transport.auth_folder, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".conf") parts.push_back(it->path());
  }
  std::sort(parts.begin(), parts.end());
  parts.insert(parts.begin(), transport.auth_file);
  return parts;
}

/// Takes in one architecture's index of a suite.
void add(AptSource target, std::vector<AptSource>& sources) {
  const auto same = std::find_if(sources.begin(), sources.end(), [&](const AptSource& source) {
    return source.uri == target.uri && source.suite == target.suite && source.file == target.file;
  });
  if (same == sources.end()) {
    sources.push_back(std::move(target));
  } else {
    same->components.insert(same->components.end(), target.components.begin(), target.components.end());
  }
}

}  // namespace

Result<std::string> MachineApt::ask(std::vector<std::string> argv, std::string_view what) const {
  Command command;
  command.argv = std::move(argv);
  command.timeout = std::chrono::seconds(60);
  if (!config_.empty()) {
    command.env["APT_CONFIG"] = config_.string();
  } else if (const char* named = std::getenv("APT_CONFIG")) {
    command.env["APT_CONFIG"] = named;
  }
  // A machine without APT has neither sources nor settings.
  if (!is_installed(command.argv[0])) return std::string();
  TRY(const CommandOutput output, run_any_status(command));
  if (output.exit_status == 0) return output.out;
  if (auto limit = limit_told_by(command.argv[0], output.err)) return fail(*std::move(limit));
  Error error{ErrorKind::usage,
              fmt::format("APT cannot read its {} on this machine", what),
              {},
              "correct what it names, or give a mirror with --mirror",
              {},
              {}};
  for (const auto line : split_lines(output.err)) {
    if (line.starts_with("E: ")) error.notes.push_back("apt says: " + without_credentials(line.substr(3)));
  }
  return fail(std::move(error));
}

Result<std::vector<AptSource>> MachineApt::sources() const {
  std::vector<AptSource> sources;
  TRY(const std::string architecture,
      ask({"apt-config", "shell", "A", "APT::Architecture"}, "configuration"));
  // Without the state of this machine, which takes its time: only what is configured is of interest.
  TRY(const std::string targets,
      ask({"apt-get", "--no-release-info", "-o", "Dir::State::lists=/var/empty/", "-o",
           "Dir::State::status=/dev/null", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
           "indextargets", "--format", "$(ARCHITECTURE) $(RELEASE) $(COMPONENT) $(REPO_URI) $(SOURCESENTRY)",
           "Created-By: Packages", "Target-Of: deb"},
          "sources"));
  for (const auto line : split_lines(targets)) {
    const auto words = split_words(line);
    if (words.size() < 5 || architecture != fmt::format("A='{}'\n", words[0])) continue;
    AptSource source{std::string(words[3]), std::string(words[1]), {std::string(words[2])}, {}, {}};
    source.file = words[4].substr(0, words[4].rfind(':'));
    add(std::move(source), sources);
  }
  for (AptSource& source : sources) {
    if (const auto text = read_file(source.file, kLargestFile))
      source.signed_by = find_signed_by(*text, source.uri, source.suite);
  }
  return sources;
}

Result<Transport> MachineApt::transport() const {
  std::map<std::string, std::string> settings;
  TRY(const std::string dump, ask({"apt-config", "dump", "--format", "%F %V%n"}, "configuration"));
  for (const auto line : split_lines(dump)) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos || space + 1 == line.size()) continue;
    settings[lower(text::percent_decoded(line.substr(0, space)))] =
        text::percent_decoded(line.substr(space + 1));
  }
  TRY(const std::string places,
      ask({"apt-config", "shell", "F", "Dir::Etc::netrc/f", "D", "Dir::Etc::netrcparts/d"}, "configuration"));
  Transport found;
  for (const auto line : split_lines(places)) {
    if (line.size() < 5 || line.substr(1, 2) != "='") continue;
    (line.front() == 'F' ? found.auth_file : found.auth_folder) = line.substr(3, line.size() - 4);
  }
  std::vector<AuthEntry> logins;
  std::vector<std::string> unreadable;
  for (const fs::path& file : auth_files(found)) {
    const auto text = read_file(file, kLargestFile);
    if (text) {
      const auto entries = parse_auth(*text);
      logins.insert(logins.end(), entries.begin(), entries.end());
    } else if (::access(file.c_str(), R_OK) != 0 && errno == EACCES) {
      unreadable.push_back(file.string());
    }
  }
  Transport transport(std::move(settings), std::move(logins));
  transport.auth_file = found.auth_file;
  transport.auth_folder = found.auth_folder;
  transport.unreadable = std::move(unreadable);
  return transport;
}

}  // namespace mailstead::lock
