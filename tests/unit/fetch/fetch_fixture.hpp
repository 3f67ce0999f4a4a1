// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "fetch/fetch.hpp"
#include "support/loopback_server.hpp"

namespace mailstead::fetch::test {

using mailstead::test::answer_with;
using mailstead::test::HttpAnswer;
using mailstead::test::HttpRequest;
using mailstead::test::LoopbackServer;

/// Bytes that differ from place to place, so that a shifted or repeated part is noticed.
inline std::string some_bytes(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (auto& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

inline lock::Package package_of(const std::string& name, const std::string& bytes) {
  lock::Package package;
  package.name = name;
  package.version = "1.0+b1";
  package.architecture = "amd64";
  package.archive = "debian";
  package.pool_path = "pool/main/" + name + "_1.0+b1_amd64.deb";
  package.size = bytes.size();
  package.sha256 = crypto::sha256_hex(bytes);
  package.roles.system = true;
  return package;
}

/// Keeps what it is told.
class NotingReporter : public Reporter {
 public:
  void warning(std::string_view text) override { warnings.emplace_back(text); }
  void info(std::string_view) override {}
  std::vector<std::string> warnings;

 protected:
  void on_start(const Progress&) override {}
  void on_advance(const Progress&) override {}
  void on_end(const Progress&) override {}
};

/// A cache of its own, packages p0, p1, …, and what a mirror serves of them.
struct World {
  explicit World(std::size_t count, std::size_t size = 50'000)
      : folder(std::move(*TemporaryDirectory::create())) {
    lock.suite = "trixie";
    files["/debian/dists/trixie/InRelease"] = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n";
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = fmt::format("p{}", i);
      const std::string bytes = some_bytes(size + i, static_cast<unsigned>(i));
      lock.packages.push_back(package_of(name, bytes));
      files["/debian/pool/main/" + name + "_1.0%2bb1_amd64.deb"] = bytes;
    }
    options.backoff = std::chrono::milliseconds(10);
    options.connect_timeout = std::chrono::seconds(5);
    options.stall_timeout = std::chrono::seconds(2);
  }

  HttpAnswer good(const HttpRequest& request) const {
    HttpAnswer answer;
    const auto found = files.find(request.path);
    if (found == files.end()) {
      answer.status = 404;
    } else {
      answer.body = found->second;
    }
    return answer;
  }

  Result<std::vector<FetchedPackage>> fetch(const std::vector<Address>& mirrors) const {
    const auto reporter = make_quiet_reporter();
    return fetch(mirrors, *reporter);
  }

  Result<std::vector<FetchedPackage>> fetch(const std::vector<Address>& mirrors, Reporter& reporter) const {
    TRY(auto store, Store::open(folder.path()));
    return fetch_packages(lock, {true, true, true, true}, store, {mirrors, mirrors}, options, reporter);
  }

  /// All fetched, each with the right bytes, and nothing else in the store.
  void check_complete(const Result<std::vector<FetchedPackage>>& fetched) const {
    if (!fetched) FAIL(format_error(fetched.error()));
    REQUIRE(fetched->size() == lock.packages.size());
    for (std::size_t i = 0; i < fetched->size(); ++i) {
      CHECK((*fetched)[i].package.name == lock.packages[i].name);
      CHECK(crypto::sha256_file_hex((*fetched)[i].path).value() == lock.packages[i].sha256);
    }
    CHECK(partials() == 0);
  }

  std::size_t partials() const { return count_files(folder.path() / "store/partial"); }
  std::size_t objects() const { return count_files(folder.path() / "store/sha256"); }
  static std::size_t count_files(const std::filesystem::path& path) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      count += entry.is_regular_file();
    return count;
  }

  TemporaryDirectory folder;
  lock::Lock lock;
  std::map<std::string, std::string> files;
  FetchOptions options;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace mailstead::fetch::test
