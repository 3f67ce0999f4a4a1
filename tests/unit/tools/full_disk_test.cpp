// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/full_disk.hpp"

#include <cerrno>
#include <cstring>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::tools;

namespace {

Error tool_error(std::string said) {
  return {ErrorKind::tool,
          "zstd failed with exit status 70",
          {},
          {},
          {"command: zstd -o x", std::move(said)},
          {}};
}

}  // namespace

TEST_CASE("A program's words for a full disk become the place and what to do") {
  const Error error =
      explain_full_disk(tool_error("it said: zstd: error 70 : Write error : No space left on device"),
                        "/cache/scratch/initrd.img");
  CHECK(error.kind == ErrorKind::io);
  CHECK(format_error(error) ==
        "cannot write initrd.img: no space is left in /cache/scratch\n"
        "  free some space there, or let MAILSTEAD_CACHE name a folder on another disk\n"
        "  zstd failed with exit status 70\n"
        "  command: zstd -o x\n"
        "  it said: zstd: error 70 : Write error : No space left on device\n");
}

TEST_CASE("The system's own errors for a full disk and a used-up quota are understood") {
  for (const int number : {ENOSPC, EDQUOT}) {
    Error plain{ErrorKind::io, std::string("cannot write out: ") + std::strerror(number), {}, {}, {}, {}};
    CHECK(explain_full_disk(plain, "out").message == "cannot write out: no space is left in .");
  }
}

TEST_CASE("Other errors stay as they are") {
  const Error error = explain_full_disk(tool_error("it said: Input/output error"), "/cache/x");
  CHECK(format_error(error) == format_error(tool_error("it said: Input/output error")));
  CHECK(error.kind == ErrorKind::tool);
  // A file system without any blocks is not a full one.
  CHECK(explain_full_disk(tool_error("it said: Input/output error"), "/proc/x").kind == ErrorKind::tool);
  Error stopped{ErrorKind::interrupted, "No space left on device", {}, {}, {}, {}};
  CHECK(explain_full_disk(stopped, "/cache/x").kind == ErrorKind::interrupted);
}
