// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mailtest/player.hpp"
#include "mailtest/run_scenarios.hpp"
#include "vm/machine.hpp"

namespace mailstead::mailtest {

/// The appliance as a virtual machine in the test world.
class MachineAppliance : public Appliance {
 public:
  /// `address`: where it answers. `boots` gets an entry for each power-on that is followed by wait_boot; it
  /// must outlive the appliance.
  static Result<std::unique_ptr<MachineAppliance>> create(vm::MachineOptions options, std::string suite,
                                                          std::string address, double time_scale,
                                                          std::vector<BootTimes>& boots);
  Status power_on() override;
  Status power_off() override;
  Status power_cut() override;
  Status wait_boot(Deadline deadline) override;
  Result<std::vector<JournalEntry>> journal() override;
  Status resize_disk(std::uint64_t bytes) override;
  Status add_disk(const std::string& label) override;
  Status check_data_sound() override;
  Status check_data_fills_disk() override;
  Status write_image(bool whole) override;
  Status write_disk(std::uint64_t place, const std::string& bytes) override;
  Result<std::string> debugfs(const std::string& request) override;
  Status attach_copy() override;
  Status detach_copy() override;
  Status check_copy_unchanged() override;
  Status press(const std::vector<std::string>& keys) override { return machine_.press(keys); }
  Result<std::string> screen() override { return machine_.screen(); }
  Result<std::string> serial() override;
  double slowness() const override { return slowness_; }

  /// Removes the disk, however the scenario ends.
  ~MachineAppliance() override { discard(); }
  MachineAppliance(const MachineAppliance&) = delete;
  MachineAppliance& operator=(const MachineAppliance&) = delete;

  bool running() { return machine_.running(); }
  std::filesystem::path serial_log() const { return machine_.serial_log(); }
  std::filesystem::path journal_file() const { return machine_.options().folder / "journal.txt"; }

 private:
  /// Ends the machine and removes its disk; the logs stay.
  void discard();
  MachineAppliance(vm::Machine machine, std::string suite, std::string address, double time_scale,
                   std::vector<BootTimes>& boots)
      : machine_(std::move(machine)),
        suite_(std::move(suite)),
        address_(std::move(address)),
        time_scale_(time_scale),
        boots_(boots) {}
  Status must_be_off();
  const std::filesystem::path& folder() const { return machine_.options().folder; }
  std::filesystem::path other_disk() const { return folder() / "other-disk.img"; }

  vm::Machine machine_;
  std::string suite_;
  std::string address_;
  double time_scale_;
  double slowness_ = 1;
  std::vector<BootTimes>& boots_;
};

}  // namespace mailstead::mailtest
