// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/reader.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/printable.hpp"

namespace mailstead::disk {
namespace {

/// The last line that is not empty, which is where programs say what is wrong.
std::string_view last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const auto start = text.rfind('\n');
  return start == std::string_view::npos ? text : text.substr(start + 1);
}

constexpr std::uint64_t kMostMemory = 4ull << 30;

}  // namespace

Result<CommandOutput> run_reader(Command command, std::uint64_t most_written) {
  const std::string program = command.argv.front();
  command.memory_limit = kMostMemory;
  command.file_size_limit = most_written;
  command.timeout = std::chrono::seconds(120);
  TRY(CommandOutput output, run_any_status(command));
  if (output.exit_status != 0)
    return fail(ErrorKind::tool,
                fmt::format("{} cannot read the image: {}", program, printable(last_line(output.err))));
  return output;
}

}  // namespace mailstead::disk
