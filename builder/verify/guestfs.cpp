// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <guestfs.h>

#include <array>
#include <cstdio>
#include <memory>

#include "base/interrupt.hpp"
#include "image/partitions.hpp"
#include "verify/appliance.hpp"

namespace mailstead::verify {
namespace {

struct HandleDeleter {
  void operator()(guestfs_h* handle) const { ::guestfs_close(handle); }
};
using Handle = std::unique_ptr<guestfs_h, HandleDeleter>;

constexpr const char* kBootPlace = "/boot";
constexpr const char* kEspPlace = "/run";

/// Where a partition is mounted: on folders that the root file system has and that are empty in it.
struct Mount {
  image::PartitionNumber number;
  const char* place;
};
constexpr std::array kMounts = {Mount{image::kRootNumberA, "/"}, Mount{image::kUsrNumberA, "/usr"},
                                Mount{image::kBootNumberA, kBootPlace}, Mount{image::kEspNumber, kEspPlace}};

Status refusal(ErrorKind kind, const Handle& handle, const std::string& what) {
  CHECK_OK(check_interrupt());
  const char* text = ::guestfs_last_error(handle.get());
  return fail(kind, fmt::format("{}: {}", what, text == nullptr ? "unknown error" : text));
}

}  // namespace

Status read_with_libguestfs(const std::filesystem::path& image, const std::filesystem::path& tar,
                            const std::filesystem::path& cache, vm::Accelerator accelerator) {
  // Without the user's variables: they could name another back end, or a program to run.
  const Handle handle(::guestfs_create_flags(GUESTFS_CREATE_NO_ENVIRONMENT));
  if (!handle) return fail(ErrorKind::tool, "libguestfs does not start");
  guestfs_h* const g = handle.get();
  ::guestfs_set_error_handler(g, nullptr, nullptr);  // errors are ours to print
  const auto say = [](const char* word) {
    std::puts(word);
    std::fflush(stdout);
  };
  // libguestfs takes any /dev/kvm that opens, also one under which no kernel runs.
  if (::guestfs_set_backend(g, "direct") != 0 || ::guestfs_set_cachedir(g, cache.c_str()) != 0 ||
      (accelerator == vm::Accelerator::tcg && ::guestfs_set_backend_setting(g, "force_tcg", "1") != 0) ||
      ::guestfs_add_drive_opts(g, image.c_str(), GUESTFS_ADD_DRIVE_OPTS_READONLY, 1,
                               GUESTFS_ADD_DRIVE_OPTS_FORMAT, "raw", -1) != 0 ||
      ::guestfs_launch(g) != 0)
    return refusal(ErrorKind::tool, handle, "libguestfs does not start");
  say(kReaderStarted);
  for (const auto& [number, place] : kMounts) {
    const std::string device = fmt::format("/dev/sda{}", static_cast<int>(number));
    if (::guestfs_mount_ro(g, device.c_str(), place) != 0)
      return refusal(ErrorKind::integrity, handle, fmt::format("partition {}", static_cast<int>(number)));
  }
  say("mounted");
  if (::guestfs_tar_out_opts(g, "/", tar.c_str(), GUESTFS_TAR_OUT_OPTS_NUMERICOWNER, 1,
                             GUESTFS_TAR_OUT_OPTS_XATTRS, 1, -1) != 0)
    return refusal(ErrorKind::integrity, handle, "files");
  ::guestfs_shutdown(g);
  return ok();
}

void hide_mount_points(rootfs::FileTree& system) {
  system.remove(std::string_view(kBootPlace).substr(1));
  system.remove(std::string_view(kEspPlace).substr(1));
}

FileSystems split(const rootfs::FileTree& all) {
  FileSystems systems{all, all.subtree(std::string_view(kBootPlace).substr(1)),
                      all.subtree(std::string_view(kEspPlace).substr(1))};
  hide_mount_points(systems.system);
  return systems;
}

}  // namespace mailstead::verify
