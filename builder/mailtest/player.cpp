// SPDX-License-Identifier: GPL-3.0-or-later
// What all steps need: their order, time limits, variables, and a record of what was said.
#include "mailtest/player.hpp"

#include <fmt/format.h>

#include "base/interrupt.hpp"

namespace mailstead::mailtest {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

double Player::time_scale() const {
  return stage_.time_scale * (stage_.appliance == nullptr ? 1 : stage_.appliance->slowness());
}

Deadline Player::within(std::chrono::milliseconds time) const {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(
                            static_cast<double>(time.count()) * time_scale()));
}

std::chrono::seconds Player::patient(std::chrono::seconds time) const {
  return std::chrono::ceil<std::chrono::seconds>(time * time_scale());
}

void Player::note(std::string line) {
  constexpr std::size_t kLongestTranscript = 400;
  transcript_.push_back(std::move(line));
  if (transcript_.size() > kLongestTranscript) transcript_.erase(transcript_.begin());
}

void Player::note_reply(const Reply& reply) {
  std::size_t shown = 0;
  for (const std::string& line : reply.lines) {
    if (++shown > 30) {
      note(fmt::format("  < … {} more lines", reply.lines.size() - 30));
      return;
    }
    note("  < " + printable(line, 1000));
  }
}

Status Player::play(const Dialogue& dialogue) {
  auto status = play_block(dialogue.steps);
  if (status) return status;
  Error error = std::move(status).error();
  if (error.place && error.place->file.empty()) error.place->file = dialogue.file;
  std::string said = "what was said until then:";
  for (const std::string& line : transcript_) said += "\n" + line;
  error.notes.push_back(std::move(said));
  return fail(std::move(error));
}

Status Player::play_block(const std::vector<Step>& block) {
  for (const Step& step : block) {
    CHECK_OK(check_interrupt());
    if (auto status = play_step(step); !status) {
      Error error = std::move(status).error();
      if (!error.place) error.place = error_at("", step.line, step.source, "").place;
      return fail(std::move(error));
    }
  }
  return ok();
}

Status Player::play_step(const Step& step) {
  step_ = &step;
  return std::visit([this](const auto& arguments) { return play(arguments); }, step.action);
}

Result<std::vector<std::string>> Player::expanded(const std::vector<Text>& texts) const {
  std::vector<std::string> result;
  for (const Text& text : texts) {
    TRY(std::string value, expanded(text));
    result.push_back(std::move(value));
  }
  return result;
}

Result<std::string> Player::message(const std::string& name) const {
  const auto kept = variables_.find(name);
  if (kept == variables_.end()) return mismatch("there is no message '" + name + "'");
  return kept->second;
}

}  // namespace mailstead::mailtest
