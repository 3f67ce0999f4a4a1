// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/reporter.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/files.hpp"

namespace mailstead {
namespace {

std::string seconds(std::chrono::milliseconds elapsed) {
  return fmt::format("{:.1f} s", static_cast<double>(elapsed.count()) / 1000.0);
}

/// Text between quotes in JSON (RFC 8259 section 7).
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
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

class PlainReporter : public Reporter {
 public:
  void warning(std::string_view text) override { line(fmt::format("warning: {}", text)); }
  void info(std::string_view text) override { line(std::string(text)); }

 protected:
  void on_start(const Progress& progress) override {
    line(fmt::format("{:{}}{} …", "", progress.depth * 2, progress.name));
  }
  void on_advance(const Progress&) override {}
  void on_end(const Progress& progress) override {
    line(fmt::format("{:{}}{}: {}{}{}", "", progress.depth * 2, progress.name, progress.result,
                     progress.result.empty() ? "" : ", ", seconds(progress.elapsed)));
  }
  void line(const std::string& text) {
    const std::lock_guard guard(mutex_);
    std::fputs((text + "\n").c_str(), stderr);
  }

 private:
  std::mutex mutex_;
};

class TerminalReporter : public Reporter {
 public:
  ~TerminalReporter() override { erase(); }
  void warning(std::string_view text) override { line(fmt::format("\033[33mwarning:\033[0m {}", text)); }
  void info(std::string_view text) override { line(std::string(text)); }

 protected:
  void on_start(const Progress& progress) override { draw(progress, true); }
  void on_advance(const Progress& progress) override { draw(progress, false); }
  void on_end(const Progress& progress) override {
    line(fmt::format("{:{}}\033[32m✓\033[0m {}  \033[2m{}{}{}\033[0m", "", progress.depth * 2, progress.name,
                     progress.result, progress.result.empty() ? "" : ", ", seconds(progress.elapsed)));
  }

 private:
  void draw(const Progress& progress, bool now) {
    const std::lock_guard guard(mutex_);
    const auto time = std::chrono::steady_clock::now();
    if (!now && time - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = time;
    std::string amount;
    if (progress.total > 0 && progress.unit == Unit::bytes) {
      const auto rate = progress.elapsed.count() > 0
                            ? progress.done * 1000 / static_cast<std::uint64_t>(progress.elapsed.count())
                            : 0;
      amount = fmt::format(" {} of {}, {}/s", human_size(progress.done), human_size(progress.total),
                           human_size(rate));
    } else if (progress.total > 0) {
      amount = fmt::format(" {}/{}", progress.done, progress.total);
    }
    std::fputs(fmt::format("\r\033[K{:{}}… {}{}", "", progress.depth * 2, progress.name, amount).c_str(),
               stderr);
    std::fflush(stderr);
    open_ = true;
  }
  void line(const std::string& text) {
    const std::lock_guard guard(mutex_);
    std::fputs(fmt::format("\r\033[K{}\n", text).c_str(), stderr);
    open_ = false;
  }
  void erase() {
    if (open_) std::fputs("\r\033[K", stderr);
    open_ = false;
  }

  std::mutex mutex_;
  std::chrono::steady_clock::time_point drawn_;
  bool open_ = false;
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
    line(fmt::format(R"({{"event":"start","name":{},"total":{},"depth":{}}})", json_text(progress.name),
                     progress.total, progress.depth));
  }
  void on_advance(const Progress&) override {}
  void on_end(const Progress& progress) override {
    line(fmt::format(R"({{"event":"end","name":{},"done":{},"result":{},"milliseconds":{},"depth":{}}})",
                     json_text(progress.name), progress.done, json_text(progress.result),
                     progress.elapsed.count(), progress.depth));
  }

 private:
  void line(const std::string& text) {
    const std::lock_guard guard(mutex_);
    std::fputs((text + "\n").c_str(), stderr);
  }
  std::mutex mutex_;
};

class QuietReporter : public PlainReporter {
 public:
  void info(std::string_view) override {}

 protected:
  void on_start(const Progress&) override {}
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
  reporter_.on_start({name_, 0, total_, unit_, {}, {}, depth_});
}

Reporter::Activity::~Activity() {
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start_);
  reporter_.on_end({name_, done_, total_, unit_, result_, elapsed, depth_});
  --reporter_.depth_;
}

void Reporter::Activity::advance(std::uint64_t amount) {
  const std::uint64_t done = done_.fetch_add(amount) + amount;
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start_);
  reporter_.on_advance({name_, done, total_, unit_, {}, elapsed, depth_});
}

void Reporter::Activity::set_result(std::string text) {
  result_ = std::move(text);
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
