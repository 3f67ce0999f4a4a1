// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "yaml/yaml.hpp"

namespace mailstead::yaml {

constexpr std::size_t kMostBytes = 6u << 20;
/// 10,000 accounts and 1,000 domains with all that they can have are fewer.
constexpr std::size_t kMostNodes = 250'000;
/// So many bytes of a text count as one more node where aliases are expanded: whoever reads a value copies
/// its text, and a list may name one long text many times.
constexpr std::size_t kBytesOfNode = 256;
/// More than any file without aliases can have.
constexpr std::size_t kMostExpanded = 300'000;
static_assert(kMostExpanded > kMostNodes + kMostBytes / kBytesOfNode);
constexpr std::uint32_t kMostLevels = 64;
/// yaml-cpp queues tokens until it knows whether a map key began; this is as far as it may read without
/// telling us of a node.
constexpr std::size_t kMostWithoutNode = 256u << 10;

/// The text of a file, with offsets translated to places.
class Source {
 public:
  /// `text` is valid UTF-8 of at most kMostBytes.
  Source(std::string text, std::string name);
  const std::string& text() const { return text_; }
  /// The place of the byte at `offset`, in constant time. `length` is in code points.
  Place place(std::size_t offset, int length) const;
  /// From now on no place shows any of the text from `begin` to `end`, nor what follows it in the line.
  void conceal(std::size_t begin, std::size_t end);

 private:
  /// What is known every kStep bytes, so that a place is found without reading from the beginning: a file of
  /// one very long line with an error at every second byte must not take quadratic time.
  struct Mark {
    std::uint32_t line_begin;
    std::uint32_t line;    ///< from 1
    std::uint32_t column;  ///< code points before this offset in its line
  };
  static constexpr std::size_t kStep = 1024;
  Mark mark_at(std::size_t offset) const;

  std::string text_;
  std::string name_;
  std::vector<Mark> marks_;
  /// By line: how many of its bytes may be shown.
  static constexpr std::uint32_t kAll = UINT32_MAX;
  std::vector<std::uint32_t> shown_;
};

struct Tree;

/// A node of a document. Nodes are made in the order of the file; an alias is the number of the node it
/// names.
struct Value::Impl {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  const Tree* tree = nullptr;
  std::uint32_t offset = 0;      ///< where it begins in the source
  std::uint32_t text_begin = 0;  ///< of a scalar, in Tree::texts
  std::uint32_t text_size = 0;
  std::uint32_t first_child = 0;  ///< in Tree::children
  std::uint32_t child_count = 0;  ///< twice the number of entries for a map
  std::uint32_t end_node = 0;     ///< the number of the first node after this one and all below it
  std::uint32_t expanded = 1;     ///< nodes from here on with aliases expanded, at most kMostExpanded + 1
  std::uint8_t height = 1;        ///< levels from here on
  Kind kind = Kind::null;
};

struct Tree {
  explicit Tree(Source from) : source(std::move(from)) {}
  Source source;
  std::deque<Value::Impl> nodes;  ///< a deque, because growing a vector would hold everything twice
  std::vector<std::uint32_t> children;
  std::string texts;
};

/// Whether a key's value must not be shown ("password_hash", also when misspelt).
bool looks_secret(std::string_view key);

/// A place in a file that is no YAML, or more than we read. Thrown out of yaml-cpp's callbacks; does not
/// leave this folder.
struct Fault {
  std::size_t offset;
  std::string message;
  std::string hint;
};

/// What the message of an exception that yaml-cpp has thrown about the byte at `at` means; nodes up to `read`
/// have been read.
Fault explain(const std::string& message, std::size_t at, std::string_view text, std::size_t read);

/// The fault of a text in quotes that begins at `at` and has no end.
Fault open_quote(std::size_t at);

/// Where the text in quotes that begins at `at` ends, behind its closing quote; npos if it has none.
std::size_t end_of_quotes(std::string_view text, std::size_t at);

/// The length of the UTF-8 sequence at `at` and its code point, or length 0 if it is none (RFC 3629 section
/// 4).
std::pair<std::size_t, std::uint32_t> decode(std::string_view text, std::size_t at);

/// A key and its value that are written without the space between them: "quota:2G".
struct Joined {
  std::string_view key;
  std::string_view value;
};
/// Nothing if `text` is no such, as "http://example.org" or "fe80::1".
std::optional<Joined> joined_entry(std::string_view text);

/// Message and remedy for such an entry; the value is not shown if the key looks like a secret's.
std::pair<std::string, std::string> joined_fault(const Joined& joined);

/// Checks size, UTF-8 (RFC 3629) and that there are no control characters; removes a byte order mark.
/// yaml-cpp takes 0x04 for the end of the file and 0xfffe for UTF-16, so this must come before it.
Result<std::string> checked_text(std::string text, const std::string& name);

}  // namespace mailstead::yaml
