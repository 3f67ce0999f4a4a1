// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/appliance.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "rootfs/archive_writer.hpp"
#include "vm/process.hpp"

namespace mailstead::verify {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Under emulation on a busy machine the kernel needs a minute, and building the appliance before the first
// time another.
constexpr std::chrono::minutes kPatience{5};
constexpr std::chrono::seconds kFarewell{15};

// Ten times what an image of ours has. A squashfs of holes takes no room itself.
constexpr std::uint64_t kMostFiles = 2ull << 30;

/// Asks the process and all that it has started to end, and makes sure of it. QEMU ends first, then
/// libguestfs cleans up.
void end(vm::Process& process) {
  ::kill(-process.pid(), SIGTERM);  // the leader of a group of its own, which is not reaped yet
  if (!process.wait(kFarewell)) {
    ::kill(-process.pid(), SIGKILL);
    process.kill();
  }
}

std::uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  return error ? 0 : size;
}

fs::path tar_in(const ReadRequest& request) {
  return request.scratch / "files.tar";
}

Status wait_for(vm::Process& process, const fs::path& tar, Reporter& reporter) {
  auto activity = reporter.start("Starting libguestfs");
  bool reading = false;
  std::uint64_t known = 0;
  std::uint64_t read = 0;
  auto news = Clock::now();
  while (true) {
    const auto ending = process.wait(std::chrono::milliseconds(200));
    const std::uint64_t size = size_of(tar);
    if (size > 0 && !reading) {
      activity->set_result("");
      activity.reset();
      activity = reporter.start("Reading every file by libguestfs", 0, Reporter::Unit::bytes);
      reading = true;
    }
    if (size > read) {
      activity->advance(size - read);
      read = size;
    }
    if (size > kMostFiles) {
      end(process);
      return fail(ErrorKind::integrity,
                  fmt::format("its files are too large: together more than {}", human_size(kMostFiles)));
    }
    if (ending && ending->clean()) {
      activity->set_result(human_size(read));
      return ok();
    }
    if (ending) {
      return fail(Error{ErrorKind::integrity,
                        "libguestfs could not read the image: " + vm::tail(process.log(), 3),
                        {},
                        {},
                        {},
                        {}});
    }
    if (interrupted()) {
      end(process);
      return check_interrupt();
    }
    if (const std::uint64_t now = size + size_of(process.log()); now != known) {
      known = now;
      news = Clock::now();
    }
    if (Clock::now() - news > kPatience) {
      end(process);
      return fail(ErrorKind::tool,
                  fmt::format("libguestfs has been silent for {} minutes", kPatience.count()),
                  "try again with MAILSTEAD_ACCEL=tcg, or leave it out with --quick");
    }
  }
}

}  // namespace

Result<FileSystems> read_file_systems(const ReadRequest& request, Reporter& reporter) {
  CHECK_OK(make_directories(request.cache));
  const fs::path tar = tar_in(request);
  TRY(vm::Process process,
      vm::Process::start({{"/proc/self/exe", kReaderVerb, fs::absolute(request.image).string(), tar.string(),
                           request.cache.string(), std::string(vm::name_of(request.accelerator))},
                          request.scratch / "libguestfs.log",
                          {},
                          false}));
  CHECK_OK(wait_for(process, tar, reporter));
  TRY(const rootfs::FileTree all, rootfs::read_tar(tar));
  return split(all);
}

}  // namespace mailstead::verify
