// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/machine_header.hpp"

#include <algorithm>
#include <iterator>

#include "mailtest/text.hpp"

namespace mailstead::mailtest {
namespace {

constexpr std::size_t kAny = 9;
constexpr MachineHeader kHeaders[] = {
    {"machine", kAny, "'machine shared|own|own off'"},
    {"firmware", kAny, platform::kFirmwareForm},
    {"disk", kAny, "'disk SIZE', such as 'disk 4G'"},
    {"clock", kAny, "'clock DATE', such as 'clock 1990-01-01'"},
    {"disk-controller", kAny, "'disk-controller DEVICE', such as 'disk-controller megasas'"},
    {"network-card", kAny, "'network-card DEVICE', such as 'network-card e1000e'"},
    {"screen", 1, "'screen'"},
    {"watchdog", 1, "'watchdog'"},
};

bool take_machine(const std::vector<std::string>& words, Dialogue& dialogue) {
  const std::string value = words.size() > 1 ? words[1] : "";
  dialogue.own_machine = value == "own";
  dialogue.starts_off = words.size() == 3;
  if (dialogue.starts_off) return value == "own" && words[2] == "off";
  return value == "own" || value == "shared";
}

bool take_firmware(const std::string& value, vm::Hardware& hardware) {
  const auto firmware = platform::firmware_called(value);
  if (firmware) hardware.firmware = *firmware;
  return firmware.has_value();
}

}  // namespace

const MachineHeader* find_machine_header(const std::vector<std::string>& words) {
  const auto* const found = std::ranges::find_if(kHeaders, [&](const MachineHeader& header) {
    return header.name == words[0] && words.size() <= header.most_words;
  });
  return found == std::end(kHeaders) ? nullptr : found;
}

bool is_about_hardware(const MachineHeader& header) {
  return header.name != "machine";
}

bool take_machine_header(const std::vector<std::string>& words, Dialogue& dialogue) {
  const std::string& name = words[0];
  const std::string value = words.size() > 1 ? words[1] : "";
  vm::Hardware& hardware = dialogue.hardware;
  if (name == "machine") return take_machine(words, dialogue);
  if (name == "firmware") return take_firmware(value, hardware);
  if (name == "disk") {
    hardware.disk_bytes = parse_size(value).value_or(0);
    return hardware.disk_bytes != 0;
  }
  if (name == "screen") {
    hardware.screen = true;
    return true;
  }
  if (name == "watchdog") {
    hardware.watchdog = true;
    return true;
  }
  if (name == "clock") hardware.clock = value;
  if (name == "disk-controller") hardware.disk_controller = value;
  if (name == "network-card") hardware.network_card = value;
  return words.size() == 2 &&
         value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-:T") == std::string::npos;
}

}  // namespace mailstead::mailtest
