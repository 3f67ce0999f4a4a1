// SPDX-License-Identifier: GPL-3.0-or-later
// Whole specs around the examples of keys.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "spec/keys.hpp"
#include "support/catch.hpp"

namespace mailstead::test {

inline constexpr const char* kExampleHash =
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$y8e1eitiNDaQsFFW6d.9KbSTlk5zV3R3coZQtfcNAO5";

/// What "…" stands for in examples.
inline std::string filled_in(std::string text) {
  for (const std::string whole :
       {kExampleHash, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKr0C1TCRvDB8J0pqG1GpJAZKt7w4sQbU6t3XmZ3vQ2H"}) {
    const std::string cut = whole.substr(0, whole.find_first_of("j ")) + (whole[0] == '$' ? "…" : " …");
    for (std::size_t at = 0; (at = text.find(cut, at)) != std::string::npos; at += whole.size())
      text.replace(at, cut.size(), whole);
  }
  return text;
}

/// The example of a key with all that it needs, and another value in the place of its own.
inline std::string with_value(const spec::Key& key, std::string_view value) {
  std::string text = spec::example_text(key);
  text.resize(text.size() - key.example.size() - 1);
  return fmt::format("{}{}\n", text, value);
}

/// A spec that holds `example`, and what it lacks of two accounts, their domain and a postmaster.
inline std::string whole_spec(std::string_view example) {
  std::string spec = filled_in(std::string(example));
  // `text` below the section's heading; a section that is written in one line stays as it is.
  const auto add = [&](const std::string& section, const std::string& name, const std::string& text) {
    if (!spec.starts_with(section))
      spec += fmt::format("{}{}", section, text);
    else if (spec.starts_with(section + "\n") && spec.find("\n  " + name) == std::string::npos)
      spec.insert(section.size() + 1, text.substr(1));
  };
  const std::string hash = fmt::format("    password_hash: \"{}\"\n", kExampleHash);
  const bool has_postmaster = spec.find("postmaster@") != std::string::npos;
  const bool has_accounts = spec.starts_with("accounts:");
  add("domains:", "example.org:", "\n  example.org:\n");
  if (!has_accounts || spec.starts_with("accounts:\n")) {
    add("accounts:", "alice@example.org:", "\n  alice@example.org:\n" + hash);
    const std::string_view aliases =
        has_accounts || has_postmaster ? "" : "    aliases: [postmaster@example.org]\n";
    if (has_accounts)
      add("accounts:", "bob@example.org:", "\n  bob@example.org:\n" + hash);
    else
      spec += fmt::format("  bob@example.org:\n{}{}", hash, aliases);
  }
  if (has_accounts && !has_postmaster) spec += "forwards:\n  postmaster@example.org: [p@elsewhere.example]\n";
  if (!spec.starts_with("mailstead:")) spec += "mailstead: 1\n";
  if (!spec.starts_with("hostname:")) spec += "hostname: mail.example.org\n";
  return spec;
}

/// A folder with the files that examples name.
inline TemporaryDirectory folder_of_examples() {
  auto folder = TemporaryDirectory::create();
  REQUIRE(folder);
  for (const char* name : {"secrets", "sieve", "tls"})
    std::filesystem::create_directory(folder->path() / name);
  REQUIRE(write_file(folder->path() / "secrets/alice.hash", std::string(kExampleHash) + "\n", 0600));
  REQUIRE(write_file(folder->path() / "sieve/alice.sieve", "keep;\n"));
  REQUIRE(write_file(folder->path() / "tls/fullchain.pem", "-----BEGIN CERTIFICATE-----\n"));
  REQUIRE(write_file(folder->path() / "tls/privkey.pem", "-----BEGIN PRIVATE KEY-----\n", 0600));
  return *std::move(folder);
}

}  // namespace mailstead::test
