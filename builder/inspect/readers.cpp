// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/readers.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/printable.hpp"

namespace mailstead::inspect {
namespace {

/// The last line that is not empty, which is where programs say what is wrong.
std::string_view last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const auto start = text.rfind('\n');
  return start == std::string_view::npos ? text : text.substr(start + 1);
}

/// How env(1), prlimit(1) and shells say that there is no such program.
constexpr int kNotFound = 127;

}  // namespace

Result<CommandOutput> run_reader(Command command, std::uint64_t most_written) {
  const std::string program = command.argv.front();
  std::vector<std::string> argv = {"prlimit", "--as=4294967296", fmt::format("--fsize={}", most_written),
                                   "--core=0", "--"};
  argv.insert(argv.end(), command.argv.begin(), command.argv.end());
  command.argv = std::move(argv);
  command.timeout = std::chrono::seconds(120);
  TRY(CommandOutput output, run_any_status(command));
  if (output.exit_status == kNotFound)
    return fail(ErrorKind::tool, fmt::format("{} is needed to read an image, and is not there", program),
                "apt-get install fdisk mtools squashfs-tools-ng");
  if (output.exit_status != 0)
    return fail(ErrorKind::tool,
                fmt::format("{} cannot read the image: {}", program, printable(last_line(output.err))));
  return output;
}

}  // namespace mailstead::inspect
