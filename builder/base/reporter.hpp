// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace mailstead {

/// Where stages say what they are doing. Stages never print; the command line picks a reporter. Thread-safe.
class Reporter {
 public:
  virtual ~Reporter() = default;

  enum class Unit { none, count, bytes };
  /// How an activity ended: failed unless set_result was called, as when an error leads out of it.
  enum class Outcome { done, failed };

  /// A piece of long work, from construction to destruction. Obtained from Reporter::start; may be advanced
  /// by threads.
  class Activity {
   public:
    Activity(Reporter& reporter, std::string name, std::uint64_t total, Unit unit);
    ~Activity();
    Activity(const Activity&) = delete;
    Activity& operator=(const Activity&) = delete;

    /// `amount` more of `total` is done, in the unit given at the start.
    void advance(std::uint64_t amount = 1);
    /// It went well; what was found or made, for the closing line ("219 packages, 117 MB").
    void set_result(std::string text);
    /// It did not; why, or what is done instead.
    void set_failed(std::string text);

   private:
    friend class Reporter;
    Reporter& reporter_;
    const std::string name_;
    const std::uint64_t total_;
    const Unit unit_;
    std::atomic<std::uint64_t> done_{0};
    std::string result_;
    Outcome outcome_ = Outcome::failed;
    const std::chrono::steady_clock::time_point start_;
    const int depth_;
  };

  /// Starts an activity. `total` 0 means that its length is not known.
  std::unique_ptr<Activity> start(std::string name, std::uint64_t total = 0, Unit unit = Unit::none);

  virtual void warning(std::string_view text) = 0;
  virtual void info(std::string_view text) = 0;

 protected:
  struct Progress {
    std::string_view name;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    Unit unit = Unit::none;
    std::string_view result;
    Outcome outcome = Outcome::failed;
    std::chrono::milliseconds elapsed{0};
    int depth = 0;
  };
  virtual void on_start(const Progress& progress) = 0;
  virtual void on_advance(const Progress& progress) = 0;
  virtual void on_end(const Progress& progress) = 0;

 private:
  std::atomic<int> depth_{0};
};

/// Plain lines on stderr: one at the start and one at the end of each activity, and every ten seconds how far
/// it is.
std::unique_ptr<Reporter> make_plain_reporter();
/// One line that is redrawn while work goes on, at least once a second; for a terminal on stderr.
std::unique_ptr<Reporter> make_terminal_reporter();
/// A JSON object a line on stderr, for programs; while something advances, one a second.
std::unique_ptr<Reporter> make_json_reporter();
/// Says nothing (tests, --quiet). Warnings are still printed.
std::unique_ptr<Reporter> make_quiet_reporter();

}  // namespace mailstead
