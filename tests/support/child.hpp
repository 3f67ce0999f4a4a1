// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <sstream>
#include <string>

#include "support/catch.hpp"

namespace mailstead {

#if defined(MAILSTEAD_SANITIZED)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
/// How many times slower than the machine on which kMostSeconds was set this one is, at this moment; 1 if it
/// is not. Told by work that most of our readers' time goes into and that is none of ours: yaml-cpp's parser.
inline double slowness() {
  constexpr double kReferenceSeconds = 0.09;  // of the processor
  struct Ignore : YAML::EventHandler {
    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
  } ignore;
  std::string text = "forwards:\n";
  for (int i = 0; i < 20'000; ++i) text += "  k" + std::to_string(i) + "@example.org: [n@example.org]\n";
  std::istringstream stream(text);
  const std::clock_t start = std::clock();
  YAML::Parser parser(stream);
  REQUIRE(parser.HandleNextDocument(ignore));
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  return std::max(1.0, seconds / kReferenceSeconds);
}

/// What a hostile file may cost on that machine: a second of CPU time and 200 MB. Builds without optimisation
/// are slower.
#if defined(__OPTIMIZE__)
inline constexpr double kMostSeconds = kSanitized ? 60 : 1;
#else
inline constexpr double kMostSeconds = kSanitized ? 60 : 10;
#endif
inline constexpr long kMostMegabytes = kSanitized ? 2000 : 200;

struct Outcome {
  std::string text;    ///< what the work returned
  double seconds = 0;  ///< of the processor, not of the clock: the machine that runs the tests may be busy
  long megabytes = 0;  ///< at most, with what the test itself had
};

/// Works in a process of its own, so that its memory can be told and a crash is only a failed test.
inline Outcome in_child_once(const std::function<std::string()>& work) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit cpu{120, 120};
    ::setrlimit(RLIMIT_CPU, &cpu);
    const std::string text = work();
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t put = ::write(ends[1], text.data() + at, text.size() - at);
      if (put <= 0) ::_exit(1);
      at += static_cast<std::size_t>(put);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  Outcome outcome;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    outcome.text.append(buffer, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  rusage usage{};
  REQUIRE(::wait4(child, &status, 0, &usage) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  outcome.seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  outcome.megabytes = usage.ru_maxrss / 1024;
  return outcome;
}

/// The same; what has taken too long is tried again, its time divided by slowness() around it, and the
/// fastest counts: a processor that is slow, or shared with others, says nothing of the work.
inline Outcome in_child(const std::function<std::string()>& work) {
  Outcome outcome = in_child_once(work);
  for (int i = 0; i < 5 && outcome.seconds >= kMostSeconds; ++i) {
    const double before = slowness();
    Outcome again = in_child_once(work);
    again.seconds /= std::max(before, slowness());
    if (again.seconds < outcome.seconds) outcome = std::move(again);
  }
  return outcome;
}

}  // namespace mailstead
