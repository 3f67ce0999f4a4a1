// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/report.hpp"

#include <algorithm>
#include <utility>

namespace mailstead::verify {

void Check::add(Finding finding) {
  if (findings.size() < kMostFindings)
    findings.push_back(std::move(finding));
  else
    ++more;
}

bool Report::passed() const {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.findings.empty(); });
}

}  // namespace mailstead::verify
