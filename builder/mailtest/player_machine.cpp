// SPDX-License-Identifier: GPL-3.0-or-later
// The machine from outside: power, console, screen, keyboard.
#include <thread>

#include "base/interrupt.hpp"
#include "mailtest/player.hpp"

namespace mailstead::mailtest {

Result<Appliance*> Player::appliance() const {
  if (stage_.appliance == nullptr) return mismatch("this dialogue is played without a machine");
  return stage_.appliance;
}

Result<Appliance*> Player::machine_to_switch() {
  TRY(Appliance * machine, appliance());
  sessions_.clear();
  reply_.reset();
  journal_.reset();
  note(step_->source);
  return machine;
}

Status Player::play(const verb::Reboot&) {
  TRY(Appliance * machine, machine_to_switch());
  CHECK_OK(machine->power_off());
  return machine->power_on();
}

Status Player::play(const verb::PowerCut& step) {
  TRY(Appliance * machine, machine_to_switch());
  CHECK_OK(machine->power_cut());
  return step.stays_off ? ok() : machine->power_on();
}

Status Player::play(const verb::PowerOff&) {
  TRY(Appliance * machine, machine_to_switch());
  return machine->power_off();
}

Status Player::play(const verb::PowerOn&) {
  TRY(Appliance * machine, appliance());
  return machine->power_on();
}

Status Player::play(const verb::WaitBoot& step) {
  TRY(Appliance * machine, appliance());
  return machine->wait_boot(within(step.within));
}

Status Player::play(const verb::WaitSerial& step) {
  TRY(Appliance * machine, appliance());
  TRY(const std::string wanted, expanded(step.regex));
  const Deadline end = within(step.within);
  while (true) {
    CHECK_OK(check_interrupt());
    TRY(const std::string console, machine->serial());
    TRY(const bool found, regex_search(wanted, console, variables_));
    if (found) return ok();
    if (std::chrono::steady_clock::now() >= end) return mismatch("the console has not shown " + wanted);
    // Short, since a dialogue may cut the power in the middle of what the console has just announced.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Status Player::check_shown(bool has, const Text& regex, const std::string& shown, bool on_screen) {
  TRY(const std::string wanted, expanded(regex));
  TRY(const bool found, regex_search(wanted, shown, variables_));
  if (found == has) return ok();
  return mismatch(std::string(on_screen ? "the screen" : "the console") +
                  (found ? " shows " : " does not show ") + wanted + (on_screen ? ":\n" + shown : ""));
}

Status Player::play(const verb::Serial& step) {
  TRY(Appliance * machine, appliance());
  TRY(const std::string shown, machine->serial());
  return check_shown(step.has, step.regex, shown, false);
}

Status Player::play(const verb::Screen& step) {
  TRY(Appliance * machine, appliance());
  TRY(const std::string shown, machine->screen());
  return check_shown(step.has, step.regex, shown, true);
}

Status Player::play(const verb::Press& step) {
  TRY(Appliance * machine, appliance());
  return machine->press(step.keys);
}

}  // namespace mailstead::mailtest
