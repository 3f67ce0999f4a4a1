// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "vm/machine.hpp"

namespace mailstead::vm {

struct AcceleratorQuestion {
  std::filesystem::path image;  ///< what to boot for the trial; its kernel must speak on the serial console
  std::filesystem::path cache;  ///< folder that keeps the verdict for this host kernel and QEMU
  std::string program = platform::facts_of(kArchitecture).qemu_program;
  std::filesystem::path device = "/dev/kvm";
  std::chrono::milliseconds patience{20'000};  ///< how long the kernel may be silent under KVM
};

/// The fastest accelerator that works. A KVM that opens, answers and runs the firmware may still hang an
/// ordinary kernel (nested virtualisation without the right features), so the answer comes from booting the
/// image and waiting for the kernel's first words. The verdict is kept in the cache under the host's kernel
/// release and QEMU's version, if the same image does speak by emulation: a silent image says nothing about
/// KVM. $MAILSTEAD_ACCEL=tcg|kvm overrides everything. Errors: another value in that variable, no QEMU,
/// interrupted.
Result<Accelerator> find_accelerator(const AcceleratorQuestion& question, Reporter& reporter);

/// What find_accelerator has found out before, without booting anything: for whoever has no image that he
/// trusts. Emulation if nothing is known. Errors: those of find_accelerator.
Result<Accelerator> recall_accelerator(const std::filesystem::path& cache, Reporter& reporter);

}  // namespace mailstead::vm
