// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace mailstead::cli {

/// The manual page mailstead(1) in the macros of man(7), made from the commands and options of `app`.
std::string manual_page(const CLI::App& app);

}  // namespace mailstead::cli
