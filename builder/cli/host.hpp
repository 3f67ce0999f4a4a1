// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "cli/command.hpp"

namespace mailstead::cli {

/// How a running machine is named on the command line.
struct HostOptions {
  std::string host;
  std::filesystem::path spec;
  std::string fingerprint;  ///< of its host key; empty: it is known
};

/// --spec and --host-key.
void add_host_options(CLI::App& verb, HostOptions& options);

/// Brings an image to a machine by SSH, and waits for its proof if `wait` is set.
Status update_host(const std::filesystem::path& image, const HostOptions& options, bool allow_older,
                   bool wait, Globals& globals);
Status roll_back_host(const HostOptions& options, bool wait, Globals& globals);

}  // namespace mailstead::cli
