// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "platform/boot_method.hpp"
#include "vm/process.hpp"
#include "vm/qmp.hpp"
#include "vm/user_network.hpp"

namespace mailstead::vm {

enum class Accelerator { tcg, kvm };
/// What images are for that are started here.
inline constexpr platform::Architecture kArchitecture = platform::Architecture::amd64;
using platform::Firmware;
using platform::name_of;
std::string_view name_of(Accelerator accelerator);  ///< "tcg", "kvm"

/// No network card at all.
struct NoNetwork {};
/// Cards on tap devices that are open in this process.
struct TapNetwork {
  struct Card {
    int fd = -1;
    std::string mac;
  };
  std::vector<Card> cards;
  bool last_comes_first = false;  ///< on the bus, by which a system numbers them: in reversed order
};
/// QEMU's own network stack without a way in but these ports: host 127.0.0.1:first → guest:second.
struct UserNetwork {
  std::vector<std::pair<std::uint16_t, std::uint16_t>> forwards;
  bool restricted = true;                  ///< the guest reaches nothing outside
  std::optional<UserAddresses> addresses;  ///< nothing: QEMU's own, for a guest that asks by DHCP
};
using Network = std::variant<NoNetwork, TapNetwork, UserNetwork>;

/// What a scenario may choose of a machine. Names of devices are QEMU's.
struct Hardware {
  Firmware firmware = Firmware::bios;
  std::uint64_t disk_bytes = 0;  ///< size of the virtual disk; 0: image and extra_disk_bytes
  std::string clock;             ///< what the clock shows at power-on (ISO 8601); empty: the time
  bool screen = false;           ///< a VGA card; without, there is only the serial console
  bool watchdog = false;         ///< resets the machine if nobody tends it
  std::string disk_controller = "virtio-blk-pci";  ///< of the disk that is booted from
  std::string network_card = "virtio-net-pci";
};

struct MachineOptions : Hardware {
  std::filesystem::path image;   ///< raw disk image; only read
  std::filesystem::path folder;  ///< overlay, logs and UEFI variables go here; must exist
  std::string program = platform::facts_of(kArchitecture).qemu_program;
  Accelerator accelerator = Accelerator::tcg;
  Network network = NoNetwork{};
  unsigned memory_mib = 1024;
  unsigned cpus = 2;
  std::uint64_t extra_disk_bytes = 4ull << 30;  ///< how much larger than the image the virtual disk is
  bool serial_on_stdio = false;  ///< console on our terminal instead of the log (`mailstead run`)
};

/// A virtual machine around an unchanged image. Writes go to a qcow2 overlay, which lives as long as the
/// folder, so that several boots see one disk. At most one QEMU runs at a time; the destructor ends it.
class Machine {
 public:
  /// Makes the overlay (qemu-img) and the UEFI variables; does not boot. Errors: no QEMU, no firmware,
  /// unreadable image.
  static Result<Machine> create(MachineOptions options);

  /// Power on. Errors: already running, QEMU does not start (with the tail of its log).
  Status start();
  bool running() { return process_ && process_->running(); }
  /// When power was last switched on.
  std::chrono::steady_clock::time_point powered_on() const { return powered_on_; }

  /// The power button, and then Ctrl-Alt-Delete for a system that does not mind the button: waits until QEMU
  /// has ended. Errors: it did not end within `timeout`, or the user asked to stop, and was killed; it
  /// crashed.
  Status power_off(std::chrono::milliseconds timeout);
  /// Pulls the plug: what the guest had not flushed is lost. Does nothing if the machine is off.
  void power_cut();
  /// Gives the disk this size, from the next power-on. Errors: the machine is running, or the disk is larger.
  Status resize_disk(std::uint64_t bytes);
  /// From the next power-on, the raw disk `file` stands before the machine's own on the bus, which stays the
  /// one that is booted from. Writes to `file` are kept.
  void add_disk(std::filesystem::path file) { other_disk_ = std::move(file); }
  void remove_disk() { other_disk_.clear(); }

  /// Presses and releases these keys one after the other, by QEMU's names ("a", "ret", "shift-a"). Errors:
  /// the machine is off; QEMU does not know a key.
  Status press(const std::vector<std::string>& keys);
  /// What the text memory of the VGA card holds: the lines on the screen, and those that have scrolled out of
  /// it last. Errors: off, or no screen; nothing sensible comes while the card shows graphics.
  Result<std::string> screen();

  /// Waits until the machine is off by itself (`mailstead run`). Errors: QEMU ended with a failure;
  /// interrupted.
  Status wait_until_off();

  /// Waits until the serial console has shown `text`. Errors: `timeout` passed, QEMU ended, interrupted; each
  /// with the tail of the console.
  Status wait_for_serial(std::string_view text, std::chrono::milliseconds timeout);

  /// Console of the boot in progress or of the last one; earlier ones have other numbers (serial-1.log, …).
  std::filesystem::path serial_log() const;
  const std::filesystem::path& overlay() const { return overlay_; }
  const MachineOptions& options() const { return options_; }
  int boots() const { return boots_; }

 private:
  explicit Machine(MachineOptions options) : options_(std::move(options)) {}
  std::vector<std::string> command_line(int monitor_fd) const;
  Error died(std::string what) const;

  MachineOptions options_;
  std::filesystem::path overlay_;
  std::filesystem::path other_disk_;
  std::filesystem::path variables_;  ///< UEFI only: our copy of the variable store
  std::unique_ptr<Process> process_;
  std::unique_ptr<Qmp> monitor_;
  std::chrono::steady_clock::time_point powered_on_{};
  int boots_ = 0;
};

}  // namespace mailstead::vm
