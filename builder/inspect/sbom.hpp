// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "inspect/appliance.hpp"

namespace mailstead::inspect {

/// Bills of materials of the public part of an image: its Debian packages with their source packages.
/// Everything in them follows from the base, ids and times too, so that all images of one base have the same
/// bill, and nothing of a site is in it. Licences are not asserted: each package has its own file in
/// /usr/share/doc/PACKAGE/copyright.

/// As an SPDX 2.3 document in JSON (ISO/IEC 5962 and its successor, clause numbers of 2.3).
std::string to_spdx(const PublicFacts& facts);

/// As a CycloneDX 1.6 document in JSON (ECMA-424).
std::string to_cyclonedx(const PublicFacts& facts);

}  // namespace mailstead::inspect
