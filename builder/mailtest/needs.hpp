// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>

#include "mailtest/dialogue.hpp"

namespace mailstead::mailtest {

/// Variables that the dialogue uses and none of its steps sets: they must have values before it is played.
std::set<std::string> needed_variables(const Dialogue& dialogue);

}  // namespace mailstead::mailtest
