// SPDX-License-Identifier: GPL-3.0-or-later
#include "vm/accelerator.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/program.hpp"
#include "base/run.hpp"

namespace mailstead::vm {
namespace {

namespace fs = std::filesystem;

// What every Linux kernel prints first (init/version-timestamp.c).
constexpr std::string_view kFirstWords = "Linux version ";

std::string file_name_of(std::string_view text) {
  std::string name;
  for (const char c : text) name += (std::isalnum(static_cast<unsigned char>(c)) || c == '.') ? c : '-';
  return name;
}

Result<fs::path> verdict_file(const AcceleratorQuestion& question) {
  utsname host{};
  ::uname(&host);
  Command ask;
  ask.argv = {question.program, "--version"};
  ask.timeout = std::chrono::seconds(30);
  TRY(const CommandOutput version, run(ask));
  const std::string first_line = version.out.substr(0, version.out.find('\n'));
  return question.cache / ("accelerator-" + file_name_of(std::string(host.release) + "-" + first_line));
}

/// What a machine of the image does first.
enum class FirstWords { none, silence, spoken };

Result<FirstWords> listen(const AcceleratorQuestion& question, Accelerator accelerator) {
  TRY(const TemporaryDirectory folder, TemporaryDirectory::create());
  MachineOptions options;
  options.image = question.image;
  options.folder = folder.path();
  options.program = question.program;
  options.accelerator = accelerator;
  TRY(Machine machine, Machine::create(std::move(options)));
  FirstWords heard = FirstWords::none;
  if (machine.start()) {
    const bool spoke = machine.wait_for_serial(kFirstWords, question.patience).has_value();
    // A QEMU that has ended by itself says nothing about the kernel.
    if (spoke || machine.running()) heard = spoke ? FirstWords::spoken : FirstWords::silence;
  }
  machine.power_cut();
  CHECK_OK(check_interrupt());
  return heard;
}

/// Whether KVM works, or nothing if the trial has not shown it: the same image must speak by emulation, or it
/// is the image that is silent.
Result<std::optional<bool>> try_kvm(const AcceleratorQuestion& question, Reporter& reporter) {
  auto activity = reporter.start("trying KVM");
  TRY(const FirstWords by_kvm, listen(question, Accelerator::kvm));
  if (by_kvm == FirstWords::spoken) {
    activity->set_result("works");
    return std::optional<bool>(true);
  }
  std::optional<bool> verdict;
  if (by_kvm == FirstWords::silence) {
    TRY(const FirstWords by_emulation, listen(question, Accelerator::tcg));
    if (by_emulation == FirstWords::spoken) verdict = false;
  }
  activity->set_failed(verdict ? "the kernel stays silent; using emulation, which is slower"
                               : "no answer; using emulation for now, which is slower");
  return verdict;
}

/// What is known without a trial: the user's wish, that there is no KVM to open, or a verdict of before. Else
/// nothing.
Result<std::optional<Accelerator>> known(const AcceleratorQuestion& question, Reporter& reporter) {
  using Known = std::optional<Accelerator>;
  if (const char* wish = std::getenv("MAILSTEAD_ACCEL"); wish != nullptr && *wish != '\0') {
    if (std::string_view(wish) == "tcg") return Known(Accelerator::tcg);
    if (std::string_view(wish) == "kvm") return Known(Accelerator::kvm);
    return fail(ErrorKind::usage, std::string("MAILSTEAD_ACCEL is '") + wish + "'", "set it to tcg or kvm");
  }
  if (!FileDescriptor(::open(question.device.c_str(), O_RDWR | O_CLOEXEC))) {
    if (errno == EACCES)
      reporter.info(
          fmt::format("KVM is not used: you may not open {0}; for speed, add yourself to the group kvm "
                      "and log in again",
                      question.device.string()));
    return Known(Accelerator::tcg);
  }
  TRY(const fs::path file, verdict_file(question));
  if (const auto verdict = read_file(file, 64)) {
    if (*verdict == "tcg\n") {
      reporter.info(fmt::format("Emulated: KVM has not worked on this machine. To try it again, remove {}",
                                file.string()));
      return Known(Accelerator::tcg);
    }
    if (*verdict == "kvm\n") return Known(Accelerator::kvm);
  }
  return Known();
}

}  // namespace

Result<Accelerator> find_accelerator(const AcceleratorQuestion& question, Reporter& reporter) {
  TRY(const auto there, known(question, reporter));
  if (there) return *there;
  TRY(const std::optional<bool> works, try_kvm(question, reporter));
  if (works) {
    TRY(const fs::path file, verdict_file(question));
    CHECK_OK(make_directories(question.cache));
    CHECK_OK(write_file(file, *works ? "kvm\n" : "tcg\n"));
  }
  return works.value_or(false) ? Accelerator::kvm : Accelerator::tcg;
}

Result<Accelerator> recall_accelerator(const std::filesystem::path& cache, Reporter& reporter) {
  AcceleratorQuestion question;
  question.cache = cache;
  TRY(const auto there, known(question, reporter));
  if (there) return *there;
  reporter.info(
      fmt::format("Emulated: whether KVM works here has not been tried yet; `{}` or `run` finds out",
                  own_command({"test"})));
  return Accelerator::tcg;
}

}  // namespace mailstead::vm
