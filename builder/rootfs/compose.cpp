// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/compose.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "base/interrupt.hpp"
#include "base/program.hpp"
#include "base/threads.hpp"
#include "rootfs/deb.hpp"

namespace mailstead::rootfs {

namespace {

/// debian-policy 9.1.1 and base-files: the top-level folders that are links into usr/, each to the one of its
/// own name.
constexpr std::array<std::string_view, 7> kMergedFolders = {"bin",    "lib",    "lib32", "lib64",
                                                            "libo32", "libx32", "sbin"};

Result<UnpackedDeb> unpack_locked(const PackageFile& package, Spool& spool) {
  TRY(UnpackedDeb deb, unpack_deb(package.deb, spool));
  const ControlData& control = deb.control;
  if (control.name != package.name || control.version != package.version ||
      control.architecture != package.architecture) {
    return fail(ErrorKind::integrity,
                fmt::format("{} holds {} {} ({}), but the lock says {} {} ({})",
                            package.deb.filename().string(), control.name, control.version,
                            control.architecture, package.name, package.version, package.architecture),
                fmt::format("run `{}`", own_command({"lock", "SPEC", "--update"})));
  }
  return deb;
}

bool matches(const std::string& glob, const std::string& path) {
  return ::fnmatch(glob.c_str(), path.c_str(), 0) == 0;
}

bool matches_any(const std::vector<std::string>& globs, const std::string& path) {
  return std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return matches(glob, path); });
}

Result<bool> same_file(const Inode& a, const Inode& b) {
  if (&a == &b) return true;
  if (a.type != b.type || a.target != b.target) return false;
  if (a.type != FileType::regular) return true;
  if (a.content.size() != b.content.size() || a.mode != b.mode || a.uid != b.uid || a.gid != b.gid ||
      a.xattrs != b.xattrs) {
    return false;
  }
  TRY(const std::string left, a.content.read());
  TRY(const std::string right, b.content.read());
  return left == right;
}

/// Lays packages into one tree.
class Merger {
 public:
  Merger(const ComposeInput& input, FileTree& tree) : input_(input), tree_(tree) {
    for (const UnpackedDeb* deb : input.packages) packages_.emplace(deb->control.name, &deb->control);
  }

  /// Makes the links of the usr-merge before anything could make a folder of the same name.
  Status merge_usr() {
    std::set<std::string_view> needed;
    for (const UnpackedDeb* deb : input_.packages) {
      for (const auto& entry : deb->entries) {
        const auto slash = entry.path.find('/');
        for (const std::string_view folder : kMergedFolders) {
          if (entry.path == folder && is_merge_link(entry)) {
            CHECK_OK(tree_.put_shared(entry.path, own(entry.inode)));
          } else if (entry.path.substr(0, slash) == folder ||
                     (entry.path.starts_with("usr/") && std::string_view(entry.path).substr(4) == folder)) {
            needed.insert(folder);
          }
        }
      }
    }
    for (const std::string_view folder : needed) {
      if (tree_.find(folder) != nullptr) continue;
      CHECK_OK(tree_.put(folder, Inode{.type = FileType::symlink,
                                       .mode = 0777,
                                       .uid = 0,
                                       .gid = 0,
                                       .mtime = input_.clock,
                                       .content = {},
                                       .target = fmt::format("usr/{}", folder),
                                       .xattrs = {},
                                       .origin = {}}));
    }
    return ok();
  }

  /// Lays one package; conflicts with those before it are kept for errors().
  Result<std::vector<std::string>> lay(const UnpackedDeb& deb) {
    std::vector<std::string> paths;
    for (const auto& entry : deb.entries) {
      if (!check_top_link(deb.control, entry)) continue;
      const std::shared_ptr<Inode> inode = own(entry.inode);
      TRY(std::string path, place(deb, entry.path));
      if (matches_any(input_.exclude, path)) {
        excluded_.push_back(path);
        if (!matches_any(input_.keep, path)) continue;
      }
      TRY(const Outcome outcome, settle(deb.control, path, *inode));
      if (outcome == Outcome::leave) continue;
      if (outcome == Outcome::lay) {
        if (auto status = tree_.put_shared(path, inode); !status) {
          errors_.push_back(
              std::move(status).error().with_note(fmt::format("laying package {}", deb.control.name)));
          continue;
        }
      }
      paths.push_back(std::move(path));
    }
    std::sort(paths.begin(), paths.end());
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    return paths;
  }

  /// The globs that no path of all the packages laid has matched.
  std::vector<std::string> unmatched() const {
    std::vector<std::string> globs;
    for (const auto* list : {&input_.exclude, &input_.keep}) {
      std::copy_if(list->begin(), list->end(), std::back_inserter(globs), [&](const std::string& glob) {
        return std::none_of(excluded_.begin(), excluded_.end(),
                            [&](const std::string& path) { return matches(glob, path); });
      });
    }
    return globs;
  }

  std::vector<Error> errors() { return std::move(errors_); }

 private:
  static bool is_merge_link(const UnpackedDeb::Entry& entry) {
    return entry.inode->type == FileType::symlink && entry.inode->target == "usr/" + entry.path &&
           std::find(kMergedFolders.begin(), kMergedFolders.end(), entry.path) != kMergedFolders.end();
  }

  /// No package has a reason to make one of the first folders a link to anywhere else, and what is written
  /// below it, here or by a tool, would land there. False with an error kept if this one does.
  bool check_top_link(const ControlData& package, const UnpackedDeb::Entry& entry) {
    if (entry.inode->type != FileType::symlink || entry.path.find('/') != std::string::npos ||
        is_merge_link(entry))
      return true;
    errors_.push_back(Error{ErrorKind::integrity,
                            fmt::format("package {} {} makes '/{}' a symlink to '{}'", package.name,
                                        package.version, entry.path, entry.inode->target),
                            {},
                            "leave the package out; Debian's packages bring no such link",
                            {},
                            {}});
    return false;
  }

