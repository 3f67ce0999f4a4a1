// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <concepts>
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
struct Tree;

/// Collects the errors of one pass over a document, so that the user sees all of them at once. The first
/// 1,000 are kept, the rest is counted: a hostile file must not be able to fill the memory with its own
/// mistakes.
class Problems {
 public:
  void add(Error error);
  /// Adds what `make` returns; it is not called for an error that would only be counted.
  template <std::invocable Make>
  void add(Make&& make) {
    if (full()) {
      ++dropped_;
    } else {
      errors_.push_back(std::forward<Make>(make)());
    }
  }
  bool empty() const { return errors_.empty(); }
  /// How many were added.
  std::size_t size() const { return errors_.size() + dropped_; }
  /// ok() when there were none, else all of them, sorted by place.
  Status finish() &&;

 private:
  bool full() const;

  std::vector<Error> errors_;
  std::size_t dropped_ = 0;
};

/// A value in a YAML file with its place. Cheap to copy; valid as long as its Document lives. The `as_` and
/// `each` functions report a value of the wrong type to Problems and return nothing, so that reading goes on.
class Value {
 public:
  bool is_null() const;  ///< empty, "~" or "null"
  bool is_map() const;
  bool is_list() const;
  bool is_scalar() const;
  /// Where it begins, with as many columns as it takes in that line; columns count code points. The source
  /// line is left out where it holds the value of a key that looks like a secret ("password_hash"), and where
  /// it is very long.
  Place place() const;
  /// The text of a scalar as written, quotes and escapes resolved; empty for everything else.
  std::string_view text() const;
  /// What it is, for messages: "text", "a map", "a list", "nothing".
  std::string_view kind_name() const;

  /// The text of a scalar as written (quotes removed): "no" is "no" and "0755" is "0755".
  std::optional<std::string> as_string(Problems& problems) const;
  /// "true" or "false" only.
  std::optional<bool> as_bool(Problems& problems) const;
  /// A decimal integer between `least` and `most`. `why`: for the message about one that is not.
  std::optional<std::int64_t> as_integer(Problems& problems, std::int64_t least, std::int64_t most,
                                         std::string_view why = {}) const;
  /// A list of scalars.
  std::vector<std::string> as_strings(Problems& problems) const;
  /// The items of a list; a single text is a list of one, nothing is none. `example` shows what to write
  /// instead of a map: "nameservers: [9.9.9.9]".
  std::vector<Value> as_list(Problems& problems, std::string_view example = {}) const;

  /// An error of kind usage at this value.
  Error error(std::string message, std::string hint = {}) const;

  struct Impl;
  explicit Value(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  friend class MapReader;
  /// Pairs of a map's keys and values, or the items of a list, by number.
  std::size_t child_count() const;
  Value child(std::size_t index) const;

  std::shared_ptr<const Impl> impl_;
};

/// One pass over a map: take the known keys, then `finish` reports the keys that nobody took, with the
/// nearest known key as suggestion. Duplicate keys are reported at once; the first one counts.
class MapReader {
 public:
  /// A value that is not a map is reported at once and reads as an empty one. `example` shows what to write
  /// instead: "ssh: {enabled: true}".
  MapReader(const Value& map, Problems& problems, std::string_view example = {});
  /// The value of `key`, if it is there.
  std::optional<Value> take(std::string_view key);
  /// Like take, but a missing key is reported at the place of the map.
  std::optional<Value> require(std::string_view key);
  struct Entry {
    Value key;
    Value value;
  };
  /// All entries in the order of the file (for maps whose keys are names). Duplicates are reported and left
  /// out.
  std::vector<Entry> take_all();
  /// `hint` makes the remedy of an unknown key.
  void finish(const std::function<std::string()>& hint = {});

 private:
  Value map_;
  Problems& problems_;
  std::vector<std::string> known_;
  std::vector<Entry> entries_;  ///< those with a usable key, in the order of the file, without duplicates
  std::vector<bool> taken_;
};

/// The text of a file, of the size that a document may have. Errors (ErrorKind::usage): it cannot be read, or
/// is larger.
Result<std::string> read_text(const std::filesystem::path& path);

/// A parsed YAML file. Bounds: 6 MiB, 64 levels, 250,000 nodes, aliases expanded at most to about that many
/// nodes and 77 MB of text, 256 KiB for a single text and for a list or map that is written in one line; one
/// document; UTF-8 without control characters; no tags. Anything beyond is an error with its place, found in
/// bounded time and memory.
class Document {
 public:
  /// `name` is what messages call the file. Ends with an error of kind interrupted when the user asks to
  /// stop.
  static Result<Document> parse(std::string text, std::string name);
  /// Reads the file, which messages call by `path` as given.
  static Result<Document> load(const std::filesystem::path& path);
  Value root() const;
  /// From now on no place shows a text that is a value below the key `section` of the file's map (also
  /// misspelt, or there twice), nor what follows the text in its line; `shown` are the keys whose values
  /// stay.
  void conceal_below(const std::string& section, const std::vector<std::string_view>& shown);

 private:
  explicit Document(std::shared_ptr<Tree> tree) : tree_(std::move(tree)) {}
  std::shared_ptr<Tree> tree_;
};

/// `text` in quotes for a message: control characters escaped, at most 80 characters.
std::string quote(std::string_view text);

/// "; did you mean '…'?" if a candidate is near or looks the same, with the letter of another alphabet that
/// it differs by; else nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// The candidate nearest to `word` by edit distance, if it is near enough to be a likely typing error.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace mailstead::yaml
