// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mailtest/dialogue.hpp"

namespace mailstead::mailtest {

/// A line before the first step, which says something of the machine.
struct MachineHeader {
  std::string_view name;
  std::size_t most_words;
  const char* form;  ///< for errors
};

/// Null if the words are no such line: `screen` alone is one, `screen has …` is a step.
const MachineHeader* find_machine_header(const std::vector<std::string>& words);

/// Notes in the dialogue what the line says. Returns whether it has the header's form.
bool take_machine_header(const std::vector<std::string>& words, Dialogue& dialogue);

/// Whether the line is about the hardware, which only a machine of the dialogue's own can choose.
bool is_about_hardware(const MachineHeader& header);

}  // namespace mailstead::mailtest
