// SPDX-License-Identifier: GPL-3.0-or-later
// The sections about mail: domains, accounts, aliases, forwards.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "base/interrupt.hpp"
#include "base/program.hpp"
#include "spec/formats.hpp"
#include "spec/reading.hpp"

namespace mailstead::spec {
namespace {

using yaml::MapReader;
using yaml::quote;
using yaml::Value;

constexpr const char* kSendOnlyText = "This address only sends mail; nobody reads replies to it";

std::string_view algorithm_name(DkimAlgorithm algorithm) {
  return kDkimAlgorithms[static_cast<std::size_t>(algorithm)];
}

DkimKey dkim_key(const Site& site, const Domain& domain, const std::string& selector,
                 DkimAlgorithm algorithm) {
  const std::string full = fmt::format("{}-{}", selector, algorithm_name(algorithm));
  return {full, algorithm, site.folder / kSecrets / "dkim" / domain.name / (full + ".pem")};
}

std::vector<DkimAlgorithm> read_algorithms(Reading& reading, const Field& list) {
  std::vector<DkimAlgorithm> algorithms;
  for (const Value& item : reading.items(list)) {
    const auto number = reading.choice(*list.key, item);
    if (!number) continue;
    const auto algorithm = static_cast<DkimAlgorithm>(*number);
    if (std::find(algorithms.begin(), algorithms.end(), algorithm) != algorithms.end()) {
      reading.problems.add([&] {
        return item.error(fmt::format("the algorithm '{}' is listed twice", algorithm_name(algorithm)));
      });
      continue;
    }
    algorithms.push_back(algorithm);
  }
  return algorithms;
}

/// One selector with its algorithms: a pair of keys for each. Errors are at `otherwise` if no selector is
/// written.
void read_dkim(Reading& reading, const Value& value, const Value& otherwise, Domain& domain,
               std::set<std::string>& selectors) {
  Section section(reading, key("domains.*.dkim"), value);
  const Field named = section.get(key("domains.*.dkim.selector"));
  const Field listed = section.get(key("domains.*.dkim.algorithms"));
  section.finish();
  const Value& place = named.written ? named : otherwise;
  const auto text = named.as_string(reading.problems);
  const auto selector = text ? reading.accept(parse_selector(*text), named) : std::nullopt;
  const std::vector<DkimAlgorithm> algorithms = read_algorithms(reading, listed);
  if (!selector || !(value.is_map() || value.is_null())) return;
  // The name in DNS is "<selector>-ed25519._domainkey.<domain>".
  if (selector->size() + domain.name.size() + sizeof("-ed25519._domainkey.") - 1 > 253) {
    reading.problems.add(place.error("selector and domain together are too long for a name in DNS"));
    return;
  }
  for (const DkimAlgorithm algorithm : algorithms) {
    DkimKey pair = dkim_key(reading.site, domain, *selector, algorithm);
    if (!selectors.insert(pair.selector).second) {
      reading.problems.add(place.error(fmt::format("the selector '{}' is listed twice", pair.selector),
                                       "each key pair needs a name of its own"));
      continue;
    }
    domain.dkim.push_back(std::move(pair));
  }
}

void read_dmarc(Reading& reading, const Field& value, Domain& domain, std::optional<Mention>& reports) {
  Section section(reading, *value.key, value);
  const Field policy = section.get(key("domains.*.dmarc.policy"));
  const auto address = section.take(key("domains.*.dmarc.reports"));
  section.finish();
  if (const auto number = reading.choice(*policy.key, policy))
    domain.dmarc_policy = static_cast<DmarcPolicy>(*number);
  if (address) reports = reading.address(*address);
}

struct ReadDomain {
  Domain domain;
  Value key;
  std::optional<Mention> catch_all;
  std::optional<Mention> reports;
};

ReadDomain read_domain(Reading& reading, DomainName name, const MapReader::Entry& entry) {
  ReadDomain read{{}, entry.key, {}, {}};
  read.domain.name = std::move(name.ascii);
  read.domain.unicode = std::move(name.unicode);
  std::set<std::string> selectors;
  Section section(reading, key("domains.*"), entry.value, read.domain.unicode);
  read_dmarc(reading, section.get(key("domains.*.dmarc")), read.domain, read.reports);
  if (const auto catch_all = section.take(key("domains.*.catch_all")))
    read.catch_all = reading.address(*catch_all);
  const Field dkim = section.get(key("domains.*.dkim"));
  for (const Value& item : reading.items(dkim))
    read_dkim(reading, item, dkim.written ? item : entry.key, read.domain, selectors);
  section.finish();
  return read;
}

void read_send_only(Reading& reading, const Field& value, Account& account) {
  if (value.is_scalar() && (value.text() == "true" || value.text() == "false")) {
    account.send_only = value.text() == "true";
    if (account.send_only) account.send_only_text = kSendOnlyText;
    return;
  }
  const auto text = value.as_string(reading.problems);
  if (!text) return;
  // Other spellings of booleans (YAML 1.1) and lone words would switch it on with a text that nobody meant.
  if (text->find(' ') == std::string::npos) {
    reading.problems.add(value.error(fmt::format("{} is not a sentence", quote(*text)),
                                     "write true, false, or a sentence for those who write to the address"));
    return;
  }
  // It becomes part of an SMTP reply: one line of ASCII (RFC 5321 section 4.2, 4.5.3.1.5).
  const bool printable = std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (text->empty() || text->size() > value.key->most || !printable) {
    reading.problems.add(value.error(
        fmt::format("the text of 'send_only' must be one line of ASCII, {}", bounds_text(*value.key))));
    return;
  }
  account.send_only = true;
  account.send_only_text = *text;
}

void read_password(Reading& reading, const MapReader::Entry& entry, const std::optional<Field>& hash,
                   const std::optional<Field>& file, Account& account) {
  if (hash && file) {
    reading.problems.add(file->error("both 'password_hash' and 'password_hash_file'", "keep one of the two"));
  } else if (hash) {
    const auto text = hash->as_string(reading.problems);
    account.password_hash =
        (text ? reading.accept(parse_password_hash(*text), *hash) : std::nullopt).value_or("");
  } else if (file) {
    auto text = reading.named_file(*file, Reading::FileKind::secret);
    if (!text) return;
    reading.note_file(*file, *text);
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    account.password_hash = reading.accept(parse_password_hash(*text), *file).value_or("");
  } else {
    reading.problems.add([&] {
      return entry.key.error(fmt::format("the account {} has no 'password_hash'", quote(entry.key.text())),
                             fmt::format("make one with `{}`", own_command({"passwd"})));
    });
  }
}

/// A text where the keys of an account belong is most likely a password: it is not shown.
Error not_an_account(const MapReader::Entry& entry) {
  const std::string_view text = entry.value.text();
  const std::string_view word = text.substr(0, text.find(':'));
  const auto known = keys_in("accounts.*");
  if (word.size() < text.size() &&
      std::ranges::any_of(known, [&](const Key* one) { return name_of(*one) == word; }))
    return entry.value.error(fmt::format("there is no space after the colon of '{}'", word),
                             fmt::format("write '{}: ' in front of the value", word));
  return entry.value.error(fmt::format("{} takes keys of its own, not text", quote(entry.key.text())),
                           fmt::format("write {}: {}", entry.key.text(), key("accounts.*").example));
}

/// An account's name becomes that of folders and files, in settings that give other characters a meaning of
/// their own.
void check_account_name(Reading& reading, const Mention& mention) {
  const std::string& local = mention.address.local;
  const std::string& delimiter = reading.site.recipient_delimiter;
  const auto bad = std::find_if(local.begin(), local.end(), [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
             c == '+' || c == '=');
  });
  if (!delimiter.empty() && local.find(delimiter) != std::string::npos) {
    reading.problems.add(mention.value.error(
        fmt::format("the account {} holds the recipient delimiter '{}'", quote(mention.address.text()),
                    delimiter),
        fmt::format("'{}' and what follows is dropped when mail is delivered; use another name", delimiter)));
  } else if (bad != local.end() || local.find_first_of("+=") != std::string::npos) {
    const char c = bad != local.end() ? *bad : local[local.find_first_of("+=")];
    reading.problems.add(
        mention.value.error(fmt::format("the account {} holds the character '{}', which no account can hold",
                                        quote(mention.address.text()), c),
                            "use letters, digits, '.', '_' and '-', and make the other name an alias"));
  }
}

}  // namespace

