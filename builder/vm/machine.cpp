// SPDX-License-Identifier: GPL-3.0-or-later
#include "vm/machine.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "base/interrupt.hpp"
#include "base/run.hpp"

namespace mailstead::vm {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds kMonitorTimeout = 30s;
/// Debian's builds of OVMF. That for Secure Boot comes with Microsoft's keys enrolled and keeps its variables
/// behind system management mode.
struct UefiFiles {
  const char* code;
  const char* variables;
};
constexpr UefiFiles kUefi{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"};
constexpr UefiFiles kSecureBoot{"/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
                                "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"};

const UefiFiles& uefi_files(Firmware firmware) {
  return firmware == Firmware::uefi_secure_boot ? kSecureBoot : kUefi;
}

// A comma in a value of QEMU's comma-separated options is written twice.
std::string escape_commas(const std::string& value) {
  std::string escaped;
  for (const char c : value) escaped.append(c == ',' ? 2 : 1, c);
  return escaped;
}

std::string network_arguments(const UserNetwork& network) {
  std::string text = "user,id=net0";
  if (network.restricted) text += ",restrict=on";
  // The start of what DHCP gives must lie in the network, too, though nobody asks.
  if (const auto& all = network.addresses)
    text += fmt::format(",net={},host={},dns={},dhcpstart={}", all->network, all->gateway, all->nameserver,
                        all->guest);
  const std::string to = network.addresses ? network.addresses->guest : "";
  for (const auto& [host, guest] : network.forwards)
    text += fmt::format(",hostfwd=tcp:127.0.0.1:{}-{}:{}", host, to, guest);
  return text;
}

/// A block device of its own, or a SCSI controller with the disk on its bus.
void add_boot_disk(std::vector<std::string>& argv, const std::string& controller) {
  if (controller.starts_with("virtio-blk")) {
    argv.insert(argv.end(), {"-device", controller + ",drive=disk0,bootindex=0"});
  } else {
    argv.insert(argv.end(), {"-device", controller + ",id=scsi0", "-device",
                             "scsi-hd,bus=scsi0.0,drive=disk0,bootindex=0"});
  }
}

/// Lines of this many columns, blanks at their ends cut off, empty ones left out.
std::string screen_text(std::string_view memory, std::size_t columns) {
  std::string text;
  for (std::size_t line = 0; line + 2 * columns <= memory.size(); line += 2 * columns) {
    std::string shown;
    for (std::size_t at = line; at < line + 2 * columns; at += 2)
      shown += memory[at] >= ' ' && memory[at] <= '~' ? memory[at] : ' ';
    shown.erase(shown.find_last_not_of(' ') + 1);
    if (!shown.empty()) text += shown + '\n';
  }
  return text;
}

milliseconds left(Clock::time_point deadline) {
  return std::max<milliseconds>(0ms, std::chrono::duration_cast<milliseconds>(deadline - Clock::now()));
}

/// Like Process::wait, but not deaf to a user who wants to stop.
Result<std::optional<Ending>> wait_for_end(Process& process, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    CHECK_OK(check_interrupt());
    auto ending = process.wait(std::min<milliseconds>(200ms, left(deadline)));
    if (ending || left(deadline) == 0ms) return ending;
  }
}

}  // namespace

std::string_view name_of(Accelerator accelerator) {
  return accelerator == Accelerator::kvm ? "kvm" : "tcg";
}

Result<Machine> Machine::create(MachineOptions options) {
  std::error_code error;
  options.image = fs::absolute(options.image);
  const std::uint64_t size = fs::file_size(options.image, error);
  if (error) return fail(ErrorKind::io, "cannot read " + options.image.string() + ": " + error.message());
  Machine machine(std::move(options));
  const MachineOptions& o = machine.options_;
  machine.overlay_ = o.folder / "overlay.qcow2";
  const std::uint64_t wanted = o.disk_bytes != 0 ? o.disk_bytes : size + o.extra_disk_bytes;
  if (wanted < size)
    return fail(ErrorKind::usage, fmt::format("a disk of {} bytes is too small for the image", wanted));
  const std::uint64_t total = (wanted + 511) / 512 * 512;
  Command make_overlay;
  make_overlay.argv = {"qemu-img",
                       "create",
                       "-q",
                       "-f",
                       "qcow2",
                       "-F",
                       "raw",
                       "-b",
                       o.image.string(),
                       machine.overlay_.string(),
                       std::to_string(total)};
  make_overlay.timeout = 60s;
  CHECK_OK(run(make_overlay));
  if (o.firmware != Firmware::bios) {
    const UefiFiles& files = uefi_files(o.firmware);
    machine.variables_ = o.folder / "uefi-variables.fd";
    fs::copy_file(files.variables, machine.variables_, fs::copy_options::overwrite_existing, error);
    if (error || !fs::exists(files.code))
      return fail(ErrorKind::io, std::string("cannot read the UEFI firmware ") + files.code,
                  "install the package ovmf");
  }
  return machine;
}

