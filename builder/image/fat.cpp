// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "image/boot_state.hpp"
#include "image/grub.hpp"
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

std::uint64_t little_endian(const std::string& bytes, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i > 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[offset + i - 1]);
  return value;
}

/// Bytes of a file system that is being made.
Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t size,
                            const std::filesystem::path& out) {
  std::string bytes(size, '\0');
  if (::pread(fd, bytes.data(), size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size))
    return fail(ErrorKind::io, fmt::format("cannot read {}", out.string()));
  return bytes;
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

Status aim_next_file(const std::filesystem::path& out, std::uint64_t place) {
  constexpr off_t kLastGivenOut = 512 + 492;  // of the information sector (Microsoft FAT specification 1.03)
  const FileDescriptor file(::open(out.c_str(), O_RDWR | O_CLOEXEC));
  if (!file)
    return fail(ErrorKind::io, fmt::format("cannot open {}: {}", out.string(), std::strerror(errno)));
  TRY(const std::string boot, read_at(file.get(), 0, kSector, out));
  const std::uint64_t cluster = little_endian(boot, 13, 1) * kSector;
  const std::uint64_t first = (little_endian(boot, 14, 2) + 2 * little_endian(boot, 36, 4)) * kSector;
  const bool fat32 = little_endian(boot, 22, 2) == 0;
  if (!fat32 || cluster == 0 || place < first || (place - first) % cluster != 0)
    return fail(ErrorKind::usage, "the EFI system partition has no place for the boot state",
                "make it 64 MiB in the profile");
  // Clusters count from 2.
  const std::uint64_t before = (place - first) / cluster + 1;
  char bytes[4];
  for (unsigned i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<char>(before >> (8 * i) & 0xff);
  if (::pwrite(file.get(), bytes, sizeof bytes, kLastGivenOut) != sizeof bytes)
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", out.string(), std::strerror(errno)));
  return ok();
}

Status write_esp(const std::vector<FatFile>& files, std::uint64_t size, const std::string& scope,
                 std::int64_t clock, const tools::Toolbox& toolbox, const std::filesystem::path& out) {
  std::vector<FatFile> others = files;
  const auto moved = std::stable_partition(
      others.begin(), others.end(), [](const FatFile& file) { return file.path != kGrubEnvironmentFile; });
  const std::vector<FatFile> environment(moved, others.end());
  others.erase(moved, others.end());
  CHECK_OK(write_fat(others, size, "MAILSTEAD", scope, clock, toolbox, out));
  if (environment.empty()) return ok();
  const std::uint64_t place = size + kDiskRecordRoom - kBootStateFromEnd;
  CHECK_OK(aim_next_file(out, place));
  CHECK_OK(add_to_fat(environment, clock, toolbox, out));
  const FileDescriptor file(::open(out.c_str(), O_RDONLY | O_CLOEXEC));
  TRY(const std::string found, read_at(file.get(), place, kBootStateSize, out));
  TRY(const std::string expected, environment.front().content.read());
  if (found == expected) return ok();
  return fail(ErrorKind::tool,
              fmt::format("the locked mcopy has not put {} where it belongs", kGrubEnvironmentFile),
              "lock again: this version of mtools does not give clusters out in order");
}

}  // namespace mailstead::image
