// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/machine_appliance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "mailtest/disk.hpp"
#include "mailtest/disk_changes.hpp"
#include "mailtest/enclosure.hpp"
#include "mailtest/session.hpp"

namespace mailstead::mailtest {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Whether the appliance greets on this port in the right way. While the host is not there yet, connecting to
// it takes long to fail.
bool greets(const std::string& address, std::uint16_t port, Protocol protocol, bool tls,
            std::string_view greeting, double time_scale) {
  const auto within = [&](std::chrono::milliseconds time) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(time * time_scale);
  };
  auto connection = Connection::open(address, port, "", within(500ms));
  if (!connection) return false;
  // Once it listens, the greeting may take a while: TLS under emulation, postscreen's wait.
  const Deadline deadline = within(20s);
  if (tls && !connection->start_tls({}, deadline)) return false;
  Session session(protocol, *std::move(connection));
  const auto reply = session.read_reply(deadline);
  return reply && reply->status.compare(0, greeting.size(), greeting) == 0;
}

double slowness_of(const BootTimes& boot) {
  constexpr std::chrono::duration<double> kUsualBoot =
      75s;  // emulated by two processors of 2024, nothing beside it
  // A slower machine is no fault of the image; but an image that is much slower itself must fail a test.
  constexpr double kMaxSlowness = 5;
  if (boot.accelerator != vm::name_of(vm::Accelerator::tcg)) return 1;
  return std::clamp(boot.to_imaps / kUsualBoot, 1.0, kMaxSlowness);
}

}  // namespace

Result<std::unique_ptr<MachineAppliance>> MachineAppliance::create(vm::MachineOptions options,
                                                                   std::string suite, std::string address,
                                                                   double time_scale,
                                                                   std::vector<BootTimes>& boots) {
  TRY(vm::Machine machine, vm::Machine::create(std::move(options)));
  return std::unique_ptr<MachineAppliance>(
      new MachineAppliance(std::move(machine), std::move(suite), std::move(address), time_scale, boots));
}

Status MachineAppliance::power_on() {
  return machine_.start();
}

Status MachineAppliance::power_off() {
  return machine_.power_off(
      std::chrono::duration_cast<std::chrono::milliseconds>(120s * time_scale_ * slowness_));
}

Status MachineAppliance::power_cut() {
  if (!machine_.running()) return fail(ErrorKind::tool, "the machine is already off");
  machine_.power_cut();
  return ok();
}

Status MachineAppliance::wait_boot(Deadline deadline) {
  std::optional<Clock::time_point> smtp;
  std::optional<Clock::time_point> imaps;
  while (!smtp || !imaps) {
    CHECK_OK(check_interrupt());
    if (!smtp && greets(address_, 25, Protocol::smtp, false, "220 ", time_scale_)) smtp = Clock::now();
    if (!imaps && greets(address_, 993, Protocol::imap, true, "* OK", time_scale_)) imaps = Clock::now();
    if (smtp && imaps) break;
    if (!machine_.running()) return fail(ErrorKind::tool, "the machine switched off while it was booting");
    if (Clock::now() >= deadline)
      return fail(ErrorKind::tool,
                  fmt::format("the appliance did not answer in time: SMTP {}, IMAPS {}",
                              smtp ? "answers" : "is silent", imaps ? "answers" : "is silent"));
    std::this_thread::sleep_for(100ms);
  }
  const auto since = [&](Clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time - machine_.powered_on());
  };
  boots_.push_back({suite_, std::string(name_of(machine_.options().firmware)),
                    std::string(name_of(machine_.options().accelerator)), since(*smtp), since(*imaps)});
  boots_.back().slowness = slowness_ = slowness_of(boots_.back());
  return ok();
}

Status MachineAppliance::must_be_off() {
  if (machine_.running())
    return fail(ErrorKind::tool, "the disk can be read and changed only while the machine is off",
                "write 'power-off' before");
  return ok();
}

Result<std::vector<JournalEntry>> MachineAppliance::journal() {
  CHECK_OK(must_be_off());
  return read_journal(machine_.overlay(), folder());
}

Status MachineAppliance::resize_disk(std::uint64_t bytes) {
  CHECK_OK(must_be_off());
  return machine_.resize_disk(bytes);
}

Status MachineAppliance::add_disk(const std::string& label) {
  CHECK_OK(must_be_off());
  CHECK_OK(make_disk_with_partition(other_disk(), label));
  machine_.add_disk(other_disk());
  return ok();
}

Status MachineAppliance::write_image(bool whole) {
  CHECK_OK(must_be_off());
  return mailtest::write_image(machine_.options().image, whole, machine_.overlay());
}

Status MachineAppliance::write_disk(std::uint64_t place, const std::string& bytes) {
  CHECK_OK(must_be_off());
  return write_bytes(machine_.overlay(), place, bytes, folder());
}

Result<std::string> MachineAppliance::debugfs(const std::string& request) {
  CHECK_OK(must_be_off());
  return mailtest::debugfs(machine_.overlay(), request, folder());
}

Status MachineAppliance::attach_copy() {
  CHECK_OK(must_be_off());
  CHECK_OK(copy_disk(machine_.overlay(), other_disk()));
  machine_.add_disk(other_disk());
  return ok();
}

Status MachineAppliance::detach_copy() {
  CHECK_OK(must_be_off());
  machine_.remove_disk();
  return ok();
}

Status MachineAppliance::check_copy_unchanged() {
  CHECK_OK(must_be_off());
  return check_same(machine_.overlay(), other_disk());
}

Status MachineAppliance::check_data_sound() {
  CHECK_OK(must_be_off());
  return mailtest::check_data_sound(machine_.overlay(), folder());
}

Status MachineAppliance::check_data_fills_disk() {
  CHECK_OK(must_be_off());
  return mailtest::check_data_fills_disk(machine_.overlay(), folder());
}

Result<std::string> MachineAppliance::serial() {
  return read_file(machine_.serial_log(), 64u << 20);
}

void MachineAppliance::discard() {
  machine_.power_cut();
  std::error_code error;
  std::filesystem::remove(machine_.overlay(), error);
  std::filesystem::remove(other_disk(), error);
  std::filesystem::remove(folder() / "uefi-variables.fd", error);
}

}  // namespace mailstead::mailtest
