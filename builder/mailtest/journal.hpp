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
  std::string job_result;  ///< of systemd's message about a job: "done", "failed", "timeout", …
  std::string text() const { return identifier + ": " + message; }
};

/// Reads the journal of an appliance that is off: copies the data partition out of `overlay` (qemu-img),
/// replays the ext4 journal in the copy (e2fsck), extracts /log/journal (debugfs) and prints it (journalctl).
/// The copies go to `folder` and are removed again; journal.txt stays there. Needs no root.
Result<std::vector<JournalEntry>> read_journal(const std::filesystem::path& overlay,
                                               const std::filesystem::path& folder);

/// Reads the output of `journalctl -o json`, one object per line; any other line is an error.
Result<std::vector<JournalEntry>> parse_journal_json(std::string_view text);

/// Whether systemd says in this entry that a unit has failed.
bool tells_of_failed_unit(const JournalEntry& entry);

}  // namespace mailstead::mailtest
