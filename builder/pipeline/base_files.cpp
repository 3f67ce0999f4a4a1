// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/base_files.hpp"

#include <future>

#include "base/threads.hpp"
#include "crypto/digest.hpp"

namespace mailstead::pipeline {

namespace fs = std::filesystem;

Base base_in(const fs::path& folder, const std::string& id) {
  Base base;
  base.id = id;
  base.usr.file = folder / "usr.img";
  base.kernel = folder / "vmlinuz";
  base.initrd = folder / "initrd.img";
  base.esp = folder / "esp.img";
  base.bios_boot = folder / "mbr.bin";
  base.bios_core = folder / "core.img";
  base.root = folder / "root.tar";
  base.units = folder / "units.tar";
  return base;
}

Result<std::vector<std::string>> digest_files(const fs::path& folder) {
  std::vector<std::future<Result<std::string>>> running;
  running.reserve(kBaseFiles.size());
  for (const BaseFile& file : kBaseFiles)
    running.push_back(beside([path = folder / file.name] { return crypto::sha256_file_hex(path); }));
  std::vector<std::string> digests;
  Status all = ok();
  for (auto& one : running) {
    auto digest = one.get();
    if (digest)
      digests.push_back(*std::move(digest));
    else
      all = fail(std::move(digest.error()));
  }
  CHECK_OK(all);
  return digests;
}

std::vector<image::PublicPart> parts_in(const fs::path& folder, const std::vector<std::string>& digests) {
  std::vector<image::PublicPart> parts;
  for (std::size_t i = 0; i < kBaseFiles.size(); ++i) {
    const auto& [name, part] = kBaseFiles[i];
    std::error_code error;
    if (part != nullptr) parts.push_back({part, fs::file_size(folder / name, error), digests[i]});
  }
  return parts;
}

}  // namespace mailstead::pipeline