std::vector<std::string> Machine::command_line(int monitor_fd) const {
  const MachineOptions& o = options_;
  std::vector<std::string> argv = {o.program,
                                   "-nodefaults",
                                   "-no-user-config",
                                   "-display",
                                   "none",
                                   "-name",
                                   "mailstead",
                                   "-m",
                                   std::to_string(o.memory_mib),
                                   "-smp",
                                   std::to_string(o.cpus)};
  const auto add = [&](std::string option, std::string value) {
    argv.push_back(std::move(option));
    argv.push_back(std::move(value));
  };
  add("-machine", o.firmware == Firmware::uefi_secure_boot ? "q35,smm=on" : "q35");
  add("-accel", o.accelerator == Accelerator::kvm ? "kvm" : "tcg,thread=multi");
  // Emulated, a processor with SSSE3 would have Rspamd compile its patterns with Hyperscan for minutes;
  // qemu64 is the least that Debian's amd64 runs on, and so the harder test. With RDRAND, which all
  // processors of the last ten years have, the kernel does not gather randomness from the clock for seconds.
  // As an Atom of 2008 (family 6, model 28; without SVM, which is AMD's) it does not speculate, and the
  // kernel does not slow itself down against that by a seventh.
  add("-cpu", o.accelerator == Accelerator::kvm
                  ? "host"
                  : "qemu64,-svm,+rdrand,vendor=GenuineIntel,family=6,model=28,stepping=2");
  if (o.firmware == Firmware::uefi_secure_boot)
    add("-global", "driver=cfi.pflash01,property=secure,value=on");
  if (o.firmware != Firmware::bios) {
    add("-drive", std::string("if=pflash,unit=0,format=raw,readonly=on,file=") + uefi_files(o.firmware).code);
    add("-drive", "if=pflash,unit=1,format=raw,file=" + escape_commas(variables_.string()));
  }
  // Devices get their places on the bus in the order of these options, and names in the guest by their
  // places.
  if (!other_disk_.empty()) {
    add("-drive", "if=none,id=disk1,format=raw,file=" + escape_commas(other_disk_.string()));
    add("-device", "virtio-blk-pci,drive=disk1");
  }
  add("-drive", "if=none,id=disk0,format=qcow2,file=" + escape_commas(overlay_.string()));
  add_boot_disk(argv, o.disk_controller);
  if (!o.clock.empty()) add("-rtc", "base=" + o.clock);
  if (o.screen) add("-device", "VGA");
  if (o.watchdog) {
    add("-device", "i6300esb");
    add("-action", "watchdog=reset");
  }
  add("-device", "virtio-rng-pci");
  if (const auto* tap = std::get_if<TapNetwork>(&o.network)) {
    for (std::size_t i = 0; i < tap->cards.size(); ++i) {
      const std::size_t card = tap->last_comes_first ? tap->cards.size() - 1 - i : i;
      add("-netdev", fmt::format("tap,id=net{},fd={}", card, tap->cards[card].fd));
      // No option ROM: the firmware must not try to boot from the network.
      add("-device",
          fmt::format("{},netdev=net{},romfile=,mac={}", o.network_card, card, tap->cards[card].mac));
    }
  } else if (const auto* user = std::get_if<UserNetwork>(&o.network)) {
    add("-netdev", network_arguments(*user));
    add("-device", o.network_card + ",netdev=net0,romfile=");
  }
  if (o.serial_on_stdio)
    add("-chardev", "stdio,id=console,mux=on,signal=off");
  else
    add("-chardev", "file,id=console,path=" + escape_commas(serial_log().string()));
  add("-serial", "chardev:console");
  add("-chardev", fmt::format("socket,id=monitor,fd={}", monitor_fd));
  add("-mon", "chardev=monitor,mode=control");
  return argv;
}

fs::path Machine::serial_log() const {
  return options_.folder / fmt::format("serial-{}.log", boots_);
}

Error Machine::died(std::string what) const {
  Error error{ErrorKind::tool, std::move(what), {}, {}, {}, {}};
  if (const std::string log = tail(options_.folder / "qemu.log", 10); !log.empty())
    error.notes.push_back("QEMU said:\n" + log);
  if (const std::string log = tail(serial_log(), 30); !log.empty())
    error.notes.push_back("the console showed:\n" + log);
  return error;
}

Status Machine::start() {
  if (running()) return fail(ErrorKind::internal, "the virtual machine is running already");
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(ErrorKind::io, std::string("cannot make a socket pair: ") + std::strerror(errno));
  FileDescriptor ours(ends[0]);
  FileDescriptor theirs(ends[1]);
  ++boots_;
  Daemon daemon{command_line(theirs.get()), options_.folder / "qemu.log", {theirs.get()}, false};
  if (const auto* tap = std::get_if<TapNetwork>(&options_.network))
    for (const TapNetwork::Card& card : tap->cards) daemon.keep.push_back(card.fd);
  daemon.on_terminal = options_.serial_on_stdio;
  powered_on_ = Clock::now();
  TRY(Process process, Process::start(daemon));
  process_ = std::make_unique<Process>(std::move(process));
  theirs = FileDescriptor();  // or the monitor of a QEMU that has ended would seem to be silent
  monitor_ = std::make_unique<Qmp>(std::move(ours));
  if (auto status = monitor_->connect(kMonitorTimeout); !status) {
    process_->wait(1s);
    process_->kill();
    return fail(died("the virtual machine does not start: " + status.error().message));
  }
  return ok();
}

