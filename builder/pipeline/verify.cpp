// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "disk/disk.hpp"
#include "disk/fat.hpp"
#include "disk/squashfs.hpp"
#include "image/grub.hpp"
#include "image/records.hpp"
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
  verify::FileSystems files;  ///< without the files of the slots
  std::int64_t clock = 0;
  bool starts_here = false;  ///< on this machine's processor
};

Status put_all(const std::vector<image::FatFile>& files, rootfs::FileTree& tree) {
  for (const image::FatFile& file : files) {
    rootfs::Inode inode;
    inode.content = file.content;
    CHECK_OK(tree.put(file.path, std::move(inode)));
  }
  return ok();
}

/// Root file system and /usr (its paths begin below it) as they are seen when they are mounted.
Result<rootfs::FileTree> mounted(const rootfs::FileTree& root, const rootfs::FileTree& usr,
                                 std::int64_t clock) {
  rootfs::FileTree tree = root;
  rootfs::Inode top;  // of the file system of /usr
  top.type = rootfs::FileType::directory;
  top.mode = 0755;
  top.mtime = clock;
  CHECK_OK(tree.put("usr", std::move(top)));
  for (const auto& [path, inode] : usr) CHECK_OK(tree.put_shared("usr/" + path, inode));
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
  expected.starts_here = project.platform.profile.machine.architecture == platform::host_architecture();
  expected.image = scratch / "expected.img";
  CHECK_OK(write_site_image(project.site, input, base, expected.image, [] { return ok(); }, reporter));
  TRY(const rootfs::FileTree root, compose_root(project.site, input, base));
  TRY(expected.files.system, mounted(root, part.composed.system.subtree("usr"), expected.clock));
  CHECK_OK(put_all(part.composed.esp_files, expected.files.esp));
  for (const auto& [path, file] :
       {std::pair{image::kKernelFile, base.kernel}, {image::kInitrdFile, base.initrd}}) {
    TRY(std::string bytes, read_file(file));
    CHECK_OK(put_all({{path, rootfs::Content(std::move(bytes))}}, expected.files.boot));
  }
  activity->set_result(base.id.substr(0, 12));
  return expected;
}

Result<rootfs::FileTree> read_fat_tree(const disk::Disk& disk, const image::Partition& partition) {
  TRY(const disk::FatVolume volume, disk::read_fat(disk, {partition.start, partition.size}));
  rootfs::FileTree tree;
  for (const disk::FatEntry& entry : volume.entries) {
    if (entry.path.empty()) continue;
    rootfs::Inode inode;
    if (entry.directory) {
      inode.type = rootfs::FileType::directory;
      inode.mode = 0755;
    } else {
      TRY(std::string bytes, disk::read_fat_file(disk, entry));
      inode.content = rootfs::Content(std::move(bytes));
    }
    CHECK_OK(tree.put(entry.path, std::move(inode)));
  }
  return tree;
}

