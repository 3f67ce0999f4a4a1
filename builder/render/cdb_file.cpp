// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/cdb_file.hpp"

#include <cdb.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.hpp"

namespace mailstead::render {
namespace {

tl::unexpected<Error> failed(const char* what) {
  return fail(ErrorKind::io, fmt::format("cannot {} an indexed map: {}", what, std::strerror(errno)));
}

}  // namespace

Result<std::string> make_cdb(const std::map<std::string, std::string>& entries) {
  const FileDescriptor file(::memfd_create("cdb", MFD_CLOEXEC));
  if (!file) return failed("make");
  cdb_make make;
  if (::cdb_make_start(&make, file.get()) != 0) return failed("start");
  for (const auto& [key, value] : entries)
    if (::cdb_make_add(&make, key.data(), static_cast<unsigned>(key.size()), value.data(),
                       static_cast<unsigned>(value.size())) != 0)
      return failed("add to");
  if (::cdb_make_finish(&make) != 0) return failed("finish");
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  if (size < 0) return failed("measure");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got =
        ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed("read");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace mailstead::render