  /// This tree's copy of an inode, the same for all its names.
  std::shared_ptr<Inode> own(const std::shared_ptr<Inode>& inode) {
    std::shared_ptr<Inode>& copy = copies_[inode.get()];
    if (copy == nullptr) {
      copy = std::make_shared<Inode>(*inode);
      copy->mtime = std::clamp<std::int64_t>(copy->mtime, 0, input_.clock);
    }
    return copy;
  }

  /// Where a file of a package goes: canonical, diverted if another package has asked for it.
  Result<std::string> place(const UnpackedDeb& deb, const std::string& path) const {
    TRY(std::string canonical, tree_.canonical(path));
    const auto diversion = input_.diversions.find(canonical);
    if (diversion == input_.diversions.end() || diversion->second.package == deb.control.name)
      return canonical;
    return tree_.canonical(diversion->second.to);
  }

  enum class Outcome {
    lay,    ///< the tree gets the file of this package
    share,  ///< the tree has it already
    leave,  ///< another package's file is the one to have
  };

  /// What to do with the file of `package` at `path`.
  Result<Outcome> settle(const ControlData& package, const std::string& path, const Inode& inode) {
    const Inode* existing = tree_.find(path);
    if (inode.type == FileType::directory) {
      // dpkg leaves a directory that exists as it is; base-files is on every system before the others.
      const bool first = directories_.insert(path).second;
      return first || package.name == "base-files" ? Outcome::lay : Outcome::share;
    }
    if (existing == nullptr || existing->origin == package.name || existing->origin.empty() ||
        existing->type == FileType::directory) {
      return Outcome::lay;  // put() refuses files over directories
    }
    TRY(const bool same, same_file(*existing, inode));
    if (same) return Outcome::share;
    const ControlData& other = *packages_.at(existing->origin);
    if (relation_names(package.field("Replaces"), other.name, other.version)) return Outcome::lay;
    if (relation_names(other.field("Replaces"), package.name, package.version)) return Outcome::leave;
    errors_.push_back(
        Error{ErrorKind::integrity,
              fmt::format("packages {} {} and {} {} both bring '{}', with different contents", other.name,
                          other.version, package.name, package.version, path),
              {},
              "leave one of them out, or declare in the profile the diversion that their scripts would make",
              {},
              {}});
    return Outcome::leave;
  }

  const ComposeInput& input_;
  FileTree& tree_;
  std::map<std::string, const ControlData*, std::less<>> packages_;
  std::vector<std::string> excluded_;  ///< paths that match `exclude`, those that `keep` keeps too
  std::set<std::string> directories_;  ///< that a package has shipped, not only needed as a parent
  // looked up only, never iterated: the order is of no matter
  std::map<const Inode*, std::shared_ptr<Inode>> copies_;
  std::vector<Error> errors_;
};

}  // namespace

Result<std::vector<UnpackedDeb>> unpack_packages(const UnpackInput& input, Reporter& reporter) {
  TRY(Spool spool, Spool::create(input.spool_folder));
  const std::size_t count = input.packages.size();
  std::vector<std::uint64_t> sizes(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::error_code error;
    const auto size = std::filesystem::file_size(input.packages[i].deb, error);
    sizes[i] = error ? 0 : size;  // a missing file is reported by unpack_deb
  }
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return sizes[a] > sizes[b]; });

  const auto activity =
      reporter.start("unpack packages", std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0}),
                     Reporter::Unit::bytes);
  std::vector<std::optional<Result<UnpackedDeb>>> results(count);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> disk_failed{false};
  const auto work = [&] {
    for (std::size_t i = next.fetch_add(1); i < count && !interrupted() && !disk_failed;
         i = next.fetch_add(1)) {
      const std::size_t package = order[i];
      auto& result = results[package];
      result = unpack_locked(input.packages[package], spool);
      if (!*result && result->error().kind == ErrorKind::io) disk_failed = true;
      activity->advance(sizes[package]);
    }
  };
  in_threads(std::min<std::size_t>(input.threads != 0 ? input.threads : useful_threads(), count), work);
  CHECK_OK(check_interrupt());

  std::vector<UnpackedDeb> debs;
  std::vector<Error> errors;
  debs.reserve(count);
  for (auto& result : results) {
    if (!result) continue;  // not reached any more
    if (*result) {
      debs.push_back(std::move(**result));
    } else {
      errors.push_back(std::move(*result).error());
    }
  }
  if (errors.empty()) {
    activity->set_result(fmt::format("{} packages", count));
    return debs;
  }
  activity->set_failed(fmt::format("{} of {} packages", debs.size(), count));
  // What the disk does to one package it does to all.
  const auto of_disk = std::find_if(errors.begin(), errors.end(),
                                    [](const Error& error) { return error.kind == ErrorKind::io; });
  if (of_disk != errors.end()) return fail(std::move(*of_disk));
  return fail(join_errors(std::move(errors)));
}

Result<Composed> compose(const ComposeInput& input) {
  Composed composed;
  Merger merger(input, composed.tree);
  CHECK_OK(merger.merge_usr());
  for (const UnpackedDeb* deb : input.packages) {
    auto laid = merger.lay(*deb);
    if (!laid)
      return fail(std::move(laid).error().with_note(fmt::format("laying package {}", deb->control.name)));
    composed.packages.push_back({deb->control, *std::move(laid)});
  }
  if (auto errors = merger.errors(); !errors.empty()) return fail(join_errors(std::move(errors)));
  composed.unmatched = merger.unmatched();
  return composed;
}

}  // namespace mailstead::rootfs
