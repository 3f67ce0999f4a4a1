// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mailtest/lines.hpp"
#include "mailtest/variable_use.hpp"
#include "mailtest/verbs.hpp"
#include "vm/machine.hpp"

namespace mailstead::mailtest {

/// One line of a dialogue (or several, for a message or a block).
struct Step {
  int line = 0;             ///< counted from 1
  std::string source;       ///< the line as written
  Action action;            ///< what it does
  VariableUse variables;    ///< without those of the block; with those of rows, after find_companions
  std::vector<Step> block;  ///< of `wait` and `each`; of `include`, after find_companions
};

/// A scenario: one file NN-title.dialogue.
struct Dialogue {
  std::string file;   ///< as errors name it
  std::string title;  ///< the first comment line
  bool own_machine = false;
  bool starts_off = false;  ///< the first step finds the machine switched off
  vm::Hardware hardware;    ///< own_machine only
  std::vector<Step> steps;
};

/// Reads the language, which qemu-tests/README.md describes. Any input gives a dialogue or errors
/// (ErrorKind::usage) that have a place, all of them at once. Bounds: 1 MiB, 20,000 lines, blocks nested 4
/// deep.
Result<Dialogue> parse_dialogue(std::string_view text, const std::string& file);

/// Reads the steps of a fragment, as fill_fragment gives its lines: as parse_dialogue, but without a title
/// and without properties of a machine.
Result<std::vector<Step>> parse_steps(std::vector<Line> lines, const std::string& file);

/// An error at a line of a dialogue or world file.
Error error_at(const std::string& file, int line, const std::string& source, std::string message,
               std::string hint = {});

}  // namespace mailstead::mailtest
