// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/reporter.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <vector>

#include "base/files.hpp"
#include "base/printable.hpp"
#include "base/terminal.hpp"
#include "base/threads.hpp"

namespace mailstead {
namespace {

std::string seconds(std::chrono::milliseconds elapsed) {
  return fmt::format("{:.1f} s", static_cast<double>(elapsed.count()) / 1000.0);
}

/// The first `columns` characters of UTF-8 text, all of it if nobody knows how many fit.
std::string cut(const std::string& text, std::size_t columns) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && ++characters > columns && columns > 0) return text.substr(0, i);
  }
  return text;
}

/// Columns of the terminal on stderr; 0 if it does not tell.
std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/// `text` by "select graphic rendition" (ECMA-48 section 8.3.117), if stderr shows colours.
std::string colored(std::string_view parameter, std::string_view text) {
  return has_color(STDERR_FILENO) ? fmt::format("\033[{}m{}\033[0m", parameter, text) : std::string(text);
}

/// Text between quotes in JSON (RFC 8259 sections 7 and 8.1).
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : valid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

/// " 12 MB of 117 MB, 3 MB/s", " 7/219"; nothing if the total is not known.
std::string amount_text(std::uint64_t done, std::uint64_t total, Reporter::Unit unit,
                        std::chrono::milliseconds elapsed) {
  if (total == 0) return {};
  if (unit != Reporter::Unit::bytes) return fmt::format(" {}/{}", done, total);
  const auto rate = elapsed.count() > 0 ? done * 1000 / static_cast<std::uint64_t>(elapsed.count()) : 0;
  return fmt::format(" {} of {}, {}/s", human_size(done), human_size(total), human_size(rate));
}

/// Lets one of many reports through in each period.
class Seldom {
 public:
  explicit Seldom(std::chrono::milliseconds period) : period_(period) {}
  bool now(std::chrono::milliseconds elapsed) {
    auto last = last_.load();
    return elapsed - last >= period_ && last_.compare_exchange_strong(last, elapsed);
  }
  void restart() { last_ = std::chrono::milliseconds(0); }

 private:
  const std::chrono::milliseconds period_;
  std::atomic<std::chrono::milliseconds> last_{std::chrono::milliseconds(0)};
};

class PlainReporter : public Reporter {
 public:
  void warning(std::string_view text) override { line(fmt::format("warning: {}", text)); }
  void info(std::string_view text) override { line(std::string(text)); }

 protected:
  void on_start(const Progress& progress) override {
    seldom_.restart();
    line(fmt::format("{:{}}{} …", "", progress.depth * 2, progress.name));
  }
  void on_advance(const Progress& progress) override {
    if (progress.total == 0 || !seldom_.now(progress.elapsed)) return;
    line(fmt::format("{:{}}{} …{}", "", progress.depth * 2, progress.name,
                     amount_text(progress.done, progress.total, progress.unit, progress.elapsed)));
  }
  void on_end(const Progress& progress) override {
    line(fmt::format("{:{}}{}: {}{}{}{}", "", progress.depth * 2, progress.name,
                     progress.outcome == Outcome::failed ? "failed, " : "", progress.result,
                     progress.result.empty() ? "" : ", ", seconds(progress.elapsed)));
  }
  void line(const std::string& text) {
    const std::lock_guard guard(mutex_);
    std::fputs((wrap_message(text, terminal_width(STDERR_FILENO)) + "\n").c_str(), stderr);
  }

 private:
  std::mutex mutex_;
  Seldom seldom_{std::chrono::seconds(10)};  ///< seconds of an activity at which its amount is told
};

class TerminalReporter : public Reporter {
 public:
  ~TerminalReporter() override {
    if (ticker_) {
      ticker_->request_stop();
      ticker_->join();
    }
    erase();
  }
  void warning(std::string_view text) override {
    const std::lock_guard guard(mutex_);
    line(fmt::format("{} {}", colored("33", "warning:"), text));
  }
  void info(std::string_view text) override {
    const std::lock_guard guard(mutex_);
    line(std::string(text));
  }

