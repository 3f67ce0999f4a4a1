// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/files.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "inspect/appliance.hpp"
#include "overlay/overlay.hpp"
#include "pipeline/security.hpp"
#include "spec/load.hpp"
#include "vm/accelerator.hpp"
#include "vm/machine.hpp"

namespace mailstead::cli {
namespace {

struct RunOptions {
  std::filesystem::path image;
  std::filesystem::path spec;
  bool uefi = false;
  unsigned memory_mib = 1024;
  unsigned first_port = 20000;
};

/// Keeps how the terminal on stdin was: QEMU makes it raw, and puts it back only if it ends by itself.
class TerminalState {
 public:
  TerminalState()
      : known_(::tcgetattr(STDIN_FILENO, &settings_) == 0), flags_(::fcntl(STDIN_FILENO, F_GETFL)) {}
  ~TerminalState() {
    // In the background the terminal is another's.
    if (!known_ || ::tcgetpgrp(STDIN_FILENO) != ::getpgrp()) return;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &settings_);
    ::fcntl(STDIN_FILENO, F_SETFL, flags_);  // QEMU reads without blocking, which the shell would inherit
  }
  TerminalState(const TerminalState&) = delete;
  TerminalState& operator=(const TerminalState&) = delete;

 private:
  termios settings_{};
  bool known_;
  int flags_;
};

/// Nothing for a site that asks for its addresses. Errors: none that QEMU could forward ports to.
Result<std::optional<vm::UserAddresses>> addresses_of(const std::filesystem::path& spec) {
  TRY(const spec::Site site, spec::load_site(spec));
  const spec::Network& network = site.network;
  if (network.dhcp4) return std::optional<vm::UserAddresses>();
  const auto v4 =
      std::find_if(network.addresses.begin(), network.addresses.end(),
                   [](const std::string& address) { return address.find(':') == std::string::npos; });
  const std::string remedy = "leave --spec out to see the console, without forwarded ports";
  if (v4 == network.addresses.end())
    return fail(ErrorKind::usage, "the site has no IPv4 address to forward ports to", remedy);
  auto addresses = vm::user_addresses(*v4, network.gateway4.value_or(""));
  if (!addresses) {
    Error error = std::move(addresses).error();
    error.hint = remedy;
    return fail(std::move(error));
  }
  return std::optional(*std::move(addresses));
}

/// The ports that an image may have, whatever its spec asks for.
Result<std::vector<std::uint16_t>> known_ports() {
  TRY(const auto data, data_directory());
  TRY(const auto overlays, overlay::load_overlays(data, overlay::overlay_names(data)));
  TRY(const auto services, overlay::merge_services(overlays));
  std::vector<std::uint16_t> ports;
  for (const overlay::Service& service : services)
    if (service.port) ports.push_back(*service.port);
  std::sort(ports.begin(), ports.end());
  return ports;
}

/// Those that the image offers; if it cannot be read, all that any image may have.
Result<std::vector<std::uint16_t>> ports_of(const std::filesystem::path& file) {
  const auto image = inspect::DiskImage::open(file);
  if (!image) return known_ports();
  const auto open = inspect::read_open_ports(*image);
  if (!open) return known_ports();
  std::vector<std::uint16_t> ports;
  for (const inspect::OpenPort& port : *open) {
    std::uint16_t number = 0;
    const char* end = port.ports.data() + port.ports.size();
    if (port.protocol == "tcp" && std::from_chars(port.ports.data(), end, number).ptr == end)
      ports.push_back(number);
  }
  return ports;
}

/// Of what the image says that it has.
void warn_of_security_updates(const std::filesystem::path& file, const Globals& globals) {
  const auto image = inspect::DiskImage::open(file);
  if (!image) return;
  const auto facts = inspect::read_public_facts(*image);
  if (!facts) return;
  pipeline::warn_of_security_updates(
      pipeline::subject_of(facts->base),
      fmt::format("build it again after `{}`", own_command({"lock", "SPEC", "--update"})), globals.options,
      *globals.reporter);
}

Status run_image(const RunOptions& wanted, Globals& globals) {
  CHECK_OK(require_startable_image(wanted.image));
  warn_of_security_updates(wanted.image, globals);
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
  if (!wanted.spec.empty()) {
    TRY(network.addresses, addresses_of(wanted.spec));
  }
  std::string ports;
  TRY(const std::vector<std::uint16_t> offered, ports_of(wanted.image));
  for (const std::uint16_t port : offered) {
    network.forwards.emplace_back(static_cast<std::uint16_t>(wanted.first_port + port), port);
    ports += fmt::format(" {}→{}", wanted.first_port + port, port);
  }
  options.network = network;
  globals.reporter->info(fmt::format("Ports of 127.0.0.1 that are forwarded to the server:{}", ports));
  globals.reporter->info(
      "The machine writes to a temporary overlay: its changes are lost when it ends. Ctrl-A X ends it.");
  const TerminalState before;  // outlives the machine
  TRY(vm::Machine machine, vm::Machine::create(std::move(options)));
  CHECK_OK(machine.start());
  return machine.wait_until_off();
}

}  // namespace

void add_run(CLI::App& app, Globals& globals) {
  CLI::App* verb =
      app.add_subcommand("run", "boot an image in QEMU with its console on this terminal, to try it");
  auto options = std::make_shared<RunOptions>();
  verb->add_option("IMAGE", options->image, "the disk image; it is not changed")
      ->required()
      ->check(not_empty);
  verb->add_option(
          "--spec", options->spec,
          "the spec of the site, needed if it has 'addresses': ports are forwarded to its first IPv4 "
          "address (without --spec, to the address that DHCP assigns)")
      ->type_name("FILE");
  verb->add_flag("--uefi", options->uefi, platform::kUefiHelp);
  verb->add_option("--memory", options->memory_mib, "MiB of memory")
      ->check(CLI::Range(256, 65536))
      ->capture_default_str();
  verb->add_option("--first-port", options->first_port,
                   "port N of the server becomes this number plus N on 127.0.0.1")
      ->check(CLI::Range(1024, 60000))
      ->capture_default_str();
  add_archive_options(*verb, globals);
  verb->footer(examples({{"run", "mail.img"}, {"run", "mail.img", "--spec", "site/mail.yaml"}}));
  verb->callback(
      [&globals, options] { globals.work = [&globals, options] { return run_image(*options, globals); }; });
}

}  // namespace mailstead::cli
