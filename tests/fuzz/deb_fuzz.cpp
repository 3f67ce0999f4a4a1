// SPDX-License-Identifier: GPL-3.0-or-later
// unpack_deb on arbitrary bytes: whatever they are, it answers with a package or an error, within its bounds.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rootfs/deb.hpp"
#include "rootfs/scripts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mailstead;
  const FileDescriptor file(::memfd_create("fuzz.deb", MFD_CLOEXEC));
  if (!file || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  auto spool = rootfs::Spool::create();
  if (!spool) std::abort();
  // Low limits: a few bytes of xz or zstd can say gigabytes of zeros, which would only cost time here.
  const rootfs::DebLimits limits{.control_size = 1 << 20, .data_size = 16 << 20, .entries = 1000};
  const auto deb = rootfs::unpack_deb("/proc/self/fd/" + std::to_string(file.get()), *spool, limits);
  if (!deb) return 0;
  (void)rootfs::script_digest(deb->control);
  rootfs::FileTree tree;
  for (const auto& entry : deb->entries) {
    const auto status = tree.put_shared(entry.path, entry.inode);
    if (!status) continue;
    // Every accepted content can be read back whole.
    const auto content = entry.inode->content.read();
    if (!content || content->size() != entry.inode->content.size()) std::abort();
  }
  for (const auto& [path, inode] : tree) {
    if (path.starts_with('/') || path.find("..") == 0) std::abort();
  }
  return 0;
}
