// SPDX-License-Identifier: GPL-3.0-or-later
#include "vm/machine.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/reporter.hpp"
#include "support/catch.hpp"
#include "vm/accelerator.hpp"

using namespace mailstead;
using namespace mailstead::vm;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

void write_program(const fs::path& path, const std::string& text) {
  REQUIRE(write_file(path, text, 0755).has_value());
}

/// Takes the arguments that matter to us as QEMU does: speaks QMP on the descriptor it is given, and writes
/// to the console what `kvm_says` or `tcg_says` holds.
std::string fake_qemu(const std::string& kvm_says, const std::string& tcg_says,
                      const std::string& on_powerdown) {
  return R"(#!/usr/bin/python3
import re, socket, sys, time
if '--version' in sys.argv:
    print('QEMU emulator version 99.1 (fake)')
    sys.exit(0)
line = ' '.join(sys.argv)
open(re.search(r'path=(\S+)', line).group(1), 'w').write()" +
         ("'" + kvm_says + "' if '-accel kvm' in line else '" + tcg_says + "')") + R"(
monitor = socket.socket(fileno=int(re.search(r'id=monitor,fd=(\d+)', line).group(1)))
monitor.sendall(b'{"QMP": {"version": {}, "capabilities": []}}\r\n')
for request in monitor.makefile():
    if 'quit' in request: break
    monitor.sendall(b'{"timestamp": {}, "event": "NOISE"}\r\n{"return": {}}\r\n')
    if 'system_powerdown' in request: )" +
         on_powerdown + "\n";
}

struct Fixture {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  MachineOptions options() {
    MachineOptions o;
    o.image = folder.path() / "disk.img";
    o.folder = folder.path();
    REQUIRE(write_file(o.image, std::string(1 << 20, '\0')).has_value());
    return o;
  }
  AcceleratorQuestion question() {
    AcceleratorQuestion q;
    q.image = options().image;
    q.cache = folder.path() / "cache";
    q.program = (folder.path() / "qemu").string();
    q.device = "/dev/null";  // opens, as a KVM that may not work does
    q.patience = 1500ms;
    return q;
  }
};

/// Keeps what is said.
struct Listener : Reporter {
  void warning(std::string_view) override {}
  void info(std::string_view said) override { text += said; }
  void on_start(const Progress&) override {}
  void on_advance(const Progress&) override {}
  void on_end(const Progress&) override {}
  std::string text;
};

}  // namespace

TEST_CASE("the image stays as it is and QEMU ends when told") {
  Fixture f;
  MachineOptions options = f.options();
  options.memory_mib = 64;
  auto machine = Machine::create(options);
  REQUIRE(machine.has_value());
  const auto before = fs::last_write_time(options.image);
  REQUIRE(machine->start().has_value());
  CHECK(machine->running());
  CHECK_FALSE(machine->start().has_value());
  // The BIOS does not know the power button, but Ctrl-Alt-Delete, which must end QEMU instead of going round.
  CHECK(machine->power_off(20s).has_value());
  CHECK_FALSE(machine->running());
  REQUIRE(machine->start().has_value());
  machine->power_cut();
  CHECK_FALSE(machine->running());
  CHECK(fs::last_write_time(options.image) == before);
  CHECK(machine->serial_log().filename() == "serial-2.log");
}

TEST_CASE("the UEFI firmware starts and speaks on the console") {
  Fixture f;
  MachineOptions options = f.options();
  options.firmware = Firmware::uefi;
  options.memory_mib = 256;
  auto machine = Machine::create(options);
  REQUIRE(machine.has_value());
  REQUIRE(machine->start().has_value());
  const auto spoke = machine->wait_for_serial("BdsDxe", 120s);
  if (!spoke) FAIL(format_error(spoke.error()));
}

TEST_CASE("what is on the screen can be read, and keys are pressed") {
  Fixture f;
  MachineOptions options = f.options();
  options.screen = true;
  options.memory_mib = 64;
  auto machine = Machine::create(options);
  REQUIRE(machine.has_value());
  CHECK_FALSE(machine->screen().has_value());
  CHECK_FALSE(machine->press({"a"}).has_value());
  REQUIRE(machine->start().has_value());
  std::string screen;
  for (int i = 0; i < 300 && screen.find("SeaBIOS") == std::string::npos; ++i) {
    std::this_thread::sleep_for(100ms);
    screen = machine->screen().value();
  }
  CHECK(screen.find("SeaBIOS") != std::string::npos);
  CHECK(machine->press({"a", "shift-b", "ret"}).has_value());
  const auto unknown = machine->press({"no-such-key"});
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().message.find("send-key") != std::string::npos);
  machine->power_cut();
}

