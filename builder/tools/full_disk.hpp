// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace mailstead::tools {

/// If `error`, met while `out` was written, says that the disk is full, an error that tells where and what to
/// do (ErrorKind::io, with the notes of the first one); any other error as it is. Programs tell by the
/// system's own words (strerror(3)), which the toolbox's LC_ALL=C keeps in English; veritysetup knows only
/// "Input/output error", so that less than 1 MiB of free space counts too.
Error explain_full_disk(Error error, const std::filesystem::path& out);

}  // namespace mailstead::tools
