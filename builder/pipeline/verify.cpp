// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "disk/disk.hpp"
#include "image/grub.hpp"
#include "pipeline/public_part.hpp"
#include "pipeline/site_image.hpp"
#include "tools/scratch.hpp"
#include "verify/appliance.hpp"
#include "verify/chain.hpp"
#include "verify/compare.hpp"
#include "verify/gpt.hpp"
#include "verify/trees.hpp"
#include "vm/accelerator.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

/// What should be there, made anew.
struct Expectation {
  fs::path image;
  rootfs::FileTree system;  ///< as FileSystems::system
  rootfs::FileTree boot;
  rootfs::FileTree esp;
  std::int64_t clock = 0;
};

Status put_all(const std::vector<image::FatFile>& files, rootfs::FileTree& tree) {
  for (const image::FatFile& file : files) {
    rootfs::Inode inode;
    inode.content = file.content;
    CHECK_OK(tree.put(file.path, std::move(inode)));
  }
  return ok();
}

/// Root file system and /usr as they are seen when they are mounted.
Result<rootfs::FileTree> mounted(const rootfs::FileTree& root, const rootfs::FileTree& system,
                                 std::int64_t clock) {
  rootfs::FileTree tree = root;
  rootfs::Inode usr;  // the root of its file system
  usr.type = rootfs::FileType::directory;
  usr.mode = 0755;
  usr.mtime = clock;
  CHECK_OK(tree.put("usr", std::move(usr)));
  for (const auto& [path, inode] : system.subtree("usr")) CHECK_OK(tree.put_shared("usr/" + path, inode));
  verify::hide_mount_points(tree);
  return tree;
}

/// Builds the image once more, from packages; the base that is in the cache has no part in it.
Result<Expectation> rebuild(const Project& project, const lock::Lock& lock, const Options& options,
                            const fs::path& scratch, Reporter& reporter) {
  const auto activity = reporter.start("Building it anew");
  TRY(const ComposedPublicPart part,
      compose_public_part(project.platform, lock, project.site.file.string(), options, scratch, reporter));
  const BaseInput input{project.platform, lock, part.toolbox};
  const Base& base = part.composed.base;
  Expectation expected;
  expected.clock = lock.archive_time;
  expected.image = scratch / "expected.img";
  CHECK_OK(write_site_image(project.site, input, base, expected.image, [] { return ok(); }, reporter));
  TRY(const rootfs::FileTree root, compose_root(project.site, input, base));
  TRY(expected.system, mounted(root, part.composed.system, expected.clock));
  TRY(const auto esp, image::esp_files(part.toolbox));
  CHECK_OK(put_all(esp, expected.esp));
  for (const auto& [path, file] : {std::pair{"vmlinuz", base.kernel}, {"initrd.img", base.initrd}}) {
    TRY(std::string bytes, read_file(file));
    CHECK_OK(put_all({{path, rootfs::Content(std::move(bytes))}}, expected.boot));
  }
  return expected;
}

std::string partition_of(const std::string& path) {
  return path.starts_with("usr/") ? image::kUsrLabels[0] : image::kRootLabels[0];
}

/// Names and contents: FAT has nothing else that we choose.
Status compare_fat(const rootfs::FileTree& expected, rootfs::FileTree found, const char* label,
                   verify::Check& check) {
  for (const auto& [path, inode] : found) {
    inode->mode = inode->type == rootfs::FileType::directory ? 0755 : 0644;
    inode->mtime = 0;
  }
  return verify::compare_trees(expected, found, 0, [&](const std::string&) { return label; }, check);
}

verify::Check count(const verify::FileSystems& systems) {
  std::uint64_t bytes = 0;
  std::size_t files = 0;
  for (const rootfs::FileTree* tree : {&systems.system, &systems.boot, &systems.esp}) {
    files += tree->size();
    for (const auto& [path, inode] : *tree) bytes += inode->content.size();
  }
  return {
      "files", fmt::format("{} files and folders, {}, read by libguestfs", files, human_size(bytes)), {}, 0};
}

