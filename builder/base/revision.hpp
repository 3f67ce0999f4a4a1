// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace mailstead {

/// Which state of the source this program was made from, as git describe(1) says it: a commit, with "-dirty"
/// if files were changed; "unknown" outside of a repository. Nothing that is written into an image may depend
/// on it.
extern const char* const kRevision;

}  // namespace mailstead