 protected:
  void on_start(const Progress& progress) override {
    const std::lock_guard guard(mutex_);
    running_.push_back({std::string(progress.name), progress.depth, Clock::now(), {}});
    draw(running_.back());
  }
  void on_advance(const Progress& progress) override {
    const std::lock_guard guard(mutex_);
    if (Clock::now() - drawn_ < std::chrono::milliseconds(100)) return;
    const auto activity = find(progress);
    if (activity == running_.rend()) return;
    activity->amount = amount_text(progress.done, progress.total, progress.unit, progress.elapsed);
    draw(*activity);
  }
  void on_end(const Progress& progress) override {
    const std::lock_guard guard(mutex_);
    if (const auto activity = find(progress); activity != running_.rend())
      running_.erase(std::next(activity).base());
    const std::string mark = progress.outcome == Outcome::done ? colored("32", "✓") : colored("31", "✗");
    const std::string rest = fmt::format("{}{}{}", progress.result, progress.result.empty() ? "" : ", ",
                                         seconds(progress.elapsed));
    line(fmt::format("{:{}}{} {}  {}", "", progress.depth * 2, mark, progress.name, colored("2", rest)));
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// An activity that has not ended.
  struct Running {
    std::string name;
    int depth;
    Clock::time_point start;
    std::string amount;  ///< as it was drawn last; empty if its length is not known
  };

  // All below: while the mutex is held.
  std::vector<Running>::reverse_iterator find(const Progress& progress) {
    return std::find_if(running_.rbegin(), running_.rend(), [&](const Running& activity) {
      return activity.depth == progress.depth && activity.name == progress.name;
    });
  }
  void draw(const Running& activity) {
    drawn_ = Clock::now();
    std::string text = fmt::format("{:{}}… {}{}", "", activity.depth * 2, activity.name, activity.amount);
    const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(drawn_ - activity.start).count();
    if (activity.amount.empty() && elapsed > 0) text += fmt::format(" {} s", elapsed);
    // A line that is wrapped would not be erased whole. The last column stays free, as some terminals wrap
    // there.
    const std::size_t columns = terminal_columns();
    std::fputs(("\r\033[K" + cut(text, columns > 1 ? columns - 1 : columns)).c_str(), stderr);
    std::fflush(stderr);
    open_ = true;
  }
  void line(const std::string& text) {
    const std::string lines = wrap_message(text, terminal_width(STDERR_FILENO));
    std::fputs(fmt::format("\r\033[K{}\n", lines).c_str(), stderr);
    open_ = false;
  }
  void erase() {
    if (open_) std::fputs("\r\033[K", stderr);
    open_ = false;
  }

  /// Shows that something goes on where nothing is counted.
  void tick(const std::stop_token& stop) {
    // Signals are for the thread that works, as they interrupt its waiting.
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    constexpr std::chrono::seconds kPeriod(1);
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      wake_.wait_for(lock, stop, kPeriod, [] { return false; });
      if (!stop.stop_requested() && !running_.empty() && Clock::now() - drawn_ >= kPeriod)
        draw(running_.back());
    }
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Running> running_;
  Clock::time_point drawn_;
  bool open_ = false;
  /// Last: it uses all the others. Without a thread for it, the seconds are not shown.
  Result<std::jthread> ticker_ = start_thread([this](const std::stop_token& stop) { tick(stop); });
};

class JsonReporter : public Reporter {
 public:
  void warning(std::string_view text) override {
    line(fmt::format(R"({{"event":"warning","text":{}}})", json_text(text)));
  }
  void info(std::string_view text) override {
    line(fmt::format(R"({{"event":"info","text":{}}})", json_text(text)));
  }

 protected:
  void on_start(const Progress& progress) override {
    seldom_.restart();
    line(fmt::format(R"({{"event":"start","name":{},"total":{},"depth":{}}})", json_text(progress.name),
                     progress.total, progress.depth));
  }
  void on_advance(const Progress& progress) override {
    if (!seldom_.now(progress.elapsed)) return;
    line(fmt::format(R"({{"event":"progress","name":{},"done":{},"total":{},"milliseconds":{},"depth":{}}})",
                     json_text(progress.name), progress.done, progress.total, progress.elapsed.count(),
                     progress.depth));
  }
  void on_end(const Progress& progress) override {
    const char* outcome = progress.outcome == Outcome::done ? "done" : "failed";
    line(fmt::format(
        R"({{"event":"end","name":{},"done":{},"outcome":"{}","result":{},"milliseconds":{},"depth":{}}})",
        json_text(progress.name), progress.done, outcome, json_text(progress.result),
        progress.elapsed.count(), progress.depth));
  }

 private:
  void line(const std::string& text) {
    const std::lock_guard guard(mutex_);
    std::fputs((text + "\n").c_str(), stderr);
  }
  std::mutex mutex_;
  Seldom seldom_{std::chrono::seconds(1)};
};

class QuietReporter : public PlainReporter {
 public:
  void info(std::string_view) override {}

 protected:
  void on_start(const Progress&) override {}
  void on_advance(const Progress&) override {}
  void on_end(const Progress&) override {}
};

}  // namespace

Reporter::Activity::Activity(Reporter& reporter, std::string name, std::uint64_t total, Unit unit)
    : reporter_(reporter),
      name_(std::move(name)),
      total_(total),
      unit_(unit),
      start_(std::chrono::steady_clock::now()),
      depth_(reporter.depth_++) {
  reporter_.on_start({name_, 0, total_, unit_, {}, {}, {}, depth_});
}

Reporter::Activity::~Activity() {
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start_);
  reporter_.on_end({name_, done_, total_, unit_, result_, outcome_, elapsed, depth_});
  --reporter_.depth_;
}

void Reporter::Activity::advance(std::uint64_t amount) {
  const std::uint64_t done = done_.fetch_add(amount) + amount;
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start_);
  reporter_.on_advance({name_, done, total_, unit_, {}, {}, elapsed, depth_});
}

void Reporter::Activity::set_result(std::string text) {
  result_ = std::move(text);
  outcome_ = Outcome::done;
}

void Reporter::Activity::set_failed(std::string text) {
  result_ = std::move(text);
  outcome_ = Outcome::failed;
}

std::unique_ptr<Reporter::Activity> Reporter::start(std::string name, std::uint64_t total, Unit unit) {
  return std::make_unique<Activity>(*this, std::move(name), total, unit);
}

std::unique_ptr<Reporter> make_plain_reporter() {
  return std::make_unique<PlainReporter>();
}
std::unique_ptr<Reporter> make_terminal_reporter() {
  return std::make_unique<TerminalReporter>();
}
std::unique_ptr<Reporter> make_json_reporter() {
  return std::make_unique<JsonReporter>();
}
std::unique_ptr<Reporter> make_quiet_reporter() {
  return std::make_unique<QuietReporter>();
}

}  // namespace mailstead
