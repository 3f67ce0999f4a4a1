// SPDX-License-Identifier: GPL-3.0-or-later
// The sections about mail: domains, accounts, aliases, forwards.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "base/interrupt.hpp"
#include "spec/formats.hpp"
#include "spec/reading.hpp"

namespace mailstead::spec {
namespace {

using yaml::MapReader;
using yaml::quote;
using yaml::Value;

/// Beyond what one machine serves; a file could hold enough of them to take seconds and half a gigabyte.
constexpr std::size_t kMostDomains = 10'000;
constexpr std::size_t kMostAccounts = 50'000;
constexpr std::uint64_t kLeastQuota = 1ull << 20;
constexpr std::uint64_t kMostQuota = 1ull << 50;
constexpr const char* kSendOnlyText = "This address only sends mail; nobody reads replies to it";

std::string algorithm_name(DkimAlgorithm algorithm) {
  return algorithm == DkimAlgorithm::rsa2048 ? "rsa2048" : "ed25519";
}

DkimKey dkim_key(const Site& site, const Domain& domain, const std::string& selector,
                 DkimAlgorithm algorithm) {
  const std::string full = selector + "-" + algorithm_name(algorithm);
  return {full, algorithm, site.folder / "secrets" / "dkim" / domain.name / (full + ".pem")};
}

std::vector<DkimAlgorithm> read_algorithms(Reading& reading, const Value& list) {
  std::vector<DkimAlgorithm> algorithms;
  const auto items = list.as_list(reading.problems, "algorithms: [rsa2048, ed25519]");
  if (!list.is_map() && items.empty()) reading.problems.add(list.error("the list of algorithms is empty"));
  for (const Value& item : items) {
    const auto name = item.as_string(reading.problems);
    if (!name) continue;
    if (*name != "rsa2048" && *name != "ed25519") {
      reading.problems.add([&] {
        return item.error(fmt::format("unknown algorithm {}{}", quote(*name),
                                      yaml::did_you_mean(*name, {"rsa2048", "ed25519"})),
                          "use rsa2048 and ed25519");
      });
      continue;
    }
    const auto algorithm = *name == "rsa2048" ? DkimAlgorithm::rsa2048 : DkimAlgorithm::ed25519;
    if (std::find(algorithms.begin(), algorithms.end(), algorithm) != algorithms.end()) {
      reading.problems.add(
          [&] { return item.error(fmt::format("the algorithm '{}' is listed twice", *name)); });
      continue;
    }
    algorithms.push_back(algorithm);
  }
  return algorithms;
}

/// One selector with its algorithms: a pair of keys for each.
void read_dkim(Reading& reading, const Value& value, Domain& domain, std::set<std::string>& selectors) {
  MapReader map(value, reading.problems, "dkim: {selector: s1}");
  const auto named = map.take("selector");
  const auto listed = map.take("algorithms");
  map.finish();
  std::optional<std::string> selector = "s1";
  if (named) {
    const auto text = named->as_string(reading.problems);
    selector = text ? reading.accept(parse_selector(*text), *named) : std::nullopt;
  }
  std::vector<DkimAlgorithm> algorithms{DkimAlgorithm::rsa2048, DkimAlgorithm::ed25519};
  if (listed) algorithms = read_algorithms(reading, *listed);
  if (!selector || !value.is_map()) return;
  // The name in DNS is "<selector>-ed25519._domainkey.<domain>".
  if (selector->size() + domain.name.size() + sizeof("-ed25519._domainkey.") - 1 > 253) {
    reading.problems.add(
        named.value_or(value).error("selector and domain together are too long for a name in DNS"));
    return;
  }
  for (const DkimAlgorithm algorithm : algorithms) {
    DkimKey key = dkim_key(reading.site, domain, *selector, algorithm);
    if (!selectors.insert(key.selector).second) {
      reading.problems.add(
          named.value_or(value).error(fmt::format("the selector '{}' is listed twice", key.selector),
                                      "each key pair needs a name of its own"));
      continue;
    }
    domain.dkim.push_back(std::move(key));
  }
}

void read_dmarc(Reading& reading, const Value& value, Domain& domain, std::optional<Mention>& reports) {
  MapReader map(value, reading.problems, "dmarc: {policy: quarantine}");
  const auto policy = map.take("policy");
  const auto address = map.take("reports");
  map.finish();
  const auto name = policy ? policy->as_string(reading.problems) : std::nullopt;
  if (name == "none") {
    domain.dmarc_policy = DmarcPolicy::none;
  } else if (name == "quarantine") {
    domain.dmarc_policy = DmarcPolicy::quarantine;
  } else if (name == "reject") {
    domain.dmarc_policy = DmarcPolicy::reject;
  } else if (name) {
    reading.problems.add(
        policy->error(fmt::format("unknown policy {}{}", quote(*name),
                                  yaml::did_you_mean(*name, {"none", "quarantine", "reject"})),
                      "use none, quarantine or reject"));
  }
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
  std::optional<Value> dkim;
  if (!entry.value.is_null()) {
    const std::string example = read.domain.unicode + ": {dmarc: {policy: quarantine}}";
    MapReader map(entry.value, reading.problems, example);
    dkim = map.take("dkim");
    if (const auto dmarc = map.take("dmarc")) read_dmarc(reading, *dmarc, read.domain, read.reports);
    if (const auto catch_all = map.take("catch_all")) read.catch_all = reading.address(*catch_all);
    map.finish();
  }
  if (!dkim || dkim->is_null()) {
    for (const DkimAlgorithm algorithm : {DkimAlgorithm::rsa2048, DkimAlgorithm::ed25519}) {
      read.domain.dkim.push_back(dkim_key(reading.site, read.domain, "s1", algorithm));
    }
  } else if (dkim->is_list()) {
    const auto items = dkim->as_list(reading.problems);
    if (items.empty()) reading.problems.add(dkim->error("the list of DKIM selectors is empty"));
    for (const Value& item : items) read_dkim(reading, item, read.domain, selectors);
  } else {
    read_dkim(reading, *dkim, read.domain, selectors);
  }
  return read;
}

void read_send_only(Reading& reading, const Value& value, Account& account) {
  if (value.is_scalar() && (value.text() == "true" || value.text() == "false")) {
    account.send_only = value.text() == "true";
    if (account.send_only) account.send_only_text = kSendOnlyText;
    return;
  }
  const auto text = value.as_string(reading.problems);
  if (!text) return;
  // Other spellings of booleans (YAML 1.1) and lone words would switch it on with a text that nobody meant.
  if (text->find(' ') == std::string::npos) {
    reading.problems.add(
        value.error(fmt::format("{} is no text that a sender could understand", quote(*text)),
                    "write true, false, or a sentence for those who write to the address"));
    return;
  }
  // It becomes part of an SMTP reply: one line of ASCII (RFC 5321 section 4.2, 4.5.3.1.5).
  const bool printable = std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (text->empty() || text->size() > 200 || !printable) {
    reading.problems.add(
        value.error("the text of 'send_only' is not one line of at most 200 ASCII characters"));
    return;
  }
  account.send_only = true;
  account.send_only_text = *text;
}

void read_password(Reading& reading, const MapReader::Entry& entry, const std::optional<Value>& hash,
                   const std::optional<Value>& file, Account& account) {
  if (hash && file) {
    reading.problems.add(file->error("both 'password_hash' and 'password_hash_file'", "keep one of the two"));
  } else if (hash) {
    const auto text = hash->as_string(reading.problems);
    account.password_hash =
        (text ? reading.accept(parse_password_hash(*text), *hash) : std::nullopt).value_or("");
  } else if (file) {
    auto text = reading.named_file(*file, 4096, Reading::FileKind::secret);
    if (!text) return;
    reading.note_file(*file, *text);
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    account.password_hash = reading.accept(parse_password_hash(*text), *file).value_or("");
  } else {
    reading.problems.add([&] {
      return entry.key.error(fmt::format("the account {} has no 'password_hash'", quote(entry.key.text())),
                             "make one with 'mailstead passwd'");
    });
  }
}

std::string account_example(std::string_view address) {
  return fmt::format("{}: {{password_hash: \"$y$…\"}}", address);
}

/// A text where the keys of an account belong is most likely a password: it is not shown.
Error not_an_account(const MapReader::Entry& entry) {
  static constexpr std::array<std::string_view, 7> kKeys{
      "password_hash", "password_hash_file", "aliases", "quota", "send_only", "sieve", "sieve_file"};
  const std::string_view text = entry.value.text();
  const std::string_view key = text.substr(0, text.find(':'));
  if (key.size() < text.size() && std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end())
    return entry.value.error(fmt::format("there is no space after the colon of '{}'", key),
                             fmt::format("write '{}: ' in front of the value", key));
  return entry.value.error(fmt::format("{} takes keys of its own, not text", quote(entry.key.text())),
                           fmt::format("write {}", account_example(entry.key.text())));
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

void read_domains(Reading& reading, const Value& value) {
  MapReader map(value, reading.problems, "domains: {example.org: {}}");
  std::vector<ReadDomain> domains;
  std::map<std::string, Value> seen;
  const auto entries = map.take_all();
  if (value.is_map() && entries.empty()) reading.problems.add(value.error("the site has no domain"));
  if (entries.size() > kMostDomains) {
    reading.problems.add(
        entries[kMostDomains].key.error(fmt::format("the site has more than {} domains", kMostDomains)));
    return;
  }
  for (const MapReader::Entry& entry : entries) {
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

void read_accounts(Reading& reading, const Value& value) {
  MapReader map(value, reading.problems, "accounts: {alice@example.org: {password_hash: \"$y$…\"}}");
  auto entries = map.take_all();
  if (entries.size() > kMostAccounts) {
    reading.problems.add(
        entries[kMostAccounts].key.error(fmt::format("the site has more than {} accounts", kMostAccounts)));
    entries.erase(entries.begin() + kMostAccounts, entries.end());
  }
  for (const MapReader::Entry& entry : entries) {
    if (interrupted()) return;
    const auto mention = reading.own_address(entry.key);
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
    if (entry.value.is_null()) {
      read_password(reading, entry, {}, {}, account);
      if (mention) {
        account.address = mention->address;
        reading.routes.accounts.push_back(std::move(owner));
      }
      continue;
    }
    MapReader fields(entry.value, reading.problems, account_example(entry.key.text()));
    const auto hash = fields.take("password_hash");
    const auto hash_file = fields.take("password_hash_file");
    if (entry.value.is_map()) read_password(reading, entry, hash, hash_file, account);
    if (const auto aliases = fields.take("aliases")) {
      for (const Value& item : aliases->as_list(reading.problems, "aliases: [postmaster@example.org]")) {
        if (auto alias = reading.own_address(item)) owner.aliases.push_back(*std::move(alias));
      }
    }
    if (const auto quota = fields.take("quota")) {
      const auto text = quota->as_string(reading.problems);
      account.quota_bytes = text ? reading.accept(parse_size(*text), *quota) : std::nullopt;
      if (account.quota_bytes && (*account.quota_bytes < kLeastQuota || *account.quota_bytes > kMostQuota)) {
        reading.problems.add(
            quota->error(fmt::format("the quota {} is not between 1M and 1024T", quote(*text))));
      }
    }
    if (const auto send_only = fields.take("send_only")) read_send_only(reading, *send_only, account);
    const auto sieve = fields.take("sieve");
    const auto sieve_file = fields.take("sieve_file");
    if (sieve && sieve_file) {
      reading.problems.add(sieve_file->error("both 'sieve' and 'sieve_file'", "keep one of the two"));
    } else if (sieve) {
      const auto text = sieve->as_string(reading.problems);
      account.sieve = text ? reading.accept(parse_sieve(*text), *sieve) : std::nullopt;
      account.sieve_place = sieve->place();
    } else if (sieve_file) {
      auto text = reading.named_file(*sieve_file, 1u << 20, Reading::FileKind::shown);
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

void read_shared(Reading& reading, const Value& value, const char* example,
                 std::vector<Routes::Shared>& into) {
  MapReader map(value, reading.problems, example);
  for (const MapReader::Entry& entry : map.take_all()) {
    if (interrupted()) return;
    auto name = reading.own_address(entry.key);
    auto targets = reading.addresses(entry.value);
    if (name) into.push_back({*std::move(name), std::move(targets)});
  }
}

}  // namespace mailstead::spec
