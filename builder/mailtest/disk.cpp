// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.hpp"
#include "base/run.hpp"

namespace mailstead::mailtest {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kSector = 512;
constexpr std::uint64_t kMebibyte = 1 << 20;
/// A partition table with room for 128 partitions: protective record, header, entries.
constexpr std::size_t kTableBytes = 34 * kSector;

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// The size of the disk that guests see, bytes.
Result<std::uint64_t> disk_size(const fs::path& overlay) {
  Command command;
  command.argv = {"qemu-img", "info", "--output=json", overlay.string()};
  TRY(const CommandOutput info, run(command));
  const auto json = nlohmann::json::parse(info.out, nullptr, false);
  if (!json.is_object() || !json.value("virtual-size", nlohmann::json()).is_number_unsigned())
    return fail(ErrorKind::tool, "qemu-img did not print the size of " + overlay.string());
  return json["virtual-size"].get<std::uint64_t>();
}

/// The number behind `name` in what dumpe2fs -h prints.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t start = text.find_first_not_of(' ', at + name.size());
  std::uint64_t number = 0;
  if (start == std::string_view::npos ||
      std::from_chars(text.data() + start, text.data() + text.size(), number).ec != std::errc{})
    return std::nullopt;
  return number;
}

/// A sparse file of the disk's size with only what sfdisk reads: the table and, in the last sectors, its
/// second copy.
Status copy_tables(const fs::path& overlay, std::uint64_t size, const fs::path& to) {
  const fs::path end = to.string() + ".end";
  CHECK_OK(copy_out(overlay, 0, kMebibyte, to));
  CHECK_OK(copy_out(overlay, size - kMebibyte, kMebibyte, end));
  TRY(const std::string bytes, read_file(end));
  std::error_code error;
  fs::resize_file(to, size, error);
  std::fstream file(to, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size - kMebibyte));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (error || !file) return fail(ErrorKind::io, "cannot write " + to.string());
  return ok();
}

}  // namespace

