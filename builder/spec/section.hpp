// SPDX-License-Identifier: GPL-3.0-or-later
// Reading through records: a map of the spec gives the value of a key only to who has its record.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "spec/keys.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::spec {

struct Reading;

/// A value of the spec with the record of its key.
struct Field : yaml::Value {
  const Key* key;
  bool written;  ///< in the spec; otherwise it is Key::fallback
};

/// The records' fallbacks as values.
class Fallbacks {
 public:
  static Result<Fallbacks> make();
  std::optional<yaml::Value> of(const Key& key) const;
  /// A map without entries.
  yaml::Value nothing() const;

 private:
  Fallbacks() = default;
  std::vector<yaml::Document> documents_;
  std::vector<std::optional<yaml::Value>> values_;  ///< parallel to kKeys
};

/// A map of the spec while it is read. One that is left out or empty reads as one without entries; what is
/// not a map is reported at once, and reads so, too.
class Section {
 public:
  /// The whole spec.
  Section(Reading& reading, const yaml::Value& root);
  /// The section of `key`, or one of several. `name` is what messages call it: the key's own by default.
  /// `example` is what they advise where the value is no map: by default that of the record.
  Section(Reading& reading, const Key& key, const yaml::Value& value, std::string_view name = {},
          std::string example = {});
  /// What the spec says for a key of this section, or what the record has for it. Nothing if neither says
  /// anything; that is reported if the key is required.
  std::optional<Field> take(const Key& key);
  /// The same for a section, a map of names, and a key with a fallback, which always have a value.
  Field get(const Key& key);
  /// Reports a key that is none, in better words than finish() has.
  void refuse(std::string_view name, std::string message, std::string hint);
  /// All entries of a map of names, at most as many as its record allows; the first one beyond is reported.
  std::vector<yaml::MapReader::Entry> take_names();
  /// Reports what nobody took, with what the section may hold.
  void finish();

 private:
  Reading& reading_;
  const Key* key_;
  yaml::Value value_;
  yaml::MapReader map_;
};

}  // namespace mailstead::spec
