// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/threads.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <vector>

namespace mailstead {

void in_threads(std::size_t count, const std::function<void()>& work) {
  std::mutex mutex;
  std::exception_ptr thrown;
  const auto guarded = [&] {
    try {
      work();
    } catch (...) {
      const std::lock_guard guard(mutex);
      thrown = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      while (others.size() + 1 < count) others.emplace_back(guarded);
    } catch (const std::system_error&) {
      // Those that have started, and this one, do all of it.
    }
    guarded();
  }
  if (thrown) std::rethrow_exception(thrown);
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

}  // namespace mailstead
