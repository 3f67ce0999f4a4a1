// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/threads.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace mailstead {

void in_threads(std::size_t count, const std::function<void()>& work) {
  std::vector<std::jthread> others;
  try {
    while (others.size() + 1 < count) others.emplace_back(work);
  } catch (const std::system_error&) {
    // Those that have started, and this one, do all of it.
  }
  work();
}

std::size_t useful_threads() {
  return std::max(1u, std::thread::hardware_concurrency());
}

Error no_more_threads(const std::system_error& error) {
  return Error{ErrorKind::io,
               std::string("cannot start a thread: ") + error.code().message(),
               {},
               more_processes_hint(error.code().value()),
               {},
               {}};
}

std::string more_processes_hint(int error) {
  if (error != EAGAIN) return {};
  return "this machine lets you run no more processes and threads: end some, or raise the limit (ulimit -u, "
         "TasksMax= of a service, pids.max of a container)";
}

}  // namespace mailstead
