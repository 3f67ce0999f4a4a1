// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/security.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/files.hpp"
#include "lock/apt.hpp"
#include "lock/grammar.hpp"
#include "lock/text.hpp"
#include "lock/version.hpp"

namespace mailstead::lock {
namespace {

constexpr std::string_view kStateFormat = "mailstead-security 1";
constexpr std::uint64_t kLargestState = 16u << 20;
/// After a failure another hour is waited, after a success a day (pipeline/security.cpp).
constexpr std::int64_t kFailureAge = 23 * 3600;

std::filesystem::path state_file(const SecuritySuite& suite, const std::filesystem::path& cache) {
  return cache / "security" / fmt::format("{}-{}", suite.suite, suite.architecture);
}

std::int64_t read_time(std::string_view text) {
  std::int64_t time = 0;
  std::from_chars(text.data(), text.data() + text.size(), time);
  return time;
}

Status save(const SecuritySuite& suite, const SecurityState& state, const std::filesystem::path& cache) {
  std::string text = fmt::format("{}\nasked {}\ndate {}\n", kStateFormat, state.asked, state.date);
  for (const auto& [name, version] : state.newest) text += fmt::format("{} {}\n", name, version);
  const auto file = state_file(suite, cache);
  CHECK_OK(make_directories(file.parent_path()));
  return write_file(file, text);
}

Result<SecurityState> read_index(const Apt& apt) {
  SecurityState state;
  TRY(state.date, apt.archive_time());
  TRY(const auto indexes, apt.indexes());
  for (const auto& [suite, file] : indexes) CHECK_OK(collect_newest(file, state.newest));
  return state;
}

}  // namespace

SecurityState load_security_state(const SecuritySuite& suite, const std::filesystem::path& cache) {
  const auto text = read_file(state_file(suite, cache), kLargestState);
  if (!text) return {};
  SecurityState state;
  const auto lines = split_lines(*text);
  if (lines.size() < 3 || lines[0] != kStateFormat || !lines[1].starts_with("asked ") ||
      !lines[2].starts_with("date "))
    return {};
  state.asked = read_time(lines[1].substr(6));
  state.date = read_time(lines[2].substr(5));
  for (std::size_t i = 3; i < lines.size(); ++i) {
    const auto words = split_words(lines[i]);
    if (words.size() == 2 && is_package_name(words[0]) && is_version(words[1]))
      state.newest.emplace(words[0], words[1]);
  }
  return state;
}

Result<SecurityState> ask_security_archive(const SecuritySuite& suite, const std::vector<Address>& mirrors,
                                           const std::filesystem::path& cache,
                                           const SecurityOptions& options) {
  std::vector<MirrorFailure> failures;
  for (const Address& mirror : mirrors) {
    TRY(auto apt, Apt::open(cache / "apt", {suite.suite,
                                            suite.architecture,
                                            {},
                                            mirror,
                                            options.keyring,
                                            options.transport,
                                            options.time_limit}));
    auto failed = apt.update();
    if (!failed) {
      // Out of time.
      if (failed.error().kind != ErrorKind::tool) return fail(std::move(failed).error());
      failures.push_back({true, std::move(failed).error()});
      continue;
    }
    if (failed->empty()) {
      TRY(SecurityState state, read_index(apt));
      state.asked = options.now;
      CHECK_OK(save(suite, state, cache));
      return state;
    }
    failures.insert(failures.end(), failed->begin(), failed->end());
  }
  SecurityState before = load_security_state(suite, cache);
  before.asked = options.now - kFailureAge;
  CHECK_OK(save(suite, before, cache));
  return fail(join_failures(failures));
}

std::vector<SecurityUpdate> find_security_updates(const std::vector<VersionedPackage>& packages,
                                                  const SecurityState& state) {
  std::vector<SecurityUpdate> updates;
  for (const VersionedPackage& package : packages) {
    const auto known = state.newest.find(package.name);
    if (known != state.newest.end() && compare_versions(package.version, known->second) < 0)
      updates.push_back({package.name, package.version, known->second});
  }
  return updates;
}

}  // namespace mailstead::lock
