// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "base/limits.hpp"
#include "base/result.hpp"

// Threads on machines that give few of them (`ulimit -u`, TasksMax= of systemd, pids.max of a container):
// work goes on with those that there are.
namespace mailstead {

/// Runs `work` in a thread of its own; where the system gives none, whoever asks for the result runs it then.
template <class Work>
std::future<std::invoke_result_t<Work>> beside(Work&& work) {
  // With both policies the library falls back to the second one.
  return std::async(std::launch::async | std::launch::deferred, std::forward<Work>(work));
}

/// Runs `work` in this thread and in others, `count` together or as many as the system gives. Returns when
/// all of them have ended. `work` takes its pieces from a common counter; what it throws is thrown then.
void in_threads(std::size_t count, const std::function<void()>& work);

/// As many threads as can be of use; at least 1.
std::size_t useful_threads();

/// The failure to start a thread or a process, as the user sees it.
Error no_more_threads(const std::system_error& error);

/// A thread for what cannot be done without one. Errors: ErrorKind::io, the system gives none.
template <class Work>
Result<std::jthread> start_thread(Work&& work) {
  try {
    return std::jthread(std::forward<Work>(work));
  } catch (const std::system_error& error) {
    return fail(no_more_threads(error));
  }
}
}  // namespace mailstead
