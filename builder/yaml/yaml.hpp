// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::yaml {

class Document;

/// Collects the errors of one pass over a document, so that the user sees all of them at once.
class Problems {
 public:
  void add(Error error) { errors_.push_back(std::move(error)); }
  bool empty() const { return errors_.empty(); }
  /// ok() when there were none, else all of them, sorted by place.
  Status finish() &&;

 private:
  std::vector<Error> errors_;
};

/// A value in a YAML file with its place. Cheap to copy; valid as long as its Document lives. The `as_` and `each`
/// functions report a value of the wrong type to Problems and return nothing, so that reading goes on.
class Value {
 public:
  bool is_null() const;  ///< empty, "~" or "null"
  bool is_map() const;
  bool is_list() const;
  bool is_scalar() const;
  Place place() const;

  /// The text of a scalar as written (quotes removed): "no" is "no" and "0755" is "0755".
  std::optional<std::string> as_string(Problems& problems) const;
  /// "true" or "false" only.
  std::optional<bool> as_bool(Problems& problems) const;
  /// A decimal integer between `least` and `most`.
  std::optional<std::int64_t> as_integer(Problems& problems, std::int64_t least, std::int64_t most) const;
  /// A list of scalars.
  std::vector<std::string> as_strings(Problems& problems) const;
  std::vector<Value> as_list(Problems& problems) const;

  /// An error of kind usage at this value.
  Error error(std::string message, std::string hint = {}) const;

  struct Impl;
  explicit Value(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// One pass over a map: take the known keys, then `finish` reports duplicates and the keys that nobody took, with the
/// nearest known key as suggestion.
class MapReader {
 public:
  /// A value that is not a map is reported at once and reads as an empty one.
  MapReader(const Value& map, Problems& problems);
  /// The value of `key`, if it is there.
  std::optional<Value> take(std::string_view key);
  /// Like take, but a missing key is reported at the place of the map.
  std::optional<Value> require(std::string_view key);
  struct Entry {
    Value key;
    Value value;
  };
  /// All entries in the order of the file (for maps whose keys are names). Duplicates are reported and left out.
  std::vector<Entry> take_all();
  void finish();

 private:
  Value map_;
  Problems& problems_;
  std::vector<std::string> known_;
  std::vector<bool> taken_;
};

/// A parsed YAML file. Bounds: 16 MiB, 64 levels, 1,000,000 nodes, aliases expanded at most to that many nodes; one
/// document; UTF-8 without NUL. Anything beyond is an error with its place, found in bounded time and memory.
class Document {
 public:
  /// `name` is what messages call the file.
  static Result<Document> parse(std::string text, std::string name);
  static Result<Document> load(const std::filesystem::path& path);
  Value root() const;

 private:
  std::shared_ptr<const Value::Impl> root_;
};

/// The candidate nearest to `word` by edit distance, if it is near enough to be a likely typing error.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace mailstead::yaml