Status check_files(const VerifyRequest& request, const std::optional<Expectation>& expected,
                   const fs::path& cache, const fs::path& scratch, Reporter& reporter,
                   verify::Report& report) {
  // The image is not booted for it: it is the one in doubt. What has been built from the spec may be.
  TRY(const vm::Accelerator accelerator, expected ? vm::find_accelerator({expected->image, cache}, reporter)
                                                  : vm::recall_accelerator(cache, reporter));
  auto systems =
      verify::read_file_systems({request.image, scratch, cache / "libguestfs", accelerator}, reporter);
  if (!systems && systems.error().kind == ErrorKind::integrity) {
    report.checks.push_back({"files", {}, {}, 0});
    report.checks.back().add({"file systems", {}, {}, {}, "readable by Linux", systems.error().message});
    return ok();
  }
  if (!systems) return fail(std::move(systems.error()));
  verify::Check check = count(*systems);
  if (expected) {
    const auto activity = reporter.start("Comparing files");
    CHECK_OK(verify::compare_trees(expected->system, systems->system, expected->clock, partition_of, check));
    // slot.cfg is checked byte by byte elsewhere.
    systems->boot.remove("slot.cfg");
    CHECK_OK(compare_fat(expected->boot, std::move(systems->boot), image::kBootLabels[0], check));
    CHECK_OK(compare_fat(expected->esp, std::move(systems->esp), image::kEspLabel, check));
  }
  report.checks.push_back(std::move(check));
  return ok();
}

Result<lock::Lock> load_lock(const Project& project, const fs::path& path) {
  const fs::path file = path.empty() ? project.lock_file : path;
  std::error_code error;
  // A new one would pin other packages than the image has.
  if (!fs::exists(file, error))
    return fail(ErrorKind::usage, fmt::format("there is no lock {}", file.string()),
                "name the one that the image was built from with --lock");
  return load_lock_for(project.platform, file);
}

void say_unproved(const VerifyRequest& request, verify::Report& report) {
  auto& unproved = report.unproved;
  if (!request.spec.empty() || !request.against.empty()) {
    // Every byte has been compared with one that is trusted.
    unproved.clear();
    if (request.spec.empty())
      unproved.emplace_back(fmt::format("that {} is what it should be", request.against.string()));
  } else {
    if (request.root_hash.empty())
      unproved.emplace_back("that the root hash is the one that `build` printed: name that with --root-hash");
    unproved.emplace_back(
        "that packages, configuration and keys are those of a spec and a lock: name them with --spec");
  }
  if (request.quick) unproved.emplace_back("that another system reads the same files: leave out --quick");
}

}  // namespace

Result<verify::Report> verify_image(const VerifyRequest& request, const Options& options,
                                    Reporter& reporter) {
  // What is wrong in spec and lock is said before anything takes long.
  std::optional<Project> project;
  std::optional<lock::Lock> lock;
  if (!request.spec.empty()) {
    TRY(project, open_project(request.spec, options));
    CHECK_OK(require_keys(
        project->site, "put the keys there that the image was built with: it can never be that of new ones"));
    TRY(lock, load_lock(*project, request.lock));
  }
  TRY(const fs::path cache, cache_directory());
  tools::remove_leftovers(cache / "scratch");
  TRY(const tools::ScratchFolder scratch, tools::ScratchFolder::create(cache / "scratch"));
  TRY(const disk::Disk disk, disk::Disk::open(request.image));

  verify::Report report;
  const auto layout = verify::read_layout(disk);
  if (layout) {
    TRY(const auto partitions, image::place_partitions(*layout, ""));
    CHECK_OK(verify::check_chain(disk, *layout, verify::Places::of(disk, partitions), request.root_hash,
                                 reporter, report));
  } else {
    report.checks.push_back({"partition table", {}, {}, 0});
    report.checks.back().add(
        {"partition table", {}, {}, {}, "that of a fresh image", layout.error().message});
  }

  std::optional<Expectation> expected;
  if (project) {
    TRY(expected, rebuild(*project, *lock, options, scratch.path(), reporter));
  }
  for (const fs::path& path : {expected ? expected->image : fs::path(), request.against}) {
    if (path.empty()) continue;
    TRY(const disk::Disk reference, disk::Disk::open(path));
    TRY(const auto reference_layout, verify::read_layout(reference));
    TRY(const auto partitions, image::place_partitions(reference_layout, ""));
    TRY(verify::Check check,
        verify::compare_disks(disk, reference, verify::Places::of(reference, partitions), reporter));
    report.checks.push_back(std::move(check));
  }
  if (!request.quick && layout)
    CHECK_OK(check_files(request, expected, cache, scratch.path(), reporter, report));
  say_unproved(request, report);
  return report;
}

}  // namespace mailstead::pipeline