/// The files of an image whose bytes are proved, by readers that have no code in common with Linux.
Result<verify::FileSystems> read_proved_files(const disk::Disk& disk,
                                              const std::vector<image::Partition>& partitions,
                                              Reporter& reporter) {
  const auto activity = reporter.start("Reading the files that the root hash vouches for");
  const auto partition = [&](image::PartitionNumber number) -> const image::Partition& {
    return image::partition_of(partitions, number);
  };
  const auto squashfs = [&](image::PartitionNumber number) {
    return disk::read_squashfs(disk, {partition(number).start, partition(number).size});
  };
  verify::FileSystems files;
  TRY(const rootfs::FileTree root, squashfs(image::kRootNumberA));
  TRY(const rootfs::FileTree usr, squashfs(image::kUsrNumberA));
  const rootfs::Inode* record = root.find(image::kSlotRecordPath);
  TRY(files.system, mounted(root, usr, record == nullptr ? 0 : record->mtime));
  TRY(files.boot, read_fat_tree(disk, partition(image::kBootNumberA)));
  TRY(files.esp, read_fat_tree(disk, partition(image::kEspNumber)));
  activity->set_result(fmt::format("{}", files.system.size() + files.boot.size() + files.esp.size()));
  return files;
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

void add_unreadable(const char* reader, const Error& error, verify::Report& report) {
  report.checks.push_back({"files", {}, {}, 0});
  report.checks.back().add(
      {"file systems", {}, {}, {}, fmt::format("readable by {}", reader), error.message});
}

/// Holds what libguestfs reads against what has been built anew, or for want of that against the `proved`
/// files, if these are known. Returns whether there was something to hold it against.
Result<bool> check_files(const VerifyRequest& request, const std::optional<Expectation>& rebuilt,
                         const std::optional<verify::FileSystems>& proved, const fs::path& cache,
                         const fs::path& scratch, Reporter& reporter, verify::Report& report) {
  // The image is not booted for it: it is the one in doubt. What has been built from the spec may be.
  TRY(const vm::Accelerator accelerator, rebuilt && rebuilt->starts_here
                                             ? vm::find_accelerator({rebuilt->image, cache}, reporter)
                                             : vm::recall_accelerator(cache, reporter));
  auto systems =
      verify::read_file_systems({request.image, scratch, cache / "libguestfs", accelerator}, reporter);
  if (!systems && systems.error().kind == ErrorKind::integrity) {
    add_unreadable("Linux", systems.error(), report);
    return false;
  }
  if (!systems) return fail(std::move(systems.error()));
  verify::Check check = count(*systems);
  const bool known = rebuilt || proved;
  if (known) {
    const auto activity = reporter.start("Comparing files");
    // They depend on the root hash: their bytes have been compared.
    if (rebuilt)
      for (const std::size_t slot : {0u, 1u}) systems->boot.remove(image::slot_config_file(slot));
    const verify::FileSystems& expected = rebuilt ? rebuilt->files : *proved;
    const std::int64_t clock = rebuilt ? rebuilt->clock : std::numeric_limits<std::int64_t>::max();
    CHECK_OK(verify::compare_trees(expected.system, systems->system, clock, partition_of, check));
    CHECK_OK(compare_fat(expected.boot, std::move(systems->boot), image::kBootLabels[0], check));
    CHECK_OK(compare_fat(expected.esp, std::move(systems->esp), image::kEspLabel, check));
    activity->set_result("");
  } else {
    check.counted += ", compared with nothing";
  }
  report.checks.push_back(std::move(check));
  return known;
}

Result<lock::Lock> load_lock(const Project& project, const fs::path& path) {
  const fs::path file = path.empty() ? project.lock_file : path;
  std::error_code error;
  // A new one would pin other packages than the image has.
  if (!fs::exists(file, error))
    return fail(ErrorKind::usage, fmt::format("there is no lock {}", file.string()),
                "name the lock that the image was built from: --lock");
  return load_lock_for(project.platform, file);
}

/// What is on the disk of a machine beside the image: nothing that a build knows.
void name_rest(const disk::Disk& disk, const verify::Contents& contents, verify::Report& report) {
  if (contents.data)
    report.unproved.emplace_back(
        fmt::format("the data partition {} ({}): mail and whatever else the machine has written",
                    contents.data->label, human_size(contents.data->size)));
  if (const std::uint64_t free = contents.free_space(disk); free > 0)
    report.unproved.emplace_back(fmt::format("{} of free space on the disk", human_size(free)));
}

void say_unproved(const VerifyRequest& request, bool files_compared, verify::Report& report) {
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
  if (!files_compared)
    unproved.emplace_back(request.quick ? "that another system reads the same files: leave out --quick"
                                        : "that another system reads the same files");
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
  const auto contents = verify::read_contents(disk);
  std::vector<image::Partition> partitions;
  if (contents) {
    TRY(partitions, image::place_partitions(contents->layout, ""));
    CHECK_OK(verify::check_chain(disk, *contents, verify::Places::of(disk, partitions, contents->table.end),
                                 request.root_hash, reporter, report));
  } else {
    report.checks.push_back({"partition table", {}, {}, 0});
    report.checks.back().add({"partition table", {}, {}, {}, "that of an image", contents.error().message});
  }

  const bool sound = report.passed();
  std::optional<Expectation> expected;
  if (project) {
    TRY(expected, rebuild(*project, *lock, options, scratch.path(), reporter));
  }
  for (const fs::path& path : {expected ? expected->image : fs::path(), request.against}) {
    if (path.empty() || !contents) continue;
    TRY(const disk::Disk reference, disk::Disk::open(path));
    TRY(const auto known, verify::read_contents(reference));
    TRY(const auto there, image::place_partitions(known.layout, ""));
    TRY(verify::Check check,
        verify::compare_disks(disk, *contents, reference, known,
                              verify::Places::of(reference, there, known.table.end), reporter));
    report.checks.push_back(std::move(check));
  }
  bool files_compared = false;
  if (!request.quick && contents) {
    std::optional<verify::FileSystems> proved;
    if (!expected && sound) {
      auto files = read_proved_files(disk, partitions, reporter);
      if (files)
        proved = *std::move(files);
      else if (files.error().kind == ErrorKind::io || files.error().kind == ErrorKind::interrupted)
        return fail(std::move(files.error()));
      else
        add_unreadable("Mailstead", files.error(), report);
    }
    TRY(files_compared, check_files(request, expected, proved, cache, scratch.path(), reporter, report));
  }
  say_unproved(request, files_compared, report);
  if (contents) name_rest(disk, *contents, report);
  return report;
}

}  // namespace mailstead::pipeline
