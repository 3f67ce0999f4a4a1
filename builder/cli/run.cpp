// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "base/files.hpp"
#include "cli/command.hpp"
#include "vm/accelerator.hpp"
#include "vm/machine.hpp"

namespace mailstead::cli {
namespace {

struct RunOptions {
  std::filesystem::path image;
  bool uefi = false;
  unsigned memory_mib = 1024;
  unsigned first_port = 20000;
};

Status run_image(const RunOptions& wanted, Globals& globals) {
  CHECK_OK(require_disk_image(wanted.image));
  TRY(const auto cache, cache_directory());
  TRY(const TemporaryDirectory folder, TemporaryDirectory::create());
  TRY(const vm::Accelerator accelerator, vm::find_accelerator({wanted.image, cache}, *globals.reporter));
  vm::MachineOptions options;
  options.image = wanted.image;
  options.folder = folder.path();
  options.accelerator = accelerator;
  options.firmware = wanted.uefi ? vm::Firmware::uefi : vm::Firmware::bios;
  options.memory_mib = wanted.memory_mib;
  options.serial_on_stdio = true;
  vm::UserNetwork network;
  std::string ports;
  for (const unsigned port : {22u, 25u, 465u, 587u, 993u, 4190u}) {
    network.forwards.emplace_back(static_cast<std::uint16_t>(wanted.first_port + port),
                                  static_cast<std::uint16_t>(port));
    ports += fmt::format(" {}→{}", wanted.first_port + port, port);
  }
  options.network = network;
  globals.reporter->info(fmt::format("Ports of 127.0.0.1 that lead to the appliance:{}", ports));
  globals.reporter->info(
      "The disk is a throw-away overlay: what happens in the machine is forgotten. Ctrl-A X ends it.");
  TRY(vm::Machine machine, vm::Machine::create(std::move(options)));
  CHECK_OK(machine.start());
  return machine.wait_until_off();
}

}  // namespace

void add_run(CLI::App& app, Globals& globals) {
  CLI::App* verb =
      app.add_subcommand("run", "boot an image in QEMU for a look, its console on this terminal");
  auto options = std::make_shared<RunOptions>();
  verb->add_option("IMAGE", options->image, "the disk image; it is not changed")
      ->required()
      ->check(not_empty);
  verb->add_flag("--uefi", options->uefi, "start by UEFI instead of legacy BIOS");
  verb->add_option("--memory", options->memory_mib, "MiB of memory")
      ->check(CLI::Range(256, 65536))
      ->capture_default_str();
  verb->add_option("--first-port", options->first_port, "port N of the appliance is this plus N on 127.0.0.1")
      ->check(CLI::Range(1024, 60000))
      ->capture_default_str();
  verb->callback(
      [&globals, options] { globals.work = [&globals, options] { return run_image(*options, globals); }; });
}

}  // namespace mailstead::cli
