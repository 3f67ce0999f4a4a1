// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/run.hpp"
#include "mailtest/disk.hpp"

namespace mailstead::mailtest {
namespace {

namespace fs = std::filesystem;

Result<CommandOutput> run_words(std::vector<std::string> words, std::chrono::seconds timeout) {
  Command command;
  command.argv = std::move(words);
  command.timeout = timeout;
  return run(command);
}

std::string text_field(const nlohmann::json& entry, const char* name) {
  const auto field = entry.find(name);
  if (field == entry.end()) return {};
  if (field->is_string()) return *field;
  if (!field->is_array()) return {};
  std::string text;  // journalctl prints bytes that are not UTF-8 as an array of numbers
  for (const nlohmann::json& byte : *field)
    if (byte.is_number_integer()) text += static_cast<char>(byte.get<int>());
  return text;
}

}  // namespace

Result<std::vector<JournalEntry>> parse_journal_json(std::string_view text) {
  std::vector<JournalEntry> entries;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) return fail(ErrorKind::tool, "journalctl printed a line that is not JSON");
    JournalEntry entry;
    const std::string priority = text_field(json, "PRIORITY");
    if (priority.size() == 1 && priority[0] >= '0' && priority[0] <= '7') entry.priority = priority[0] - '0';
    entry.identifier = text_field(json, "SYSLOG_IDENTIFIER");
    if (entry.identifier.empty()) entry.identifier = text_field(json, "_COMM");
    entry.unit = text_field(json, "UNIT");
    if (entry.unit.empty()) entry.unit = text_field(json, "_SYSTEMD_UNIT");
    entry.message = text_field(json, "MESSAGE");
    entry.message_id = text_field(json, "MESSAGE_ID");
    entry.job_result = text_field(json, "JOB_RESULT");
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool tells_of_failed_unit(const JournalEntry& entry) {
  // SD_MESSAGE_UNIT_FAILED and SD_MESSAGE_UNIT_FAILURE_RESULT of systemd's sd-messages.h. The first is
  // also sent for jobs that became unnecessary ("canceled", "collected", …), which is no failure.
  const bool job_failed =
      entry.job_result == "failed" || entry.job_result == "timeout" || entry.job_result == "dependency";
  return (entry.message_id == "be02cf6855d2428ba40df7e9d022f03d" && job_failed) ||
         entry.message_id == "d9b373ed55a64feb8242e02dbe79a49c";
}

Result<std::vector<JournalEntry>> read_journal(const fs::path& overlay, const fs::path& folder) {
  TRY(const TemporaryDirectory work, TemporaryDirectory::create(folder));
  TRY(const Partition data, find_data_partition(overlay, folder));
  const fs::path disk = work.path() / "data";
  CHECK_OK(copy_out(overlay, data.first_byte, data.bytes, disk));
  // Exit status 1 means that something was repaired; replaying the journal of a system counts as that.
  Command check;
  check.argv = {"e2fsck", "-fy", disk.string()};
  TRY(const CommandOutput checked, run_any_status(check));
  if (checked.exit_status > 1)
    return fail(ErrorKind::integrity, "the data partition is damaged: " + checked.out.substr(0, 2000));
  // The exit status of debugfs says nothing: only the extracted files show whether it succeeded.
  for (const char* place : {"/log/journal", "/var/log/journal"})
    CHECK_OK(
        run_words({"debugfs", "-R", fmt::format("rdump {} {}", place, work.path().string()), disk.string()},
                  std::chrono::seconds(120)));
  if (!fs::exists(work.path() / "journal"))
    return fail(ErrorKind::integrity, "the data partition holds no journal",
                "the appliance keeps it in /var/log/journal when journald's Storage= is persistent");
  const std::string directory = (work.path() / "journal").string();
  TRY(const CommandOutput readable,
      run_words({"journalctl", "-D", directory, "-m", "--no-pager", "-o", "short-monotonic"},
                std::chrono::seconds(120)));
  CHECK_OK(write_file(folder / "journal.txt", readable.out, 0600));
  TRY(const CommandOutput printed,
      run_words({"journalctl", "-D", directory, "-m", "--no-pager", "-o", "json", "--all"},
                std::chrono::seconds(120)));
  return parse_journal_json(printed.out);
}

}  // namespace mailstead::mailtest
