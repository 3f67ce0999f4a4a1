// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/base_files.hpp"

#include <future>

#include "base/threads.hpp"
#include "boot/method.hpp"
#include "crypto/digest.hpp"

namespace mailstead::pipeline {

namespace fs = std::filesystem;

Base base_in(const fs::path& folder, const std::string& id, const platform::Machine& machine) {
  Base base;
  base.id = id;
  base.machine = machine;
  base.folder = folder;
  base.usr.file = folder / "usr.img";
  base.kernel = folder / "vmlinuz";
  base.initrd = folder / "initrd.img";
  base.esp = folder / "esp.img";
  base.root = folder / "root.tar";
  base.units = folder / "units.tar";
  return base;
}

std::vector<BaseFile> base_files(const platform::Machine& machine) {
  std::vector<BaseFile> files{{"usr.img", image::kUsrPart},
                              {"vmlinuz", image::kKernelPart},
                              {"initrd.img", image::kInitrdPart},
                              {"esp.img", image::kEspPart}};
  for (const boot::CodeFile& file : boot::code_files_of(machine)) files.push_back({file.name, file.part});
  files.insert(files.end(), {{"root.tar", nullptr}, {"units.tar", nullptr}});
  return files;
}

Result<std::vector<std::string>> digest_files(const fs::path& folder, const std::vector<BaseFile>& files) {
  std::vector<std::future<Result<std::string>>> running;
  running.reserve(files.size());
  for (const BaseFile& file : files)
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

std::vector<image::PublicPart> parts_in(const fs::path& folder, const std::vector<BaseFile>& files,
                                        const std::vector<std::string>& digests) {
  std::vector<image::PublicPart> parts;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& [name, part] = files[i];
    std::error_code error;
    if (part != nullptr) parts.push_back({part, fs::file_size(folder / name, error), digests[i]});
  }
  return parts;
}

}  // namespace mailstead::pipeline
