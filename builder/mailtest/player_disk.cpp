// SPDX-License-Identifier: GPL-3.0-or-later
// The disk of a machine that is off, and the journal on it.
#include <fmt/format.h>

#include "mailtest/player.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {

Result<Appliance*> Player::machine_with_disk() {
  TRY(Appliance * machine, appliance());
  journal_.reset();
  note(step_->source);
  return machine;
}

Status Player::play(const verb::DiskSize& step) {
  TRY(Appliance * machine, machine_with_disk());
  return machine->resize_disk(step.bytes);
}

Status Player::play(const verb::OtherDisk& step) {
  TRY(Appliance * machine, machine_with_disk());
  return machine->add_disk(step.label);
}

Status Player::play(const verb::WriteImage& step) {
  TRY(Appliance * machine, machine_with_disk());
  return machine->write_image(step.whole);
}

Status Player::play(const verb::WriteDisk& step) {
  TRY(Appliance * machine, machine_with_disk());
  return machine->write_disk(step.place, step.bytes);
}

Status Player::play(const verb::Debugfs& step) {
  TRY(Appliance * machine, machine_with_disk());
  TRY(const std::string request, expanded(step.request));
  TRY(const std::string printed, machine->debugfs(request));
  note(printable(printed, 600));
  reply_ = Reply{text::to_strings(text::split_lines(printed)), printed, Protocol::plain};
  return ok();
}

Status Player::play(const verb::CopiedDisk& step) {
  TRY(Appliance * machine, machine_with_disk());
  switch (step.what) {
    case verb::Copy::attach:
      return machine->attach_copy();
    case verb::Copy::detach:
      return machine->detach_copy();
    default:
      return machine->check_copy_unchanged();
  }
}

Status Player::play(const verb::DataPartition& step) {
  TRY(Appliance * machine, machine_with_disk());
  return step.what == verb::DataCheck::sound ? machine->check_data_sound() : machine->check_data_fills_disk();
}

Result<bool> Player::matches(const verb::Journal& step, const std::string& regex, const JournalEntry& entry) {
  if (step.what == verb::JournalCheck::no_failed_units) return tells_of_failed_unit(entry);
  if (step.what != verb::JournalCheck::no_errors) return regex_search(regex, entry.text(), variables_);
  if (entry.priority > 3) return false;
  for (const std::string& exception : journal_exceptions_) {
    TRY(const bool excepted, regex_search(exception, entry.text(), variables_));
    if (excepted) return false;
  }
  return true;
}

Status Player::play(const verb::Journal& step) {
  TRY(Appliance * machine, appliance());
  TRY(const std::string wanted, expanded(step.regex));
  if (step.what == verb::JournalCheck::except) {
    journal_exceptions_.push_back(wanted);
    return ok();
  }
  if (!journal_) {
    TRY(journal_, machine->journal());
  }
  if (journal_->empty()) return mismatch("the journal is empty");
  std::vector<std::string> found;
  for (const JournalEntry& entry : *journal_) {
    TRY(const bool match, matches(step, wanted, entry));
    if (match) found.push_back(printable(entry.text(), 400));
  }
  if (step.what == verb::JournalCheck::has)
    return found.empty() ? mismatch("no entry of the journal matches " + wanted) : ok();
  if (found.empty()) return ok();
  std::string message = found.size() == 1
                            ? "an entry of the journal should not be there:"
                            : fmt::format("{} entries of the journal should not be there:", found.size());
  for (std::size_t i = 0; i < found.size() && i < 40; ++i) message += "\n       " + found[i];
  return mismatch(std::move(message));
}

}  // namespace mailstead::mailtest
