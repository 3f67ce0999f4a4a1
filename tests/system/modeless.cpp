// SPDX-License-Identifier: GPL-3.0-or-later
// Put in front of a program by LD_PRELOAD: below the folder $MODELESS, permissions are those of a FAT stick
// or of a Windows folder in WSL. chmod(2) is refused or, with MODELESS_SILENT, has no effect; every file is
// open to all. With LOCKLESS, no file can be locked.
#include <dlfcn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

bool is_modeless(const std::string& path) {
  const char* folder = std::getenv("MODELESS");
  return folder != nullptr && path.starts_with(folder);
}

std::string path_of(int fd) {
  char path[4096];
  const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return std::string(path, size > 0 ? static_cast<std::size_t>(size) : 0);
}

std::string absolute(const char* path) {
  char folder[4096];
  return *path == '/' || ::getcwd(folder, sizeof folder) == nullptr ? path : std::string(folder) + "/" + path;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int refused() {
  if (std::getenv("MODELESS_SILENT") != nullptr) return 0;
  errno = EPERM;
  return -1;
}

int opened(int result, bool modeless, struct stat* status) {
  if (result == 0 && modeless) status->st_mode |= 0777;
  return result;
}

}  // namespace

extern "C" {

int chmod(const char* path, mode_t mode) noexcept {
  return is_modeless(absolute(path)) ? refused() : next<int(const char*, mode_t)>("chmod")(path, mode);
}
int fchmod(int fd, mode_t mode) noexcept {
  return is_modeless(path_of(fd)) ? refused() : next<int(int, mode_t)>("fchmod")(fd, mode);
}
int stat(const char* path, struct stat* status) noexcept {
  return opened(next<int(const char*, struct stat*)>("stat")(path, status), is_modeless(absolute(path)),
                status);
}
int lstat(const char* path, struct stat* status) noexcept {
  return opened(next<int(const char*, struct stat*)>("lstat")(path, status), is_modeless(absolute(path)),
                status);
}
int fstat(int fd, struct stat* status) noexcept {
  return opened(next<int(int, struct stat*)>("fstat")(fd, status), is_modeless(path_of(fd)), status);
}
int flock(int fd, int operation) noexcept {
  if (std::getenv("LOCKLESS") == nullptr) return next<int(int, int)>("flock")(fd, operation);
  errno = ENOLCK;
  return -1;
}

}  // extern "C"
