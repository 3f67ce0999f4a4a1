// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/needs.hpp"

#include <algorithm>
#include <iterator>

namespace mailstead::mailtest {
namespace {

VariableUse variables_of(const std::vector<Step>& steps) {
  VariableUse all;
  for (const Step& step : steps) {
    all.add(step.variables);
    all.add(variables_of(step.block));
  }
  return all;
}

}  // namespace

std::set<std::string> needed_variables(const Dialogue& dialogue) {
  const VariableUse all = variables_of(dialogue.steps);
  std::set<std::string> needed;
  std::ranges::set_difference(all.used, all.set, std::inserter(needed, needed.end()));
  return needed;
}

}  // namespace mailstead::mailtest