Status Machine::resize_disk(std::uint64_t bytes) {
  if (running()) return fail(ErrorKind::tool, "the disk of a running machine keeps its size");
  Command resize;
  resize.argv = {"qemu-img", "resize", "-q", "-f", "qcow2", overlay_.string(), std::to_string(bytes)};
  resize.timeout = 60s;
  CHECK_OK(run(resize));
  return ok();
}

Status Machine::power_off(milliseconds timeout) {
  if (!running()) return fail(died("the virtual machine is not running"));
  const auto deadline = Clock::now() + timeout;
  // A guest that answers Ctrl-Alt-Delete wants to reboot; that must end QEMU too.
  CHECK_OK(monitor_->execute("set-action", R"({"reboot": "shutdown"})", kMonitorTimeout));
  CHECK_OK(monitor_->execute("system_powerdown", "", kMonitorTimeout));
  auto ending = wait_for_end(*process_, timeout / 2);
  if (ending && !*ending &&
      monitor_->execute("send-key",
                        R"({"keys": [{"type": "qcode", "data": "ctrl"}, {"type": "qcode", "data": "alt"},)"
                        R"( {"type": "qcode", "data": "delete"}]})",
                        kMonitorTimeout))
    ending = wait_for_end(*process_, left(deadline));
  if (!ending) {
    power_cut();
    return fail(std::move(ending).error());
  }
  if (!*ending) {
    power_cut();
    return fail(died(fmt::format("the guest did not switch itself off within {} s and was killed",
                                 std::chrono::duration_cast<std::chrono::seconds>(timeout).count())));
  }
  if (!(*ending)->clean()) return fail(died("QEMU ended with " + (*ending)->describe()));
  return ok();
}

Status Machine::press(const std::vector<std::string>& keys) {
  if (!running()) return fail(died("the virtual machine is not running"));
  for (const std::string& key : keys) {
    std::string codes;
    for (std::size_t at = 0; at <= key.size();) {
      const std::size_t end = std::min(key.find('-', at), key.size());
      if (!codes.empty()) codes += ", ";
      codes += R"({"type": "qcode", "data": ")" + key.substr(at, end - at) + "\"}";
      at = end + 1;
    }
    CHECK_OK(monitor_->execute("send-key", R"({"keys": [)" + codes + "]}", kMonitorTimeout));
    // QEMU holds a key down for 100 ms; keyboards in programs that poll them lose what comes faster.
    std::this_thread::sleep_for(150ms);
  }
  return ok();
}

Result<std::string> Machine::screen() {
  if (!running() || !options_.screen) return fail(died("the virtual machine is off or has no screen"));
  // Text memory of a VGA card: a character and its colours for each place.
  constexpr std::uint64_t kTextMemory = 0xb8000;
  constexpr std::size_t kTextBytes = 32768;
  constexpr std::size_t kColumns = 80;
  const fs::path file = options_.folder / "screen";
  CHECK_OK(monitor_->execute(
      "pmemsave",
      fmt::format(R"({{"val": {}, "size": {}, "filename": "{}"}})", kTextMemory, kTextBytes, file.string()),
      kMonitorTimeout));
  TRY(const std::string memory, read_file(file));
  std::error_code error;
  fs::remove(file, error);
  return screen_text(memory, kColumns);
}

void Machine::power_cut() {
  if (!running()) return;
  // SIGKILL and not the monitor's quit: quit flushes what the guest has not asked to be flushed.
  process_->kill();
}

Status Machine::wait_until_off() {
  while (true) {
    CHECK_OK(check_interrupt());
    if (const auto ending = process_ ? process_->wait(200ms) : std::optional(Ending{})) {
      if (!ending->clean()) return fail(died("QEMU ended with " + ending->describe()));
      return ok();
    }
  }
}

Status Machine::wait_for_serial(std::string_view text, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  std::string seen;
  std::ifstream file;
  while (true) {
    CHECK_OK(check_interrupt());
    const bool alive = running();  // asked before reading, so that the last words are read too
    if (!file.is_open()) file.open(serial_log(), std::ios::binary);
    char block[65536];
    while (file.is_open()) {
      file.clear();
      file.read(block, sizeof block);
      if (file.gcount() == 0) break;
      seen.append(block, static_cast<std::size_t>(file.gcount()));
      if (seen.find(text) != std::string::npos) return ok();
      if (seen.size() > text.size()) seen.erase(0, seen.size() - text.size());
    }
    if (!alive)
      return fail(died(fmt::format("the virtual machine ended before its console showed '{}'", text)));
    if (Clock::now() >= deadline)
      return fail(died(fmt::format("the console did not show '{}' within {:.0f} s", text,
                                   std::chrono::duration<double>(timeout).count())));
    std::this_thread::sleep_for(50ms);
  }
}

}  // namespace mailstead::vm
