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

/// The error of a step that did not go as written.
inline tl::unexpected<Error> mismatch(std::string message) {
  return fail(ErrorKind::tool, std::move(message));
}

/// What a dialogue can do with the appliance.
class Appliance {
 public:
  virtual ~Appliance() = default;
  virtual Status power_on() = 0;
  virtual Status power_off() = 0;
  virtual Status power_cut() = 0;
  /// Until SMTP and IMAPS have greeted.
  virtual Status wait_boot(Deadline deadline) = 0;
  /// Only while the appliance is off, from here on.
  virtual Result<std::vector<JournalEntry>> journal() = 0;
  virtual Status resize_disk(std::uint64_t bytes) = 0;
  /// From the next power-on there is another disk, with a partition of this label.
  virtual Status add_disk(const std::string& label) = 0;
  virtual Status check_data_sound() = 0;
  virtual Status check_data_fills_disk() = 0;
  /// Writes the image over the disk again: all of it, or all but the partition table and its copy.
  virtual Status write_image(bool whole) = 0;
  virtual Status write_disk(std::uint64_t place, const std::string& bytes) = 0;
  /// Has debugfs(8) execute a request on the data partition's file system, which may change it; its output.
  virtual Result<std::string> debugfs(const std::string& request) = 0;
  /// From the next power-on there is another disk, a copy of the appliance's as it is now.
  virtual Status attach_copy() = 0;
  virtual Status detach_copy() = 0;
  /// An error if the disk and its copy differ.
  virtual Status check_copy_unchanged() = 0;
  /// Only while the appliance is on.
  virtual Status press(const std::vector<std::string>& keys) = 0;
  virtual Result<std::string> screen() = 0;
  /// The output of the console since the last power-on.
  virtual Result<std::string> serial() = 0;
  /// How many times longer the last start took than on the machine that time limits are chosen for; 1 if it
  /// was not slower, is virtualised, or has not started yet.
  virtual double slowness() const = 0;
};

/// The surroundings of a dialogue.
struct Stage {
  Appliance* appliance = nullptr;  ///< null: steps that need it fail
  Inbox* inbox = nullptr;          ///< likewise
  Variables variables;             ///< their first values
  std::string zone_json;           ///< for verify-dkim
  std::filesystem::path oracles;   ///< folder of the programs that dialogues run
  std::filesystem::path folder;    ///< for files of the oracles
  double time_scale = 1.0;         ///< factor of all time limits
};

/// Plays one dialogue. Each verb has a `play`, in player_*.cpp; one that lacks it does not compile.
class Player {
 public:
  explicit Player(Stage stage) : stage_(std::move(stage)), variables_(stage_.variables) {}

  /// Errors: the first step that failed, with its place in the dialogue, and what was said until then as a
  /// note. Steps that did not go as written have ErrorKind::tool.
  Status play(const Dialogue& dialogue);

 private:
  // player_talk.cpp
  Status play(const verb::Connect& step);
  Status play(const verb::Use& step);
  Status play(const verb::Send& step);
  Status play(const verb::SendRaw& step);
  Status play(const verb::ExpectGlob& step);
  Status play(const verb::ExpectRegex& step);
  Status play(const verb::ReplyHas& step);
  Status play(const verb::ReplyLacks& step);
  Status play(const verb::Capture& step);
  Status play(const verb::StartTls& step);
  Status play(const verb::Tls& step);
  Status play(const verb::TlsRefused& step);
  Status play(const verb::Certificate& step);
  Status play(const verb::AuthPlain& step);
  Status play(const verb::Data& step);
  Status play(const verb::SegmentSize& step);
  Status play(const verb::Answers& step);
  Status play(const verb::Close&);
  Status play(const verb::ExpectClose&);
  Status play(const verb::ExpectRefused& step);

  // player_flow.cpp
  Status play(const verb::Set& step);
  Status play(const verb::Check& step);
  Status play(const verb::Message& step);
  Status play(const verb::Pause& step);
  Status play(const verb::WaitUntil& step);
  Status play(const verb::Each& step);
  Status play(const verb::Include& step);

  // player_world.cpp
  Status play(const verb::Received& step);
  Status play(const verb::NotReceived& step);
  Status play(const verb::VerifyDkim& step);
  Status play(const verb::PortsOpen& step);

  // player_oracles.cpp
  Status play(const verb::Oracle& step);
  Status play(const verb::OracleBegin& step);
  Status play(const verb::OracleEnd& step);

  // player_ssh.cpp
  Status play(const verb::Ssh& step);
  Status play(const verb::SshRefuses& step);

  // player_machine.cpp
  Status play(const verb::Reboot&);
  Status play(const verb::PowerCut& step);
  Status play(const verb::PowerOff&);
  Status play(const verb::PowerOn&);
  Status play(const verb::WaitBoot& step);
  Status play(const verb::WaitSerial& step);
  Status play(const verb::Serial& step);
  Status play(const verb::Screen& step);
  Status play(const verb::Press& step);

  // player_disk.cpp
  Status play(const verb::Journal& step);
  Status play(const verb::DiskSize& step);
  Status play(const verb::OtherDisk& step);
  Status play(const verb::WriteImage& step);
  Status play(const verb::WriteDisk& step);
  Status play(const verb::Debugfs& step);
  Status play(const verb::CopiedDisk& step);
  Status play(const verb::DataPartition& step);

  Status play_step(const Step& step);
  Status play_block(const std::vector<Step>& block);

  // Conversation.
  Result<Session*> session();
  /// The session in use, whose server has said nothing more: what comes now belongs to the TLS handshake.
  Result<Session*> session_before_tls();
  Status send(const std::string& text, const std::string& shown);
  /// The next reply, which becomes the one just read.
  Result<const Reply*> next_reply();
  /// The reply just read.
  Result<const Reply*> last_reply() const;
  void close_session();

  /// A message for `address`, or nothing at the deadline.
  Result<std::optional<ReceivedMessage>> take_message(const std::string& address, Deadline deadline);

  // The machine.
  Result<Appliance*> appliance() const;
  /// The machine, before what ends its connections and adds to its journal.
  Result<Appliance*> machine_to_switch();
  /// The machine, which is off, before a change or a look at its disk.
  Result<Appliance*> machine_with_disk();
  Status check_shown(bool has, const Text& regex, const std::string& shown, bool on_screen);
  /// Whether the step is about this entry.
  Result<bool> matches(const verb::Journal& step, const std::string& regex, const JournalEntry& entry);

  Result<std::string> expanded(const Text& text) const { return expand(text.written, variables_); }
  Result<std::vector<std::string>> expanded(const std::vector<Text>& texts) const;
  Result<TlsOffer> expanded(const verb::Offer& offer) const;
  /// The kept message. Errors: no variable has this name.
  Result<std::string> message(const std::string& name) const;

  double time_scale() const;  ///< the stage's, times the slowness of the appliance
  Deadline within(std::chrono::milliseconds time) const;
  /// The same for a program that is run.
  std::chrono::seconds patient(std::chrono::seconds time) const;
  Deadline reply_deadline() const { return within(reply_time_); }
  void note(std::string line);
  void note_reply(const Reply& reply);

  Stage stage_;
  Variables variables_;
  const Step* step_ = nullptr;  ///< that is being played
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