Result<std::vector<Partition>> parse_gpt(std::string_view disk) {
  if (disk.size() < kTableBytes || disk.substr(kSector, 8) != "EFI PART")
    return fail(ErrorKind::integrity, "the disk has no GUID partition table");
  const std::uint64_t count = little_endian(disk, kSector + 80, 4);
  const std::uint64_t size = little_endian(disk, kSector + 84, 4);
  const std::uint64_t table = little_endian(disk, kSector + 72, 8);
  if (table != 2 || size != 128 || count > 128)
    return fail(ErrorKind::integrity, "the GUID partition table has an unusual form");
  std::vector<Partition> partitions;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t at = static_cast<std::size_t>(2 * kSector + i * size);
    const std::uint64_t first = little_endian(disk, at + 32, 8);
    const std::uint64_t last = little_endian(disk, at + 40, 8);
    if (little_endian(disk, at, 8) == 0 && little_endian(disk, at + 8, 8) == 0) continue;
    if (last < first || last > (1ull << 50))
      return fail(ErrorKind::integrity, "a partition ends before it begins");
    Partition partition{{}, first * kSector, (last - first + 1) * kSector};
    for (std::size_t c = 0; c < 36; ++c) {  // UTF-16LE; our names are ASCII
      const std::uint64_t unit = little_endian(disk, at + 56 + 2 * c, 2);
      if (unit == 0) break;
      partition.name += unit < 128 ? static_cast<char>(unit) : '?';
    }
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

Status copy_out(const fs::path& overlay, std::uint64_t offset, std::uint64_t size, const fs::path& to) {
  const nlohmann::json source = {
      {"driver", "raw"},
      {"offset", offset},
      {"size", size},
      {"file", {{"driver", "qcow2"}, {"file", {{"driver", "file"}, {"filename", overlay.string()}}}}}};
  Command command;
  command.argv = {"qemu-img", "convert", "-O", "raw", "json:" + source.dump(), to.string()};
  CHECK_OK(run(command));
  return ok();
}

Result<Partition> find_data_partition(const fs::path& overlay, const fs::path& folder) {
  TRY(const TemporaryDirectory work, TemporaryDirectory::create(folder));
  const fs::path start = work.path() / "start";
  CHECK_OK(copy_out(overlay, 0, kTableBytes, start));
  TRY(const std::string sectors, read_file(start));
  TRY(const std::vector<Partition> partitions, parse_gpt(sectors));
  const auto data = std::find_if(partitions.begin(), partitions.end(),
                                 [](const Partition& p) { return p.name.find("data") != std::string::npos; });
  if (data == partitions.end())
    return fail(ErrorKind::integrity, "the appliance has not made its data partition",
                "look at the console log: systemd-repart makes it at the first boot");
  return *data;
}

Status check_data_sound(const fs::path& overlay, const fs::path& folder) {
  TRY(const Partition data, find_data_partition(overlay, folder));
  TRY(const TemporaryDirectory work, TemporaryDirectory::create(folder));
  const fs::path disk = work.path() / "data";
  CHECK_OK(copy_out(overlay, data.first_byte, data.bytes, disk));
  Command command;
  command.argv = {"e2fsck", "-fn", disk.string()};
  TRY(const CommandOutput checked, run_any_status(command));
  if (checked.exit_status != 0)
    return fail(ErrorKind::integrity, fmt::format("e2fsck found errors in the data partition (status {}): {}",
                                                  checked.exit_status, checked.out.substr(0, 2000)));
  return ok();
}

Status check_data_fills_disk(const fs::path& overlay, const fs::path& folder) {
  TRY(const std::uint64_t size, disk_size(overlay));
  TRY(const Partition data, find_data_partition(overlay, folder));
  TRY(const TemporaryDirectory work, TemporaryDirectory::create(folder));
  const fs::path tables = work.path() / "tables";
  CHECK_OK(copy_tables(overlay, size, tables));
  Command verify;
  verify.argv = {"sfdisk", "--verify", tables.string()};
  TRY(const CommandOutput verified, run_any_status(verify));
  if (verified.exit_status != 0 || verified.out.find("No errors detected") == std::string::npos)
    return fail(ErrorKind::integrity,
                "sfdisk found errors in the partition table: " + verified.out + verified.err);

  const fs::path start = work.path() / "start";
  CHECK_OK(copy_out(overlay, data.first_byte, kMebibyte, start));
  Command dump;
  dump.argv = {"dumpe2fs", "-h", start.string()};
  TRY(const CommandOutput dumped, run_any_status(dump));
  const auto blocks = number_after(dumped.out, "\nBlock count:");
  const auto block_bytes = number_after(dumped.out, "\nBlock size:");
  if (!blocks || !block_bytes)
    return fail(ErrorKind::integrity, "dumpe2fs cannot read the data partition: " + dumped.err);
  // The second copy of the table needs 33 sectors and partitions begin and end at round places; ext4 leaves
  // out a last group of blocks that is too small to hold its own tables.
  constexpr std::uint64_t kRoundings = 2 * kMebibyte;
  constexpr std::uint64_t kSmallGroup = 16 * kMebibyte;
  const std::uint64_t end = data.first_byte + data.bytes;
  const std::uint64_t held = *blocks * *block_bytes;
  if (end > size || size - end > kRoundings || held > data.bytes || data.bytes - held > kSmallGroup)
    return fail(ErrorKind::integrity,
                fmt::format("the disk has {} bytes; the data partition has those from {} to {}, and its file "
                            "system {} bytes",
                            size, data.first_byte, end, held));
  return ok();
}

Status make_disk_with_partition(const fs::path& file, const std::string& label) {
  constexpr std::uint64_t kDiskMebibytes = 32;
  CHECK_OK(write_file(file, "", 0600));
  std::error_code error;
  fs::resize_file(file, kDiskMebibytes * kMebibyte, error);
  if (error) return fail(ErrorKind::io, fmt::format("cannot write {}: {}", file.string(), error.message()));
  Command table;
  table.argv = {"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", file.string()};
  table.input = fmt::format(
      "label: gpt\nunit: sectors\nstart=2048, size={}, type=4D21B016-B534-45C2-A9FB-5C16E091FD2D, "
      "name=\"{}\"\n",
      (kDiskMebibytes - 2) * kMebibyte / kSector, label);
  CHECK_OK(run(table));
  Command format;
  format.argv = {"mkfs.ext4",
                 "-q",
                 "-F",
                 "-E",
                 fmt::format("offset={}", kMebibyte),
                 file.string(),
                 fmt::format("{}M", kDiskMebibytes - 2)};
  CHECK_OK(run(format));
  return ok();
}

}  // namespace mailstead::mailtest
