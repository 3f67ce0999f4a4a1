// SPDX-License-Identifier: GPL-3.0-or-later
// The table of keys agrees with itself, and the parser reads what is in it.
#include "spec/keys.hpp"

#include <fmt/format.h>

#include <set>

#include "spec/load.hpp"
#include "support/catch.hpp"
#include "support/example_spec.hpp"

using namespace mailstead;
using spec::Key;
using spec::Type;
using test::with_value;

namespace {

/// The errors of a spec that holds `example`, one after the other; empty if it has none.
std::string errors_of(const std::string& example) {
  const auto site = spec::parse_site(test::whole_spec(example), "mail.yaml");
  return site ? "" : format_error(site.error());
}

}  // namespace

TEST_CASE("Each record has all that the reference says of a key") {
  std::set<std::string_view> seen;
  for (const Key& key : spec::kKeys) {
    INFO(key.path);
    CHECK(seen.insert(key.path).second);
    const std::string_view parent = spec::parent_of(key);
    if (!parent.empty()) CHECK(seen.contains(parent));
    CHECK(key.says.ends_with('.'));
    CHECK(!key.example.empty());
    CHECK((key.path.ends_with('*') == !key.name.empty()));
    CHECK((key.type == Type::choice) == !key.choices.empty());
    CHECK(key.least <= key.most);
    CHECK((key.fallback.empty() || key.otherwise.empty()));
    CHECK((!key.required || (key.fallback.empty() && key.otherwise.empty())));
    const bool has_keys = key.type == Type::section || key.type == Type::names;
    CHECK(has_keys == !spec::keys_in(key.path).empty());
    if (key.type == Type::names) {
      REQUIRE(spec::keys_in(key.path).size() == 1);
      CHECK(spec::keys_in(key.path).front()->path == fmt::format("{}.*", key.path));
    }
  }
}

TEST_CASE("Every section lists what is allowed in it when it refuses a key") {
  const std::string top = errors_of("such_a_key: 1\n");
  CHECK(top.find("unknown key 'such_a_key'") != std::string::npos);
  CHECK(top.find("; `mailstead explain` describes them") != std::string::npos);
  for (const Key& key : spec::kKeys) {
    if (key.type != Type::section) continue;
    INFO(key.path);
    const std::string errors = errors_of(with_value(key, "{such_a_key: 1}"));
    INFO(errors);
    std::string allowed;
    for (const Key* below : spec::keys_in(key.path))
      allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", spec::name_of(*below));
    CHECK(errors.find(fmt::format("allowed here: {}; `mailstead explain {}` describes them", allowed,
                                  spec::typed(key.path))) != std::string::npos);
  }
}

TEST_CASE("Bounds and choices are those of the records") {
  int bounded = 0;
  for (const Key& key : spec::kKeys) {
    INFO(key.path);
    if (key.type == Type::choice) {
      const std::string errors = errors_of(with_value(key, "such_a_word"));
      CHECK(errors.find(fmt::format("'{}' must be {}, not 'such_a_word'", spec::name_of(key),
                                    spec::choices_text(key))) != std::string::npos);
    }
    if ((key.type != Type::integer && key.type != Type::size) || key.least == key.most) continue;
    ++bounded;
    for (const std::uint64_t good : {key.least, key.most})
      CHECK(errors_of(with_value(key, std::to_string(good))) == "");
    for (const std::uint64_t bad : {key.least - 1, key.most + 1})
      CHECK(errors_of(with_value(key, std::to_string(bad))).find("is not between") != std::string::npos);
  }
  CHECK(bounded >= 4);
}

TEST_CASE("An empty section is as good as none") {
  for (const Key& key : spec::kKeys) {
    if (key.type != Type::section && key.type != Type::names) continue;
    // Those that must hold something.
    if (key.required || key.path == "accounts.*" || key.path == "network.private") continue;
    INFO(key.path);
    CHECK(errors_of(with_value(key, "")) == "");
    CHECK(errors_of(with_value(key, "{}")) == "");
  }
}

TEST_CASE("A key is found by its path and by parts of it") {
  const auto paths = [](std::string_view word) {
    std::string all;
    for (const Key* key : spec::find_keys(word)) all += fmt::format("{} ", key->path);
    return all;
  };
  CHECK(paths("domains.*.dkim.selector") == "domains.*.dkim.selector ");
  CHECK(paths("domains.dkim.selector") == "domains.*.dkim.selector ");
  CHECK(paths("domains.example.org.dkim.selector") == "domains.*.dkim.selector ");
  CHECK(paths("dkim.selector") == "domains.*.dkim.selector ");
  CHECK(paths("quota") == "accounts.*.quota ");
  CHECK(paths("card") == "network.card network.private.card ");
  CHECK(paths("domains") == "domains ");
  CHECK(paths("accounts.alice@example.org") == "accounts.* ");
  CHECK(paths("qouta") == "");
  CHECK(paths("") == "");
}