void read_domains(Reading& reading, const Field& value) {
  Section section(reading, *value.key, value);
  std::vector<ReadDomain> domains;
  std::map<std::string, Value> seen;
  for (const MapReader::Entry& entry : section.take_names()) {
    if (interrupted()) return;
    auto name = reading.accept(parse_domain(entry.key.text()), entry.key);
    reading.lacks_domain |= !name;
    if (!name) continue;
    if (const auto [it, fresh] = seen.emplace(name->ascii, entry.key); !fresh) {
      reading.problems.add(entry.key.error(fmt::format("the domain {} is the same as the one in line {}",
                                                       quote(entry.key.text()), it->second.place().line)));
      continue;
    }
    domains.push_back(read_domain(reading, *std::move(name), entry));
  }
  std::sort(domains.begin(), domains.end(),
            [](const ReadDomain& a, const ReadDomain& b) { return a.domain.name < b.domain.name; });
  for (ReadDomain& read : domains) {
    const std::size_t number = reading.site.domains.size();
    if (read.catch_all) reading.routes.catch_alls.push_back({number, *std::move(read.catch_all)});
    if (read.reports) reading.routes.dmarc_reports.push_back({number, *std::move(read.reports)});
    reading.routes.domain_keys.push_back(read.key);
    reading.site.domains.push_back(std::move(read.domain));
  }
}

