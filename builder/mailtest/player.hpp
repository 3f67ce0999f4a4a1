// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "mailtest/dialogue.hpp"
#include "mailtest/journal.hpp"
#include "mailtest/session.hpp"
#include "mailtest/sink.hpp"
#include "mailtest/text.hpp"
#include "vm/process.hpp"

namespace mailstead::mailtest {

/// A line of a dialogue that did not come out as written.
inline tl::unexpected<Error> mismatch(std::string message) {
  return fail(ErrorKind::tool, std::move(message));
}

/// The appliance, as far as a dialogue may handle it.
class Appliance {
 public:
  virtual ~Appliance() = default;
  virtual Status power_on() = 0;
  virtual Status power_off() = 0;
  virtual Status power_cut() = 0;
  /// Until SMTP and IMAPS have greeted.
  virtual Status wait_boot(Deadline deadline) = 0;
  /// Of the appliance that is switched off.
  virtual Result<std::vector<JournalEntry>> journal() = 0;
  /// These are for an appliance that is switched off, too.
  virtual Status resize_disk(std::uint64_t bytes) = 0;
  /// From the next power-on there is another disk, with a partition of this label.
  virtual Status add_disk(const std::string& label) = 0;
  virtual Status check_data_sound() = 0;
  virtual Status check_data_fills_disk() = 0;
  /// Writes the image over the disk again: all of it, or all but the partition table and its copy.
  virtual Status write_image(bool whole) = 0;
  virtual Status write_disk(std::uint64_t place, const std::string& bytes) = 0;
  /// A request to debugfs(8) about the data partition's file system, which may change it; what it printed.
  virtual Result<std::string> debugfs(const std::string& request) = 0;
  /// From the next power-on there is another disk, a copy of the appliance's as it is now.
  virtual Status attach_copy() = 0;
  virtual Status detach_copy() = 0;
  /// Whether nothing has been written to one of the two.
  virtual Status check_copy_unchanged() = 0;
  /// Of the appliance that is switched on.
  virtual Status press(const std::vector<std::string>& keys) = 0;
  virtual Result<std::string> screen() = 0;
  /// What the console of the last boot has shown.
  virtual Result<std::string> serial() = 0;
  /// How many times slower than the machine that time limits are chosen on this one has last started; 1 if it
  /// was not slower, is virtualised, or has not started yet.
  virtual double slowness() const = 0;
};

/// What a dialogue plays against.
struct Stage {
  Appliance* appliance = nullptr;  ///< null: steps that need one fail
  Inbox* inbox = nullptr;          ///< likewise
  Variables variables;             ///< to begin with
  std::string zone_json;           ///< for verify-dkim
  std::filesystem::path oracles;   ///< folder of the programs that dialogues run
  std::filesystem::path folder;    ///< for files of and for them
  double time_scale = 1.0;         ///< all waiting times are multiplied by this
};

/// Plays one dialogue.
class Player {
 public:
  explicit Player(Stage stage) : stage_(std::move(stage)), variables_(stage_.variables) {}

  /// Errors: the first step that did not go as written, with its place in the dialogue, and what was said
  /// until then as a note. Failures of the dialogue have ErrorKind::tool.
  Status play(const Dialogue& dialogue);

 private:
  Status play_step(const Step& step);
  Status play_talk(const Step& step);
  Status play_machine(const Step& step);
  Status connect(const Step& step);
  Status expect_refused(const Step& step);
  Status start_tls(const Step& step);
  Status expect(const Step& step);
  Status look_again(const Step& step);
  Status send(const std::string& text, const std::string& shown);
  Status send_data(const Step& step);
  Status check(const Step& step);
  Status play_block(const Step& step);
  Status wait_until(const Step& step);
  Status each(const Step& step);
  Status include(const Step& step);
  Status receive(const Step& step);
  Status keep_message(const Step& step);
  Status verify_dkim(const Step& step);
  Status check_ports(const Step& step);
  Status check_journal(const Step& step);
  Status check_shown(const Step& step);
  Status play_disk(const Step& step);
  Status log_in(const Step& step);
  Status check_login_methods(const Step& step);
  Status check_segment_size(const Step& step);
  Status run_oracle(const Step& step);
  Status begin_oracle(const Step& step);
  Status end_oracle(const Step& step);
  Status wait_serial(const Step& step);
  Result<Session*> session();
  Result<std::vector<std::string>> expanded(const std::vector<std::string>& words) const;
  Result<std::string> expanded(const std::string& text) const { return expand(text, variables_); }
  double time_scale() const;  ///< the stage's, times the slowness of the appliance
  Deadline within(std::chrono::milliseconds time) const;
  /// The same for a program that is run.
  std::chrono::seconds patient(std::chrono::seconds time) const;
  Deadline reply_deadline() const { return within(reply_time_); }
  void note(std::string line);
  void note_reply(const Reply& reply);

  Stage stage_;
  Variables variables_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
  std::string current_;
  std::chrono::milliseconds reply_time_ = std::chrono::seconds(60);
  std::optional<Reply> reply_;
  std::vector<std::string> transcript_;
  std::optional<std::vector<JournalEntry>> journal_;
  std::vector<std::string> journal_exceptions_;
  std::optional<vm::Process> oracle_;  ///< between oracle-begin and oracle-end
};

}  // namespace mailstead::mailtest
