// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/limits.hpp"

#include <fmt/format.h>
#include <string.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace mailstead {
namespace {

constexpr const char* kMoreProcesses =
    "this machine lets you run no more processes and threads: end some, or raise the limit (ulimit -u, "
    "TasksMax= of a service, pids.max of a container; a limit of memory, ulimit -v, has the same effect)";
constexpr const char* kMoreMemory =
    "end other programs, or raise the limit (ulimit -v, MemoryMax= of a service, memory.max of a container)";
constexpr const char* kLargerFiles =
    "raise the limit of the size of files (ulimit -f, LimitFSIZE= of a service)";

constexpr const char* kMoreFiles =
    "this machine lets a program open too few files at once: raise the limit (ulimit -n 1024, LimitNOFILE= "
    "of a service)";

// mksquashfs and APT do not say why they cannot; APT's parts are programs of their own.
constexpr std::array<std::string_view, 4> kNoProcess = {
    "Resource temporarily unavailable", "Failed to create thread", "Failed to fork", "annot fork"};
constexpr std::array<std::string_view, 6> kNoMemory = {"Cannot allocate memory", "Out of memory",
                                                       "out of memory",          "std::bad_alloc",
                                                       "memory exhausted",       "failed to map segment"};
constexpr std::array<std::string_view, 2> kNoFile = {"Too many open files", "No file descriptors available"};
constexpr std::array<std::string_view, 1> kFileTooLarge = {"File too large"};

bool tells_of(std::span<const std::string_view> signs, std::string_view said) {
  return std::any_of(signs.begin(), signs.end(),
                     [&](std::string_view sign) { return said.find(sign) != std::string_view::npos; });
}

Error limit(std::string message, const char* hint) {
  return {ErrorKind::io, std::move(message), {}, hint, {}, {}};
}

}  // namespace

std::string more_processes_hint(int error) {
  return error == EAGAIN ? kMoreProcesses : "";
}

void allow_more_files() {
  constexpr rlim_t kPlenty = 4096;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kPlenty) return;
  files.rlim_cur = std::min(files.rlim_max, kPlenty);
  ::setrlimit(RLIMIT_NOFILE, &files);
}

Error no_memory() {
  return limit("no memory is left", kMoreMemory);
}

std::optional<Error> limit_told_by(std::string_view program, std::string_view said) {
  if (tells_of(kNoProcess, said))
    return limit(fmt::format("{} cannot start a process or a thread", program), kMoreProcesses);
  if (tells_of(kNoMemory, said)) return limit(fmt::format("{} gets no more memory", program), kMoreMemory);
  if (tells_of(kNoFile, said)) return limit(fmt::format("{} cannot open enough files", program), kMoreFiles);
  if (tells_of(kFileTooLarge, said)) return file_size_limit(program);
  return std::nullopt;
}

Error explain_limit(Error error) {
  // Whoever writes has the remedy for a full disk, which this is not.
  if (error.message.ends_with(strerror(EFBIG))) error.hint = kLargerFiles;
  // Nor is it about the file that could not be opened.
  if (tells_of(kNoFile, error.message)) error.hint = kMoreFiles;
  if (!error.hint.empty()) return error;
  if (error.message.ends_with(strerror(ENOMEM))) error.hint = kMoreMemory;
  if (error.message.ends_with(strerror(EAGAIN))) error.hint = kMoreProcesses;
  return error;
}

Error file_size_limit(std::string_view program) {
  return limit(fmt::format("{} cannot write a file as large as it has to be", program), kLargerFiles);
}

}  // namespace mailstead
