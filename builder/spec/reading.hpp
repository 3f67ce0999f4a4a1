// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "spec/names.hpp"
#include "spec/section.hpp"
#include "spec/site.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::spec {

/// An address somewhere in the file, with its place.
struct Mention {
  Address address;
  yaml::Value value;
};

/// The parts of a spec that refer to each other, with their places, as read and before they are checked
/// together.
struct Routes {
  struct Owner {
    Account account;  ///< without its aliases
    yaml::Value key;
    std::vector<Mention> aliases;
  };
  struct Shared {
    Mention name;
    std::vector<Mention> targets;
  };
  struct DomainMention {
    std::size_t domain;  ///< in Site::domains
    Mention mention;
  };
  std::vector<Owner> accounts;
  std::vector<Shared> aliases;
  std::vector<Shared> forwards;
  std::vector<DomainMention> catch_alls;
  std::vector<DomainMention> dmarc_reports;
  std::vector<yaml::Value> domain_keys;  ///< parallel to Site::domains
};

/// What the functions that read a section of the spec share.
struct Reading {
  yaml::Problems& problems;
  Site& site;
  const Fallbacks& fallbacks;
  Routes routes = {};
  std::size_t compared = 0;  ///< bytes of names that were compared for suggestions
  /// A domain of the site could not be read: addresses in it are no mistakes of their own.
  bool lacks_domain = false;
  /// A name of an account, an alias or a forward could not be read: no address is missing for certain.
  bool lacks_name = false;
  /// What such names look like in ASCII letters: who names one of them has made no mistake.
  std::set<std::string> missing_look_alikes = {};
  std::optional<yaml::Value> hostname = {};

  /// The value that a check let through; otherwise the fault is reported at `value`.
  template <class T>
  std::optional<T> accept(Checked<T> checked, const yaml::Value& value) {
    if (checked) return *std::move(checked);
    problems.add(
        [&] { return value.error(std::move(checked.error().message), std::move(checked.error().hint)); });
    return std::nullopt;
  }
  /// A number within the bounds of its record.
  std::optional<std::uint64_t> number(const Field& field);
  /// A size in bytes within the bounds of its record.
  std::optional<std::uint64_t> size(const Field& field);
  /// Which of the record's choices a value is, by number.
  std::optional<std::size_t> choice(const Key& key, const yaml::Value& value);
  /// The values of a list, or the one that stands for a list of one.
  std::vector<yaml::Value> items(const Field& field);
  /// The address that a scalar holds.
  std::optional<Mention> address(const yaml::Value& value);
  /// An address of this site: its domain is one of Site::domains.
  std::optional<Mention> own_address(const yaml::Value& value);
  std::vector<Mention> addresses(const Field& list);
  bool is_own_domain(const std::string& domain) const;
  /// Notes that a name of an account, an alias or a forward could not be read.
  void miss_name(const yaml::Value& value);
  /// In a sentence, which domain of the site looks the same as `domain` but has letters of another alphabet.
  std::optional<std::string> domain_that_looks_like(const std::string& domain) const;
  /// "; did you mean '…'?" if one of the names is near, else nothing. For the first errors only: each
  /// suggestion looks at all names.
  std::string suggestion(const std::string& word, const std::function<std::vector<std::string>()>& names);

  /// Notes that `text` was read of the file that `value` names: see Site::files.
  void note_file(const yaml::Value& value, std::string_view text) const;
  /// What may be asked of a file that the spec names.
  enum class FileKind {
    shown,   ///< messages show lines of it: only below the spec's folder, as a spec may be somebody else's
    opaque,  ///< messages never show what is in it: anywhere
    secret,  ///< the same, and closed to other users
  };
  /// The text of a file that the spec names, relative to its folder.
  std::optional<std::string> named_file(const Field& value, FileKind kind);
  /// Notes something that is allowed but likely to be regretted.
  void warn(const yaml::Value& value, std::string message, std::string hint) const;
  std::filesystem::path absolute(std::string_view path) const;
};

void read_network(Reading& reading, const Field& value);
void read_tls(Reading& reading, const Field& value);
void read_ssh(Reading& reading, const Field& value);
void read_updates(Reading& reading, const Field& value);
void read_ports(Reading& reading, const Field& value);
/// Must come before everything that holds addresses.
void read_domains(Reading& reading, const Field& value);
void read_accounts(Reading& reading, const Field& value);
/// Aliases or forwards. `entry` is the record of one of them.
void read_shared(Reading& reading, const Field& value, const Key& entry, std::vector<Routes::Shared>& into);

/// Checks accounts, aliases, forwards and domains against each other and completes the site.
void resolve_routes(Reading& reading);

}  // namespace mailstead::spec
