// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "image/image.hpp"
#include "tools/full_disk.hpp"

namespace mailstead::image {
namespace {

constexpr std::uint64_t kSector = 512;

/// FAT32 has at least 65525 clusters; with some to spare, so that no driver counts differently.
constexpr std::uint64_t kFat32Clusters = 66'000;

/// Clusters as big as FAT32 allows for this size, up to 4 KiB; below about 33 MiB it has to be FAT16.
std::vector<std::string> geometry(std::uint64_t size) {
  std::uint64_t sectors = 8;
  while (sectors > 0 && size / (sectors * kSector) < kFat32Clusters) sectors /= 2;
  if (sectors == 0) return {"-F", "16"};
  return {"-F", "32", "-s", fmt::format("{}", sectors)};
}

Status make_empty(const std::filesystem::path& out, std::uint64_t size) {
  const FileDescriptor file(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", out.string(), std::strerror(errno)));
  return ok();
}

/// Runs the tools that change the file system in `out`.
struct Workshop {
  const tools::Toolbox& toolbox;
  std::int64_t clock;
  const std::filesystem::path& out;

  Status run(const std::string& program, const std::vector<std::string>& arguments,
             const rootfs::Content* input = nullptr) const {
    TRY(Command command, toolbox.command(program, arguments));
    command.env["SOURCE_DATE_EPOCH"] = fmt::format("{}", clock);
    auto done = input == nullptr
                    ? mailstead::run(command)
                    : run_with_feed(command, [&](const Sink& sink) { return input->stream(sink); });
    if (!done) return fail(tools::explain_full_disk(std::move(done.error()), out));
    return ok();
  }
};

}  // namespace

std::uint32_t fat_volume_id(const std::string& scope) {
  const auto digest = crypto::sha256("FAT volume\n" + scope);
  std::uint32_t id = 0;
  for (int i = 0; i < 4; ++i) id = id << 8 | digest[static_cast<std::size_t>(i)];
  return id;
}

Status write_fat(const std::vector<FatFile>& files, std::uint64_t size, const std::string& label,
                 const std::string& scope, std::int64_t clock, const tools::Toolbox& toolbox,
                 const std::filesystem::path& out) {
  std::uint64_t needed = 1u << 20;  // the file system's own tables, generously
  std::set<std::string> folders;
  for (const FatFile& file : files) {
    needed += file.content.size() + 4096;
    for (auto slash = file.path.find('/'); slash != std::string::npos; slash = file.path.find('/', slash + 1))
      folders.insert(file.path.substr(0, slash));
  }
  needed += size / 64;
  if (needed > size)
    return fail(ErrorKind::usage,
                fmt::format("the partition {} has {}, its files need {}", label, human_size(size),
                            human_size(needed)),
                "raise its size in the profile");

  CHECK_OK(make_empty(out, size));
  std::vector<std::string> arguments{"--invariant", "-i", fmt::format("{:08x}", fat_volume_id(scope)), "-n",
                                     label};
  const auto shape = geometry(size);
  arguments.insert(arguments.end(), shape.begin(), shape.end());
  arguments.push_back(out.string());
  const Workshop workshop{toolbox, clock, out};
  CHECK_OK(workshop.run("mkfs.fat", arguments));
  for (const std::string& folder : folders)
    CHECK_OK(workshop.run("mmd", {"-i", out.string(), "::" + folder}));
  return add_to_fat(files, clock, toolbox, out);
}

Status add_to_fat(const std::vector<FatFile>& files, std::int64_t clock, const tools::Toolbox& toolbox,
                  const std::filesystem::path& out) {
  const Workshop workshop{toolbox, clock, out};
  for (const FatFile& file : files) {
    if (auto copied = workshop.run("mcopy", {"-i", out.string(), "-", "::" + file.path}, &file.content);
        !copied)
      return fail(
          std::move(copied.error())
              .with_note(fmt::format("while writing {} into {}", file.path, out.filename().string())));
  }
  return ok();
}

}  // namespace mailstead::image