void read_accounts(Reading& reading, const Field& value) {
  Section section(reading, *value.key, value);
  reading.lacks_name |= !value.is_map();
  for (const MapReader::Entry& entry : section.take_names()) {
    if (interrupted()) return;
    const auto mention = reading.own_address(entry.key);
    if (!mention) reading.miss_name(entry.key);
    if (mention) check_account_name(reading, *mention);
    if (entry.value.is_scalar()) {
      // Most likely a password.
      reading.problems.add([&] { return not_an_account(entry); });
      if (mention) {
        reading.routes.accounts.push_back({{}, entry.key, {}});
        reading.routes.accounts.back().account.address = mention->address;
      }
      continue;
    }
    Routes::Owner owner{{}, entry.key, {}};
    Account& account = owner.account;
    Section fields(reading, key("accounts.*"), entry.value, entry.key.text());
    const auto hash = fields.take(key("accounts.*.password_hash"));
    const auto hash_file = fields.take(key("accounts.*.password_hash_file"));
    if (!entry.value.is_list()) read_password(reading, entry, hash, hash_file, account);
    if (const auto aliases = fields.take(key("accounts.*.aliases"))) {
      reading.lacks_name |= aliases->is_map();
      for (const Value& item : reading.items(*aliases)) {
        auto alias = reading.own_address(item);
        if (!alias) reading.miss_name(item);
        if (alias) owner.aliases.push_back(*std::move(alias));
      }
    }
    if (const auto quota = fields.take(key("accounts.*.quota"))) account.quota_bytes = reading.size(*quota);
    read_send_only(reading, fields.get(key("accounts.*.send_only")), account);
    const auto sieve = fields.take(key("accounts.*.sieve"));
    const auto sieve_file = fields.take(key("accounts.*.sieve_file"));
    if (sieve && sieve_file) {
      reading.problems.add(sieve_file->error("both 'sieve' and 'sieve_file'", "keep one of the two"));
    } else if (sieve) {
      const auto text = sieve->as_string(reading.problems);
      account.sieve = text ? reading.accept(parse_sieve(*text), *sieve) : std::nullopt;
      account.sieve_place = sieve->place();
    } else if (sieve_file) {
      auto text = reading.named_file(*sieve_file, Reading::FileKind::shown);
      if (text) reading.note_file(*sieve_file, *text);
      account.sieve = text ? reading.accept(parse_sieve(*std::move(text)), *sieve_file) : std::nullopt;
      account.sieve_place = sieve_file->place();
      account.sieve_file = sieve_file->text();
    }
    fields.finish();
    if (!mention) continue;
    account.address = mention->address;
    reading.routes.accounts.push_back(std::move(owner));
  }
}

void read_shared(Reading& reading, const Field& value, const Key& entry_key,
                 std::vector<Routes::Shared>& into) {
  Section section(reading, *value.key, value);
  reading.lacks_name |= !value.is_map() && !value.is_null();
  for (const MapReader::Entry& entry : section.take_names()) {
    if (interrupted()) return;
    auto name = reading.own_address(entry.key);
    auto targets = reading.addresses(Field{entry.value, &entry_key, true});
    if (!name) reading.miss_name(entry.key);
    if (name) into.push_back({*std::move(name), std::move(targets)});
  }
}

}  // namespace mailstead::spec