TEST_CASE("hardware is QEMU's, by its names") {
  Fixture f;
  MachineOptions options = f.options();
  options.disk_controller = "megasas";
  options.network_card = "e1000e";
  options.network = UserNetwork{};
  options.clock = "1990-01-01";
  options.memory_mib = 64;
  auto machine = Machine::create(options);
  REQUIRE(machine.has_value());
  const auto started = machine->start();
  if (!started) FAIL(format_error(started.error()));
  machine->power_cut();
}

TEST_CASE("QEMU dies with the process that started it") {
  Fixture f;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto process = Process::start({{"sleep", "600"}, f.folder.path() / "log", {}, false});
    const pid_t pid = process ? process->pid() : -1;
    [[maybe_unused]] const ssize_t written = ::write(ends[1], &pid, sizeof pid);
    ::_exit(0);  // no destructor runs, as when we are killed
  }
  pid_t grandchild = -1;
  REQUIRE(::read(ends[0], &grandchild, sizeof grandchild) == sizeof grandchild);
  ::waitpid(child, nullptr, 0);
  REQUIRE(grandchild > 0);
  bool gone = false;
  for (int i = 0; i < 100 && !gone; ++i) {
    std::this_thread::sleep_for(50ms);
    const auto status = read_file("/proc/" + std::to_string(grandchild) + "/stat", 4096);
    gone = !status || status->find(") Z ") != std::string::npos;
  }
  CHECK(gone);
}

TEST_CASE("programs that cannot start or end badly are told") {
  Fixture f;
  const auto missing = Process::start({{"no-such-program"}, f.folder.path() / "log", {}, false});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message == "cannot find the program no-such-program");
  CHECK_FALSE(Process::start({{"/etc/passwd"}, f.folder.path() / "log", {}, false}).has_value());
  auto failing = Process::start({{"sh", "-c", "echo oops; exit 3"}, f.folder.path() / "log", {}, false});
  REQUIRE(failing.has_value());
  const auto ending = failing->wait(10s);
  REQUIRE(ending.has_value());
  CHECK(ending->describe() == "exit status 3");
  CHECK(tail(f.folder.path() / "log", 5) == "oops\n");
}

TEST_CASE("the end of a log is free of terminal control") {
  Fixture f;
  const fs::path log = f.folder.path() / "log";
  REQUIRE(write_file(log, "one\n\x1b[2J\x1b[01;01Htwo\r\nthr\xc2\x9b\aee\tä\n").has_value());
  CHECK(tail(log, 2) == "two\nthr\\xc2\\x9b\\x07ee\tä\n");
  CHECK(tail(log, 99) == "one\ntwo\nthr\\xc2\\x9b\\x07ee\tä\n");
  CHECK(tail(f.folder.path() / "missing", 2).empty());
}

TEST_CASE("the power button ends a machine that minds it") {
  Fixture f;
  MachineOptions options = f.options();
  options.program = (f.folder.path() / "qemu").string();
  write_program(options.program, fake_qemu("", "hello", "sys.exit(0)"));
  auto machine = Machine::create(options);
  REQUIRE(machine.has_value());
  REQUIRE(machine->start().has_value());
  CHECK(machine->wait_for_serial("hello", 20s).has_value());
  CHECK(machine->power_off(20s).has_value());
  SECTION("a guest that minds nothing is killed in the end") {
    write_program(options.program, fake_qemu("", "hello", "pass"));
    REQUIRE(machine->start().has_value());
    const auto off = machine->power_off(1500ms);
    REQUIRE_FALSE(off.has_value());
    CHECK(off.error().message.find("did not switch itself off") != std::string::npos);
    CHECK_FALSE(machine->running());
  }
  SECTION("a crash on the way down is an error") {
    write_program(options.program, fake_qemu("", "hello", "sys.exit(7)"));
    REQUIRE(machine->start().has_value());
    const auto off = machine->power_off(20s);
    REQUIRE_FALSE(off.has_value());
    CHECK(off.error().message == "QEMU ended with exit status 7");
  }
}

