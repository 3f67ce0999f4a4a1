// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "vm/machine.hpp"

namespace mailstead::mailtest {

/// What a step does. The language is described in qemu-tests/README.md, for people who write dialogues.
enum class Verb {
  connect,
  use,
  close,
  expect_close,
  expect_refused,
  starttls,
  tls,
  tls_refused,
  certificate,
  send,
  send_raw,
  auth_plain,
  data,
  message,
  expect_glob,
  expect_regex,
  reply_has,
  reply_lacks,
  capture,
  set,
  check,
  pause,
  wait_until,
  each,
  include,
  answers,
  received,
  not_received,
  verify_dkim,
  reboot,
  power_cut,
  power_off,
  power_on,
  wait_boot,
  ports_open,
  ssh,
  ssh_refuses,
  journal,
  serial,
  wait_serial,
  disk_size,
  other_disk,
  data_partition,
  segment_size,
  oracle,
  oracle_begin,
  oracle_end,
  write_image,
  write_disk,
  debugfs,
  copied_disk,
  press,
  screen,
};

/// A line of a table.
struct Row {
  int line = 0;                     ///< counted from 1
  std::string source;               ///< as written
  std::vector<std::string> fields;  ///< without escapes; variables are put in when it is played
};

/// One line of a dialogue (or several, for a message or a block).
struct Step {
  Verb verb{};
  int line = 0;                    ///< counted from 1
  std::string source;              ///< the line as written
  std::vector<std::string> words;  ///< what follows the keyword, for verbs with words
  /// The rest of the line as written, or the lines of a message, or the file of `each`, or of `include`,
  /// which is a path after find_companions.
  std::string text;
  std::chrono::milliseconds time{0};
  std::uint64_t bytes = 0;             ///< disk_size and write_disk only
  std::vector<Step> block;             ///< wait_until and each; include, after find_companions
  std::vector<Row> rows;               ///< each only, after find_companions
  std::vector<std::string> condition;  ///< each only: a column and what it must be, or nothing
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

/// Reads the language. Any input is answered with a dialogue or with errors (ErrorKind::usage) that have a
/// place, all of them at once. Bounds: 1 MiB, 20,000 lines, blocks nested 4 deep.
Result<Dialogue> parse_dialogue(std::string_view text, const std::string& file);

/// Reads the steps of a fragment, which dialogues include, with its parameters put in: as parse_dialogue, but
/// without a title and without what is said of a machine.
Result<std::vector<Step>> parse_steps(std::string_view text, const std::string& file);

/// An error at a line of a dialogue or world file.
Error error_at(const std::string& file, int line, const std::string& source, std::string message,
               std::string hint = {});

}  // namespace mailstead::mailtest
