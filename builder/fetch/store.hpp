// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "base/result.hpp"
#include "crypto/digest.hpp"
#include "lock/lock.hpp"

namespace mailstead::fetch {

/// A file on its way into the store. It grows under partial/<digest>, locked against other processes, hashed
/// as it grows, and is renamed to its place only when the digest is right. A killed process leaves the
/// partial file, which the next one continues.
class PartialFile {
 public:
  PartialFile(PartialFile&&) = default;
  PartialFile& operator=(PartialFile&&) = delete;
  /// Keeps what has arrived for the next time, if that is of use; else removes the file.
  ~PartialFile();

  /// Bytes that are there already.
  std::uint64_t size() const { return size_; }
  /// Adds bytes. Errors: ErrorKind::io; ErrorKind::integrity when there would be more than the locked size.
  Status append(std::string_view data);
  /// Forgets what has arrived.
  Status restart();
  /// Checks the digest and moves the file to its place. Error (ErrorKind::integrity) with both digests and
  /// `where` the bytes are from ("from http://…"); nothing is left behind then.
  Result<std::filesystem::path> finish(std::string_view where);

 private:
  friend class Store;
  PartialFile(lock::Package package, std::filesystem::path path, std::filesystem::path target,
              FileDescriptor file);
  Status hash_existing();

  lock::Package package_;
  std::filesystem::path path_;
  std::filesystem::path target_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
  crypto::Sha256 hash_;
  bool resumable_ = true;  ///< the file has the name that the next process looks for
};

/// Packages by digest: <cache>/store/sha256/ab/abcdef…, shared by all builds and processes of a user. An
/// object is complete from the moment it has its name. Objects are not fsynced: whoever uses one gets it
/// through `get`, which hashes it, so a file that a power cut has hollowed out is found and fetched again.
class Store {
 public:
  /// Makes the folders below `cache` and removes partial files that nobody has continued for a week.
  static Result<Store> open(const std::filesystem::path& cache);

  /// Where the object of this digest (64 hexadecimal digits) is or would be.
  std::filesystem::path path(const std::string& sha256) const;

  /// The path of a stored package whose size and digest have just been verified. Empty when it is not there.
  /// Error (ErrorKind::integrity): the bytes are not those of the lock.
  Result<std::optional<std::filesystem::path>> get(const lock::Package& package) const;

  /// Removes an object that `get` has refused.
  Status discard(const lock::Package& package) const;

  /// What of `packages` is still to be written, if none is in the store: their sizes without what partial
  /// files have of them.
  std::uint64_t bytes_to_come(const std::vector<lock::Package>& packages) const;
  /// The file system with the store.
  const std::filesystem::path& folder() const { return root_; }

  /// Starts or continues an object. When another process has the partial file, a second one is begun: both
  /// finish, and the last rename wins with the same bytes.
  Result<PartialFile> begin(const lock::Package& package) const;

 private:
  explicit Store(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

}  // namespace mailstead::fetch
