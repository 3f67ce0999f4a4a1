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

/// Whether the reader has said so, also if it has said more since.
bool has_line(const fs::path& log, std::string_view line) {
  return ("\n" + vm::tail(log, 100) + "\n").find(fmt::format("\n{}\n", line)) != std::string::npos;
}

tl::unexpected<Error> silence() {
  return fail(ErrorKind::tool, fmt::format("libguestfs has been silent for {} minutes", kPatience.count()),
              "try again with MAILSTEAD_ACCEL=tcg, or leave it out with --quick");
}

enum class Outcome { read, silent_start };

/// Until the process has ended, or has been silent for `start_patience` before it has started its machine.
Result<Outcome> wait_for(vm::Process& process, const fs::path& tar, Clock::duration start_patience,
                         Reporter& reporter) {
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
      return Outcome::read;
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
      return fail(std::move(check_interrupt().error()));
    }
    if (const std::uint64_t now = size + size_of(process.log()); now != known) {
      known = now;
      news = Clock::now();
    }
    const Clock::duration silent = Clock::now() - news;
    if (silent > start_patience && !has_line(process.log(), kReaderStarted)) {
      end(process);
      return Outcome::silent_start;
    }
    if (silent > kPatience) {
      end(process);
      return silence();
    }
  }
}

Result<Outcome> read_once(const ReadRequest& request, vm::Accelerator accelerator,
                          Clock::duration start_patience, Reporter& reporter) {
  const fs::path tar = tar_in(request);
  TRY(vm::Process process,
      vm::Process::start({{request.program.string(), kReaderVerb, fs::absolute(request.image).string(),
                           tar.string(), request.cache.string(), std::string(vm::name_of(accelerator))},
                          request.scratch / "libguestfs.log",
                          {},
                          false}));
  return wait_for(process, tar, start_patience, reporter);
}

}  // namespace

Result<FileSystems> read_file_systems(const ReadRequest& request, Reporter& reporter) {
  CHECK_OK(make_directories(request.cache));
  const bool kvm = request.accelerator == vm::Accelerator::kvm;
  TRY(const Outcome outcome, read_once(request, request.accelerator,
                                       kvm ? Clock::duration(request.start_patience) : kPatience, reporter));
  if (outcome == Outcome::silent_start) {
    if (!kvm) return silence();
    reporter.warning(fmt::format("libguestfs has not started under KVM within {} s; going on by emulation",
                                 request.start_patience.count()));
    TRY(const Outcome second, read_once(request, vm::Accelerator::tcg, kPatience, reporter));
    if (second == Outcome::silent_start) return silence();
  }
  TRY(const rootfs::FileTree all, rootfs::read_tar(tar_in(request)));
  return split(all);
}

}  // namespace mailstead::verify
