// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/shortfall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lock/text.hpp"

namespace mailstead::fetch {
namespace {

std::string way_on(const FetchOptions& options) {
  return fmt::format("`{}` moves on to the versions that the archive has now", options.update_command);
}

/// The packages that are nowhere, for one answer of the snapshot archive.
Error describe_gone(SnapshotAnswer answer, std::vector<std::string> names, const std::string& reason,
                    const FetchOptions& options) {
  const bool one = names.size() == 1;
  const std::string lost = fmt::format("{} of the locked packages {}", names.size(), one ? "is" : "are");
  Error error{ErrorKind::network, lost + " no longer on the mirrors", {}, way_on(options), {}, {}};
  error.notes = std::move(names);
  switch (answer) {
    case SnapshotAnswer::lacking:
      error.message = fmt::format("{} gone: neither the mirrors nor the snapshot archive {} has {}", lost,
                                  options.snapshot, one ? "it" : "them");
      break;
    case SnapshotAnswer::unreachable:
      error.message += fmt::format(", and the snapshot archive {} could not be reached", options.snapshot);
      error.hint = "try again later, what has arrived is kept; or " + way_on(options);
      error.notes.push_back(reason);
      break;
    case SnapshotAnswer::turned_off:
      error.message += ", and the snapshot archive is turned off";
      error.hint =
          "without --snapshot none (or MAILSTEAD_SNAPSHOT=none) it is asked for them; or " + way_on(options);
      break;
    case SnapshotAnswer::not_asked:
      error.hint =
          "when every mirror has answered, the snapshot archive is asked for them; or " + way_on(options);
      break;
  }
  return error;
}

Error describe_wrong(const Lost& lost, const std::string& reason, const FetchOptions& options) {
  Error error = lost.wrong_bytes.front();
  error.hint = fmt::format(
      "`{}` pins what the archive has now; if the bytes still differ, use another mirror: --mirror",
      options.update_command);
  for (auto it = lost.wrong_bytes.begin() + 1; it != lost.wrong_bytes.end(); ++it)
    error.notes.push_back(it->message);
  if (lost.answer == SnapshotAnswer::turned_off)
    error.notes.emplace_back("the snapshot archive is turned off");
  if (lost.answer == SnapshotAnswer::lacking)
    error.notes.push_back(
        fmt::format("the snapshot archive {} does not have the locked one", options.snapshot));
  if (lost.answer == SnapshotAnswer::unreachable)
    error.notes.push_back(
        fmt::format("the snapshot archive {} could not be reached: {}", options.snapshot, reason));
  return error;
}

}  // namespace

std::string name_of(const lock::Package& package) {
  return package.name + " " + package.version;
}

Error describe_lost(std::vector<Lost> lost, const std::string& reason, const FetchOptions& options) {
  std::sort(lost.begin(), lost.end(),
            [](const Lost& a, const Lost& b) { return name_of(a.package) < name_of(b.package); });
  std::vector<Error> errors;
  std::map<SnapshotAnswer, std::vector<std::string>> gone;
  for (const Lost& one : lost) {
    if (one.wrong_bytes.empty()) {
      gone[one.answer].push_back(name_of(one.package));
    } else {
      errors.push_back(describe_wrong(one, reason, options));
    }
  }
  for (auto& [answer, names] : gone)
    errors.push_back(describe_gone(answer, std::move(names), reason, options));
  const auto silent =
      std::find_if(lost.begin(), lost.end(), [](const Lost& one) { return !one.unanswered.empty(); });
  if (silent != lost.end())
    errors.back().notes.push_back("not every mirror has said whether it has them: " + silent->unanswered);
  return join_errors(std::move(errors));
}

Error describe_trouble(const std::vector<Failed>& failed, const std::vector<std::string>& troubles,
                       const FetchOptions& options) {
  std::vector<Error> errors;
  std::vector<Lost> lost;
  const Failed* first = nullptr;
  std::vector<std::string> likewise;
  for (const Failed& one : failed) {
    switch (one.failure) {
      case Transfer::Failure::none:
        break;
      case Transfer::Failure::lacking:
        lost.push_back({one.package, one.wrong_bytes, SnapshotAnswer::not_asked, {}});
        break;
      case Transfer::Failure::local:
        return one.error;
      case Transfer::Failure::unusable:
      case Transfer::Failure::unreachable:
        if (first == nullptr) {
          first = &one;
        } else {
          likewise.push_back(name_of(one.package));
        }
        break;
    }
  }
  if (first != nullptr) {
    Error error = first->error;
    std::sort(likewise.begin(), likewise.end());
    if (!likewise.empty()) error.notes.push_back("nor " + lock::list_some(likewise));
    if (troubles.size() > 1) error.notes.insert(error.notes.end(), troubles.begin(), troubles.end());
    errors.push_back(std::move(error));
  }
  if (!lost.empty()) errors.push_back(describe_lost(std::move(lost), {}, options));
  return join_errors(std::move(errors));
}

}  // namespace mailstead::fetch
