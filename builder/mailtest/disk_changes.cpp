// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/disk_changes.hpp"

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/files.hpp"
#include "base/run.hpp"
#include "mailtest/disk.hpp"

namespace mailstead::mailtest {
namespace {

namespace fs = std::filesystem;
/// The partition table has the first MiB of a disk to itself, and its copy the last MiB of an image.
constexpr std::uint64_t kTableArea = 1 << 20;

/// A part of a file as a disk, in qemu-img's notation.
std::string window(const fs::path& file, const char* format, std::uint64_t offset, std::uint64_t size) {
  const nlohmann::json place = {{"driver", "file"}, {"filename", file.string()}};
  const nlohmann::json inner =
      format == std::string_view("raw") ? place : nlohmann::json{{"driver", format}, {"file", place}};
  return "json:" +
         nlohmann::json{{"driver", "raw"}, {"offset", offset}, {"size", size}, {"file", inner}}.dump();
}

Status qemu_img(std::vector<std::string> words) {
  Command command;
  command.argv = std::move(words);
  command.argv.insert(command.argv.begin(), "qemu-img");
  CHECK_OK(run(command));
  return ok();
}

}  // namespace

Status copy_in(const fs::path& source, std::uint64_t source_offset, std::uint64_t size,
               const fs::path& overlay, std::uint64_t offset) {
  // -U: the image is also the backing file of the disk, and nothing writes to it.
  return qemu_img({"convert", "-U", "-n", window(source, "raw", source_offset, size),
                   window(overlay, "qcow2", offset, size)});
}

Status write_image(const fs::path& image, bool whole, const fs::path& overlay) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(image, error);
  if (error) return fail(ErrorKind::io, "cannot read " + image.string() + ": " + error.message());
  const std::uint64_t left_out = whole ? 0 : kTableArea;
  return copy_in(image, left_out, size - 2 * left_out, overlay, left_out);
}

Status write_bytes(const fs::path& overlay, std::uint64_t place, std::string_view bytes,
                   const fs::path& folder) {
  TRY(const TemporaryDirectory work, TemporaryDirectory::create(folder));
  // QEMU copies whole sectors.
  constexpr std::uint64_t kSector = 512;
  const std::uint64_t start = place / kSector * kSector;
  const std::uint64_t size = (place + bytes.size() - start + kSector - 1) / kSector * kSector;
  const fs::path piece = work.path() / "piece";
  CHECK_OK(copy_out(overlay, start, size, piece));
  TRY(std::string text, read_file(piece));
  text.replace(place - start, bytes.size(), bytes);
  CHECK_OK(write_file(piece, text));
  return copy_in(piece, 0, size, overlay, start);
}

Result<std::string> debugfs(const fs::path& overlay, const std::string& request, const fs::path& folder) {
  TRY(const Partition data, find_data_partition(overlay, folder));
  TRY(const TemporaryDirectory work, TemporaryDirectory::create(folder));
  const fs::path disk = work.path() / "data";
  CHECK_OK(copy_out(overlay, data.first_byte, data.bytes, disk));
  Command command;
  command.argv = {"debugfs", "-w", "-R", request, disk.string()};
  TRY(const CommandOutput done, run_any_status(command));
  // debugfs always exits with status 0, and its messages begin with its version.
  if (done.exit_status != 0 || done.err.find('\n') != done.err.rfind('\n'))
    return fail(ErrorKind::tool, "debugfs refuses '" + request + "': " + done.err);
  CHECK_OK(copy_in(disk, 0, data.bytes, overlay, data.first_byte));
  return done.out;
}

Status copy_disk(const fs::path& overlay, const fs::path& to) {
  return qemu_img({"convert", "-f", "qcow2", "-O", "raw", overlay.string(), to.string()});
}

Status check_same(const fs::path& overlay, const fs::path& copy) {
  Command command;
  command.argv = {"qemu-img", "compare", "-f", "qcow2", "-F", "raw", overlay.string(), copy.string()};
  TRY(const CommandOutput compared, run_any_status(command));
  if (compared.exit_status != 0)
    return fail(ErrorKind::integrity,
                "the disk and its copy are no longer the same: " + compared.out + compared.err);
  return ok();
}

}  // namespace mailstead::mailtest
