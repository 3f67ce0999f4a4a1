// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::mailtest {

/// An entry of the appliance's journal.
struct JournalEntry {
  int priority = 6;        ///< as in syslog(3): 3 is an error
  std::string identifier;  ///< SYSLOG_IDENTIFIER, or _COMM
  std::string unit;
  std::string message;
  std::string message_id;  ///< systemd.journal-fields(7), "" if none
  std::string job_result;  ///< of a message of systemd about a job: "done", "failed", "timeout", …
  std::string text() const { return identifier + ": " + message; }
};

/// The journal of an appliance that is switched off, read from outside: the data partition is copied out of
/// `overlay` (qemu-img), its ext4 journal replayed in the copy (e2fsck), /log/journal taken out (debugfs) and
/// printed by journalctl. `folder` holds the copies, which are removed again, and keeps journal.txt. Needs no
/// root.
Result<std::vector<JournalEntry>> read_journal(const std::filesystem::path& overlay,
                                               const std::filesystem::path& folder);

/// What `journalctl -o json` prints, an object a line; lines that are not are an error.
Result<std::vector<JournalEntry>> parse_journal_json(std::string_view text);

/// Whether systemd says in this entry that a unit has failed.
bool tells_of_failed_unit(const JournalEntry& entry);

}  // namespace mailstead::mailtest
