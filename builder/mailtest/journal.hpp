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

/// A partition of a GUID partition table.
struct Partition {
  std::string name;
  std::uint64_t first_byte = 0;
  std::uint64_t bytes = 0;
};

/// Reads a table from the first 34 sectors of a disk of 512-byte sectors (UEFI 2.10 section 5.3). Any bytes
/// are answered with partitions or ErrorKind::integrity.
Result<std::vector<Partition>> parse_gpt(std::string_view disk_start);

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
