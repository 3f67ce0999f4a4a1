// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/boot_state.hpp"

#include <fmt/format.h>

namespace mailstead::image {

char slot_letter(char slot) {
  return static_cast<char>(slot - 'a' + 'A');
}

char other_slot(char slot) {
  return slot == 'a' ? 'b' : 'a';
}

BootState armed(BootState state, char trial) {
  state.trial = trial;
  state.tries = kMostTries;
  return state;
}

BootState without_trial(BootState state) {
  state.trial.reset();
  state.tries = 0;
  return state;
}

BootState counted_down(BootState state) {
  if (state.on_trial()) --state.tries;
  return state;
}

BootState proved(BootState state, char slot) {
  state.slot = slot;
  return without_trial(state);
}

BootState gone_back(BootState state) {
  return state.on_trial() ? without_trial(state) : armed(state, other_slot(state.slot));
}

std::string describe(const BootState& state) {
  const std::string proven = fmt::format("slot {}", slot_letter(state.slot));
  if (!state.trial) return proven;
  if (!state.on_trial())
    return fmt::format("{}; the trial of slot {} is lost", proven, slot_letter(*state.trial));
  return fmt::format("{}; slot {} is on trial with {} of {} tries left", proven, slot_letter(*state.trial),
                     state.tries, kMostTries);
}

std::string boot_state_block(const BootState& state) {
  std::string block = fmt::format("# GRUB Environment Block\nslot={}\ntry={}\nleft={}\n", state.slot,
                                  state.trial.value_or('-'), state.tries);
  block.resize(kBootStateSize, '#');
  return block;
}

std::optional<BootState> read_boot_state(std::string_view block) {
  for (const char slot : {'a', 'b'})
    for (const std::optional<char> trial : {std::optional<char>(), std::optional('a'), std::optional('b')})
      for (int tries = 0; tries <= kMostTries; ++tries)
        if (const BootState state{slot, trial, tries}; boot_state_block(state) == block) return state;
  return std::nullopt;
}

std::uint64_t boot_state_place(const Partition& esp) {
  return esp.start + esp.size - kBootStateFromEnd;
}

}  // namespace mailstead::image
