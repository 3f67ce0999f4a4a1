// SPDX-License-Identifier: GPL-3.0-or-later
// Programs of the oracles' folder, run in the network of the world.
#include <fmt/format.h>

#include "base/interrupt.hpp"
#include "base/run.hpp"
#include "mailtest/player.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

std::vector<std::string> command_line(const std::filesystem::path& oracles, const std::string& program,
                                      const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"/usr/bin/python3", (oracles / (program + ".py")).string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

Reply as_reply(const std::string& text) {
  Reply reply;
  reply.lines = text::to_strings(text::split_lines(text));
  reply.status = text.substr(0, text.find('\n'));
  return reply;
}

}  // namespace

Status Player::play(const verb::Oracle& step) {
  TRY(const std::string program, expanded(step.program));
  TRY(const std::vector<std::string> arguments, expanded(step.arguments));
  Command command;
  command.argv = command_line(stage_.oracles, program, arguments);
  command.timeout = patient(std::chrono::minutes(5));
  note(step_->source);
  TRY(const CommandOutput done, run_any_status(command));
  if (done.exit_status != 0)
    return mismatch(fmt::format("{} ended with exit status {}: {}", program, done.exit_status,
                                printable(done.out + done.err, 2000)));
  reply_ = as_reply(done.out);
  note_reply(*reply_);
  return ok();
}

Status Player::play(const verb::OracleBegin& step) {
  if (oracle_) return mismatch("an oracle is running already");
  TRY(const std::string program, expanded(step.program));
  TRY(const std::vector<std::string> arguments, expanded(step.arguments));
  note(step_->source);
  TRY(vm::Process process,
      vm::Process::start(
          {command_line(stage_.oracles, program, arguments), stage_.folder / "oracle.log", {}, false}));
  oracle_.emplace(std::move(process));
  return ok();
}

Status Player::play(const verb::OracleEnd& step) {
  if (!oracle_) return mismatch("no oracle is running");
  const Deadline end = within(step.within);
  std::optional<vm::Ending> ending;
  while (!ending && std::chrono::steady_clock::now() < end) {
    CHECK_OK(check_interrupt());
    ending = oracle_->wait(std::chrono::milliseconds(200));
  }
  const std::string said = vm::tail(oracle_->log(), 1000);
  oracle_.reset();
  if (!ending) return mismatch("the oracle has not ended; it said: " + printable(said, 2000));
  if (!ending->clean())
    return mismatch(fmt::format("the oracle ended with {}: {}", ending->describe(), printable(said, 2000)));
  reply_ = as_reply(said);
  note_reply(*reply_);
  return ok();
}

}  // namespace mailstead::mailtest
