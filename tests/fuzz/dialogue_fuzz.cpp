// SPDX-License-Identifier: GPL-3.0-or-later
// Dialogue and world files, and the texts that are made from them: any bytes must give a value or an error.
#include <cstdint>
#include <string_view>

#include "mailtest/dialogue.hpp"
#include "mailtest/disk.hpp"
#include "mailtest/fragment.hpp"
#include "mailtest/journal.hpp"
#include "mailtest/text.hpp"
#include "mailtest/world.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mailstead::mailtest;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_dialogue(text, "fuzz");
  if (auto lines = fill_fragment(text, "fuzz", {})) (void)parse_steps(*std::move(lines), "fuzz");
  (void)expand(text, {{"appliance", "203.0.113.10"}});
  (void)parse_world(text, "fuzz");
  (void)parse_gpt(text);
  (void)glob_matches(text.substr(0, size / 2), text.substr(size / 2));
  return 0;
}
