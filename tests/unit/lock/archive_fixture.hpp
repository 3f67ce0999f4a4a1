// SPDX-License-Identifier: GPL-3.0-or-later
// A small Debian archive on disk, made from literals and signed by a throw-away key.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "base/run.hpp"
#include "crypto/digest.hpp"
#include "lock/mirrors.hpp"
#include "support/catch.hpp"

namespace mailstead::lock::test {

/// A key pair in a home folder of its own.
class SigningKey {
 public:
  SigningKey() : home_(std::move(*TemporaryDirectory::create("/tmp"))) {
    gpg({"--batch", "--passphrase", "", "--quick-gen-key", "archive@example.org", "rsa2048", "sign",
         "never"});
    gpg({"--batch", "--yes", "--output", keyring().string(), "--export"});
  }
  ~SigningKey() {
    Command command;
    command.argv = {"gpgconf", "--homedir", home_.path().string(), "--kill", "all"};
    static_cast<void>(run(command));
  }
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  std::filesystem::path keyring() const { return home_.path() / "archive-keyring.gpg"; }
  /// In ASCII armour, as sources hold it.
  std::string armoured() const { return gpg({"--batch", "--armor", "--export"}); }
  /// Of key and subkeys, as gpg tells them.
  std::vector<std::string> fingerprints() const {
    std::vector<std::string> found;
    const std::string listed = gpg({"--batch", "--with-colons", "--with-subkey-fingerprints", "--list-keys"});
    for (std::size_t at = listed.find("fpr:"); at != std::string::npos; at = listed.find("fpr:", at + 1))
      found.push_back(listed.substr(at + 12, 40));
    return found;
  }
  void clear_sign(const std::filesystem::path& in, const std::filesystem::path& out) const {
    gpg({"--batch", "--yes", "--digest-algo", "SHA256", "--output", out.string(), "--clearsign",
         in.string()});
  }

 private:
  std::string gpg(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"gpg", "--homedir", home_.path().string(), "--quiet"});
    Command command;
    command.argv = std::move(arguments);
    const auto output = run(command);
    if (!output) FAIL(format_error(output.error()));
    return output->out;
  }
  TemporaryDirectory home_;
};

/// Made once: key pairs take time.
inline const SigningKey& archive_key() {
  static const SigningKey key;
  return key;
}
inline const SigningKey& stranger_key() {
  static const SigningKey key;
  return key;
}

struct Stanza {
  std::string name;
  std::string version;
  std::string fields;  ///< further lines, each with its newline
  std::string architecture = "amd64";
};

class Archive {
 public:
  Archive() : folder_(std::move(*TemporaryDirectory::create("/tmp"))) {
    for (const char* suite : {"trixie", "trixie-updates", "trixie-security"}) publish(suite, {});
  }

  struct Signing {
    const SigningKey* key = &archive_key();  ///< null: no signature
    std::string codename;                    ///< empty: the suite's own
    std::chrono::hours made_ago{1};
    std::chrono::hours valid_for{24 * 7};  ///< from now; negative: expired
  };

  void publish(const std::string& suite, const std::vector<Stanza>& stanzas) {
    publish(suite, stanzas, Signing());
  }
  void publish(const std::string& suite, const std::vector<Stanza>& stanzas, const Signing& signing) {
    const auto dist = suite_folder(suite);
    std::map<std::string, std::string> indexes{{"amd64", ""}, {"arm64", ""}};
    for (const auto& stanza : stanzas) {
      for (auto& [architecture, text] : indexes) {
        if (stanza.architecture == "all" || stanza.architecture == architecture) text += stanza_text(stanza);
      }
    }
    std::string release = fmt::format(
        "Origin: Test\nLabel: Test\nSuite: stable\nCodename: {}\nDate: {}\nValid-Until: {}\n"
        "Architectures: amd64 arm64\nComponents: main\nSHA256:\n",
        signing.codename.empty() ? suite : signing.codename, date(-signing.made_ago),
        date(signing.valid_for));
    for (const auto& [architecture, text] : indexes) {
      const std::string path = "main/binary-" + architecture + "/Packages";
      write(dist / path, text);
      release += fmt::format(" {} {} {}\n", crypto::sha256_hex(text), text.size(), path);
    }
    write(dist / "Release", release);
    std::error_code ignored;
    std::filesystem::remove(dist / "InRelease", ignored);
    if (signing.key != nullptr) signing.key->clear_sign(dist / "Release", dist / "InRelease");
  }

  std::filesystem::path suite_folder(const std::string& suite) const {
    return folder_.path() / (suite.ends_with("-security") ? "debian-security" : "debian") / "dists" / suite;
  }
  Mirrors mirrors() const {
    const std::string root = "file://" + folder_.path().string();
    return {{root + "/debian"}, {root + "/debian-security"}};
  }
  std::filesystem::path cache() const { return folder_.path() / "cache"; }

  static void write(const std::filesystem::path& path, const std::string& text) {
    REQUIRE(make_directories(path.parent_path()));
    REQUIRE(write_file(path, text));
  }

  static std::string pool_path(const Stanza& stanza) {
    std::string file_version = stanza.version;
    if (const auto colon = file_version.find(':'); colon != std::string::npos)
      file_version.erase(0, colon + 1);
    return fmt::format("pool/main/{}/{}/{}_{}_{}.deb", stanza.name[0], stanza.name, stanza.name, file_version,
                       stanza.architecture);
  }

 private:
  static std::string stanza_text(const Stanza& stanza) {
    return fmt::format(
        "Package: {}\nVersion: {}\nArchitecture: {}\nMaintainer: Nobody <nobody@example.org>\n{}"
        "Description: made up\n Filename: not/a/field\nFilename: {}\nSize: 1234\nSHA256: {}\n\n",
        stanza.name, stanza.version, stanza.architecture, stanza.fields, pool_path(stanza),
        crypto::sha256_hex(stanza.name + stanza.version + stanza.architecture));
  }
  static std::string date(std::chrono::hours from_now) {
    const std::time_t time =
        std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + from_now);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S UTC", &parts);
    return text;
  }

  TemporaryDirectory folder_;
};

}  // namespace mailstead::lock::test
