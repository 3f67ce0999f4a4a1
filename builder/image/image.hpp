// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "platform/partition_table.hpp"
#include "rootfs/file_tree.hpp"
#include "tools/toolbox.hpp"

namespace mailstead::image {

struct SquashfsOptions {
  std::string compressor = "zstd";
  int level = 9;
  std::int64_t clock = 0;  ///< upper bound of all file times, seconds since the epoch
};

/// Writes `tree` as a squashfs image with the locked mksquashfs, fed as a tar stream (no root needed, nothing
/// on disk).
Status write_squashfs(const rootfs::FileTree& tree, const SquashfsOptions& options,
                      const tools::Toolbox& toolbox, const std::filesystem::path& out);

/// A file system with its dm-verity hash tree appended.
struct VerityImage {
  std::filesystem::path file;
  std::uint64_t hash_offset = 0;  ///< where the hash tree's superblock starts, bytes
  std::string root_hash;          ///< 64 hexadecimal digits
};

/// Pads `file` to 4096 bytes and appends the hash tree (veritysetup(8) format, SHA-256, 4096-byte blocks).
/// Salt and UUID derive from `scope`, so that equal input gives equal bytes.
Result<VerityImage> append_verity(const std::filesystem::path& file, const std::string& scope,
                                  const tools::Toolbox& toolbox);

/// Writes a cpio archive (newc) of the initrd, compressed with the locked zstd.
Status write_initrd(const rootfs::FileTree& tree, std::int64_t clock, const tools::Toolbox& toolbox,
                    const std::filesystem::path& out);

/// A file put into a FAT partition: path inside ("EFI/BOOT/BOOTX64.EFI") and where its bytes are.
struct FatFile {
  std::string path;
  rootfs::Content content;
};

/// Writes a FAT file system of `size` bytes. `label` has at most 11 characters; the volume id derives from
/// `scope`.
Status write_fat(const std::vector<FatFile>& files, std::uint64_t size, const std::string& label,
                 const std::string& scope, std::int64_t clock, const tools::Toolbox& toolbox,
                 const std::filesystem::path& out);

/// The number by which systems tell FAT file systems apart, of one that was made with `scope`.
std::uint32_t fat_volume_id(const std::string& scope);

/// Adds files to a FAT file system that write_fat has written, in folders that it has already. The bytes are
/// those that write_fat makes of all files at once.
Status add_to_fat(const std::vector<FatFile>& files, std::int64_t clock, const tools::Toolbox& toolbox,
                  const std::filesystem::path& out);

/// Writes the file system of an EFI system partition, with kGrubEnvironmentFile, if it is among the files, at
/// its place (image/boot_state.hpp). Errors: those of write_fat; the partition is too small for FAT32
/// (ErrorKind::usage); the locked mcopy puts it elsewhere (ErrorKind::tool).
Status write_esp(const std::vector<FatFile>& files, std::uint64_t size, const std::string& scope,
                 std::int64_t clock, const tools::Toolbox& toolbox, const std::filesystem::path& out);

/// Makes the next file that mcopy(1) adds begin at `place` of a FAT32 file system, bytes from its start: it
/// goes on behind the cluster that the file system names as the last one given out. Errors: no FAT32, or no
/// cluster begins there (ErrorKind::usage); ErrorKind::io.
Status aim_next_file(const std::filesystem::path& out, std::uint64_t place);

/// Whether a file begins as a disk with a GPT does ("EFI PART" in its second sector of 512 bytes, UEFI
/// specification 5.3.2). False also if it cannot be read.
bool looks_like_disk(const std::filesystem::path& path);

struct Layout {
  std::uint64_t esp_size = 0;  ///< bytes, multiples of 1 MiB, as all of these; more than kDiskRecordRoom
  std::uint64_t boot_size = 0;
  std::uint64_t usr_size = 0;
  std::uint64_t root_size = 0;
  platform::Machine machine{};  ///< which has the partitions that it needs
  friend bool operator==(const Layout&, const Layout&) = default;
};

/// The end of the EFI system partition, behind its file system, where the record of the disk lies: not a file
/// of it, since the record has the digest of that file system.
inline constexpr std::uint64_t kDiskRecordRoom = 1u << 20;

/// Of the FAT file system of a boot partition, in either slot.
inline constexpr const char* kBootFatLabel = "BOOT";

using platform::kBiosLabel;
using platform::kBootLabels;
using platform::kDataLabel;
using platform::kEspLabel;
using platform::kRootLabels;
using platform::kUsrLabels;

/// The GUID of the partition called `label` (one of the above) on the disk of a site, lower case with dashes,
/// as in PARTUUID= on a kernel command line.
std::string partition_uuid(const std::string& hostname, const std::string& label);

}  // namespace mailstead::image