TEST_CASE("a guest that takes its time to switch itself off does not keep a user who wants to stop") {
  Fixture f;
  MachineOptions options = f.options();
  options.program = (f.folder.path() / "qemu").string();
  write_program(options.program, fake_qemu("", "hello", "open('asked', 'w')"));
  // In a process of its own, since the wish to stop cannot be taken back.
  const pid_t child = ::fork();
  if (child == 0) {
    catch_interrupts();
    auto machine = Machine::create(options);
    if (::chdir(f.folder.path().c_str()) != 0 || !machine || !machine->start()) ::_exit(2);
    const auto off = machine->power_off(60s);
    ::_exit(!off && off.error().kind == ErrorKind::interrupted && !machine->running() ? 0 : 1);
  }
  const auto deadline = std::chrono::steady_clock::now() + 40s;
  while (!fs::exists(f.folder.path() / "asked") && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(20ms);
  const auto asked = std::chrono::steady_clock::now();
  ::kill(child, SIGTERM);
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(std::chrono::steady_clock::now() - asked < 15s);
}

TEST_CASE("a QEMU that does not start is told with its words") {
  Fixture f;
  MachineOptions options = f.options();
  options.program = (f.folder.path() / "qemu").string();
  write_program(options.program, "#!/bin/sh\necho 'no such device' >&2\nexit 1\n");
  auto machine = Machine::create(options);
  REQUIRE(machine.has_value());
  const auto before = std::chrono::steady_clock::now();
  const auto started = machine->start();
  REQUIRE_FALSE(started.has_value());
  CHECK(format_error(started.error()).find("no such device") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - before < 15s);  // not only when the monitor's patience has ended
  CHECK_FALSE(machine->running());
}

TEST_CASE("a KVM under which the kernel stays silent is not used, and not asked again") {
  ::unsetenv("MAILSTEAD_ACCEL");
  Fixture f;
  const auto reporter = make_quiet_reporter();
  const AcceleratorQuestion question = f.question();
  SECTION("silent") {
    write_program(question.program, fake_qemu("BIOS only", "[0.0] Linux version 6", "pass"));
    CHECK(find_accelerator(question, *reporter).value() == Accelerator::tcg);
    write_program(question.program, fake_qemu("[0.0] Linux version 6", "", "pass"));
    CHECK(find_accelerator(question, *reporter).value() == Accelerator::tcg);
  }
  SECTION("an image that is silent by emulation, too, says nothing about KVM") {
    write_program(question.program, fake_qemu("BIOS only", "BIOS only", "pass"));
    CHECK(find_accelerator(question, *reporter).value() == Accelerator::tcg);
    write_program(question.program, fake_qemu("[0.0] Linux version 6", "", "pass"));
    CHECK(find_accelerator(question, *reporter).value() == Accelerator::kvm);
  }
  SECTION("nor does a QEMU that does not start") {
    write_program(
        question.program,
        "#!/bin/sh\ntest \"$1\" = --version && exec echo 'QEMU emulator version 99.1 (fake)'\nexit 1\n");
    CHECK(find_accelerator(question, *reporter).value() == Accelerator::tcg);
    write_program(question.program, fake_qemu("[0.0] Linux version 6", "", "pass"));
    CHECK(find_accelerator(question, *reporter).value() == Accelerator::kvm);
  }
  SECTION("speaking") {
    write_program(question.program, fake_qemu("[0.0] Linux version 6", "", "pass"));
    CHECK(find_accelerator(question, *reporter).value() == Accelerator::kvm);
    CHECK(fs::exists(question.cache));
  }
  SECTION("no device") {
    AcceleratorQuestion without = question;
    without.device = "/nonexistent";
    CHECK(find_accelerator(without, *reporter).value() == Accelerator::tcg);
  }
  SECTION("the user's word overrides") {
    ::setenv("MAILSTEAD_ACCEL", "kvm", 1);
    CHECK(find_accelerator(question, *reporter).value() == Accelerator::kvm);
    ::setenv("MAILSTEAD_ACCEL", "fast", 1);
    CHECK(find_accelerator(question, *reporter).error().message == "MAILSTEAD_ACCEL is 'fast'");
    ::unsetenv("MAILSTEAD_ACCEL");
  }
}

TEST_CASE("a KVM that is there, but not for this user, is told") {
  ::unsetenv("MAILSTEAD_ACCEL");
  Fixture f;
  AcceleratorQuestion question = f.question();
  question.device = f.folder.path() / "kvm";
  REQUIRE(write_file(question.device, "", 0).has_value());
  const pid_t child = ::fork();
  if (child == 0) {
    // Root may open everything.
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    Listener said;
    const auto chosen = find_accelerator(question, said);
    ::_exit(chosen && *chosen == Accelerator::tcg && said.text.find("you may not open ") != std::string::npos
                ? 0
                : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}
