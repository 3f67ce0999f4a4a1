// SPDX-License-Identifier: GPL-3.0-or-later
// Variables, blocks and time.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/interrupt.hpp"
#include "base/run.hpp"
#include "mailtest/player.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Status Player::play(const verb::Set& step) {
  TRY(variables_[step.name], expanded(step.value));
  return ok();
}

Status Player::play(const verb::Check& step) {
  using verb::Comparison;
  const auto variable = variables_.find(step.name);
  if (variable == variables_.end()) return mismatch("the variable '" + step.name + "' has no value");
  const std::string value = variable->second;
  TRY(const std::string wanted, expanded(step.wanted));
  bool good = false;
  if (step.how == Comparison::matches) {
    TRY(good, regex_search(wanted, value, variables_));
  } else if (step.how == Comparison::equals) {
    good = value == wanted;
  } else {
    good = (value.find(wanted) != std::string::npos) == (step.how == Comparison::contains);
  }
  if (good) return ok();
  return mismatch(
      fmt::format("'{}' does not hold: {} is\n{}", step_->source, step.name, printable(value, 3000)));
}

Status Player::play(const verb::Message& step) {
  if (!step.script) {
    TRY(const std::string text, expanded(step.text));
    variables_[step.name] = to_crlf(text);
    return ok();
  }
  TRY(const std::vector<std::string> arguments, expanded(step.script->arguments));
  Command command;
  command.argv = {"/usr/bin/python3", "-B", step.script->file};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.timeout = patient(std::chrono::seconds(60));
  TRY(CommandOutput written, run(command));
  variables_[step.name] = std::move(written.out);
  return ok();
}

Status Player::play(const verb::Pause& step) {
  const Deadline end = within(step.time);
  while (Clock::now() < end) {
    CHECK_OK(check_interrupt());
    std::this_thread::sleep_for(
        std::min<Clock::duration>(std::chrono::milliseconds(100), end - Clock::now()));
  }
  return ok();
}

Status Player::play(const verb::WaitUntil& step) {
  const std::vector<Step>& block = step_->block;
  const Deadline end = within(step.within);
  for (int attempt = 1;; ++attempt) {
    CHECK_OK(check_interrupt());
    std::vector<std::string> before;
    before.reserve(sessions_.size());
    for (const auto& [name, open] : sessions_) before.push_back(name);
    const std::string current = current_;
    const std::size_t said = transcript_.size();
    Status status = play_block(block);
    if (status) return ok();
    if (Clock::now() >= end || status.error().kind == ErrorKind::usage)
      return fail(std::move(status).error().with_note(fmt::format("in attempt {} of 'wait'", attempt)));
    // The next attempt begins as this one did: without the connections that the block has opened.
    std::erase_if(sessions_, [&](const auto& entry) {
      return std::find(before.begin(), before.end(), entry.first) == before.end();
    });
    current_ = current;
    if (transcript_.size() > said) transcript_.resize(said);
    note(fmt::format("  (attempt {} failed: {})", attempt, status.error().message.substr(0, 200)));
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  }
}

Status Player::play(const verb::Each& step) {
  const std::vector<Step>& block = step_->block;
  for (const Row& row : step.rows) {
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      TRY(variables_[step.columns[i]], expand(row.fields[i], variables_));
    }
    if (step.condition) {
      TRY(const std::string wanted, expanded(step.condition->value));
      if (variables_[step.condition->column] != wanted) continue;
    }
    note(fmt::format("({}:{})", step.file, row.line));
    if (auto status = play_block(block); !status)
      return fail(std::move(status).error().with_note(
          fmt::format("at {}:{}: {}", step.file, row.line, printable(row.source, 300))));
  }
  return ok();
}

Status Player::play(const verb::Include& step) {
  const Step& including = *step_;
  if (including.block.empty()) return fail(ErrorKind::internal, "an include whose fragment was not read");
  auto status = play_block(including.block);
  if (status) return status;
  Error error = std::move(status).error();
  if (error.place && error.place->file.empty()) error.place->file = step.file;
  return fail(std::move(error).with_note(
      fmt::format("included in line {}: {}", including.line, printable(text::trim(including.source), 300))));
}

}  // namespace mailstead::mailtest
