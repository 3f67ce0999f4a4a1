// SPDX-License-Identifier: GPL-3.0-or-later
// What needs the whole file: who owns which address, and where each address leads.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/interrupt.hpp"
#include "spec/reading.hpp"
#include "spec/redirects.hpp"

namespace mailstead::spec {
namespace {

using yaml::quote;
using yaml::Value;

/// Nesting beyond this is a mistake, or meant to exhaust us.
constexpr unsigned kMostAliasLevels = 16;
/// All shared aliases together: a chain of aliases that each add an account would grow with the square of its
/// length.
constexpr std::size_t kMostRecipients = 1'000'000;

/// Large providers that hold the SPF of the sender against whoever delivers.
bool is_freemailer(std::string_view domain) {
  static constexpr std::array<std::string_view, 33> kDomains{
      "126.com",     "163.com",        "aol.com",     "freenet.de", "gmail.com",      "gmx.at",
      "gmx.ch",      "gmx.com",        "gmx.de",      "gmx.net",    "googlemail.com", "hotmail.co.uk",
      "hotmail.com", "hotmail.de",     "hotmail.fr",  "icloud.com", "live.com",       "mac.com",
      "mail.ru",     "me.com",         "msn.com",     "orange.fr",  "outlook.com",    "outlook.de",
      "qq.com",      "rocketmail.com", "t-online.de", "web.de",     "yahoo.co.uk",    "yahoo.com",
      "yahoo.de",    "yandex.ru",      "ymail.com"};
  return std::binary_search(kDomains.begin(), kDomains.end(), domain);
}

/// What an address of the site is.
struct Claim {
  enum class Kind { account, account_alias, shared, forward };
  Kind kind;
  std::size_t index;  ///< in Routes: the account, the alias or the forward
  Value value;        ///< where
};

class Resolver {
 public:
  explicit Resolver(Reading& reading) : reading_(reading), routes_(reading.routes) {}

  void run() {
    for (const auto stage : {&Resolver::claim_all, &Resolver::check_accounts, &Resolver::resolve_aliases,
                             &Resolver::resolve_forwards, &Resolver::check_domains, &Resolver::warn}) {
      if (interrupted()) return;
      (this->*stage)();
    }
    complete_site();
  }

 private:
  void add(const Value& value, std::string message, std::string hint = {}) {
    reading_.problems.add([&] { return value.error(std::move(message), std::move(hint)); });
  }

  std::string describe(const Claim& claim) const {
    switch (claim.kind) {
      case Claim::Kind::account:
        return "an account";
      case Claim::Kind::account_alias:
        return fmt::format("an alias of {}", quote(routes_.accounts[claim.index].account.address.text()));
      case Claim::Kind::shared:
        return "an alias";
      case Claim::Kind::forward:
        return "a forward";
    }
    return {};
  }

  const Claim* find(const Address& address) const {
    const auto at = claims_.find(address);
    return at == claims_.end() ? nullptr : &at->second;
  }

  /// How an address that is `known` can be what `wanted` asks for, too.
  std::string remedy(const Claim& known, Claim::Kind wanted) const {
    if (wanted == Claim::Kind::forward && known.kind == Claim::Kind::shared)
      return "move the whole list to 'forwards', which may name accounts of this site";
    if (wanted == Claim::Kind::forward && known.kind == Claim::Kind::account_alias)
      return fmt::format("take it out of those 'aliases', and name {} in the list of the forward",
                         routes_.accounts[known.index].account.address.text());
    return known.kind == Claim::Kind::shared ? "put all who get its mail into one list" : "";
  }

  bool claim(const Address& address, const Value& value, Claim::Kind kind, std::size_t index) {
    const auto [at, fresh] = claims_.emplace(address, Claim{kind, index, value});
    if (fresh) return true;
    const std::string what = describe(at->second);
    add(value,
        fmt::format("the address {} is already {} (line {})", quote(address.text()), what,
                    at->second.value.place().line),
        remedy(at->second, kind));
    return false;
  }

  void claim_all() {
    for (std::size_t i = 0; i < routes_.accounts.size(); ++i) {
      claim(routes_.accounts[i].account.address, routes_.accounts[i].key, Claim::Kind::account, i);
    }
    for (std::size_t i = 0; i < routes_.accounts.size(); ++i) {
      for (const Mention& alias : routes_.accounts[i].aliases) {
        if (claim(alias.address, alias.value, Claim::Kind::account_alias, i)) {
          routes_.accounts[i].account.aliases.push_back(alias.address);
        }
      }
    }
    for (std::size_t i = 0; i < routes_.aliases.size(); ++i) {
      claim(routes_.aliases[i].name.address, routes_.aliases[i].name.value, Claim::Kind::shared, i);
    }
    for (std::size_t i = 0; i < routes_.forwards.size(); ++i) {
      const Mention& name = routes_.forwards[i].name;
      // A forward from an account's own address keeps a local copy; that is no conflict.
      const Claim* known = find(name.address);
      if (known != nullptr && known->kind == Claim::Kind::account) {
        if (!account_forwards_.emplace(known->index, i).second) {
          add(name.value, fmt::format("the address {} is already a forward", quote(name.address.text())));
        } else if (routes_.accounts[known->index].account.send_only) {
          add(name.value, fmt::format("the account {} only sends, so it has nothing to forward",
                                      quote(name.address.text())));
        }
        continue;
      }
      claim(name.address, name.value, Claim::Kind::forward, i);
    }
  }

  void check_accounts() {
    for (const Routes::Owner& owner : routes_.accounts) {
      if (!owner.account.send_only || owner.aliases.empty()) continue;
      add(owner.aliases.front().value,
          fmt::format("the account {} only sends, so it can have no aliases",
                      quote(owner.account.address.text())),
          "leave out 'send_only' or the aliases");
    }
  }

  /// The account that mail to a target goes to, or an error at its place.
  const Account* account_of(const Mention& target, const Claim& claim) {
    const Account& account = routes_.accounts[claim.index].account;
    if (!account.send_only) return &account;
    add(target.value,
        fmt::format("the account {} only sends, so mail cannot go to it", quote(account.address.text())));
    return nullptr;
  }

  void report_missing(const Mention& target) {
    if (reading_.missing_look_alikes.contains(target.address.text())) return;
    const auto known = [this] {
      std::vector<std::string> addresses;
      addresses.reserve(claims_.size());
      for (const auto& [address, claim] : claims_) addresses.push_back(address.text());
      return addresses;
    };
    reading_.problems.add([&] {
      return target.value.error(fmt::format("the address {} does not exist{}", quote(target.address.text()),
                                            reading_.suggestion(target.address.text(), known)),
                                "it must be an account, an alias or a forward");
    });
  }

  enum class State { fresh, open, done, failed };
  struct Resolved {
    State state = State::fresh;
    unsigned levels = 0;
    std::vector<Address> accounts;  ///< sorted, each once
  };

  void resolve_aliases() {
    resolved_.resize(routes_.aliases.size());
    for (std::size_t i = 0; i < routes_.aliases.size(); ++i) resolve_alias(i, 1);
    for (std::size_t i = 0; i < routes_.aliases.size(); ++i) {
      reading_.site.aliases.emplace(routes_.aliases[i].name.address, std::move(resolved_[i].accounts));
    }
  }

  void resolve_alias(std::size_t index, unsigned depth) {
    if (resolved_[index].state != State::fresh) return;
    resolved_[index].state = State::open;
    std::vector<Address> accounts;
    unsigned levels = 1;
    bool failed = false;
    std::set<Address> seen;
    for (const Mention& target : routes_.aliases[index].targets) {
      if (!seen.insert(target.address).second) {
        add(target.value, fmt::format("the address {} is listed twice", quote(target.address.text())));
        continue;
      }
      failed |= !resolve_target(index, target, depth, accounts, levels);
      if (recipients_ > kMostRecipients) break;
    }
    std::sort(accounts.begin(), accounts.end());
    accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
    Resolved& resolved = resolved_[index];
    resolved.accounts = std::move(accounts);
    resolved.levels = levels;
    resolved.state = failed ? State::failed : State::done;
  }

  /// Adds the accounts that a target of alias `index` stands for. False if there is an error in it or below
  /// it.
  bool resolve_target(std::size_t index, const Mention& target, unsigned depth,
                      std::vector<Address>& accounts, unsigned& levels) {
    const Claim* claim = find(target.address);
    if (claim == nullptr) {
      if (reading_.is_own_domain(target.address.domain)) {
        report_missing(target);
      } else if (!reading_.lacks_domain) {
        add(target.value, fmt::format("the address {} is at another server", quote(target.address.text())),
            "aliases lead to accounts; pass mail on with 'forwards'");
      }
      return false;
    }
    if (claim->kind == Claim::Kind::forward) {
      add(target.value, fmt::format("the address {} is a forward", quote(target.address.text())),
          "aliases lead to accounts; add the alias's name to 'forwards' instead");
      return false;
    }
    if (claim->kind != Claim::Kind::shared) {
      const Account* account = account_of(target, *claim);
      if (account == nullptr) return false;
      accounts.push_back(account->address);
      return count(target, 1);
    }
    const std::size_t next = claim->index;
    if (resolved_[next].state == State::open) {
      add(target.value,
          next == index ? fmt::format("the alias {} leads to itself", quote(target.address.text()))
                        : fmt::format("alias loop: {} leads back to itself", quote(target.address.text())));
      return false;
    }
    if (depth >= kMostAliasLevels) return too_deep(target);
    resolve_alias(next, depth + 1);
    if (resolved_[next].state == State::failed) return false;
    if (resolved_[next].levels >= kMostAliasLevels) return too_deep(target);
    levels = std::max(levels, resolved_[next].levels + 1);
    if (!count(target, resolved_[next].accounts.size())) return false;
    accounts.insert(accounts.end(), resolved_[next].accounts.begin(), resolved_[next].accounts.end());
    return true;
  }

  bool too_deep(const Mention& target) {
    add(target.value, fmt::format("aliases within aliases are more than {} deep", kMostAliasLevels));
    return false;
  }

  bool count(const Mention& target, std::size_t more) {
    const bool before = recipients_ <= kMostRecipients;
    recipients_ += more;
    if (recipients_ <= kMostRecipients) return true;
    if (before)
      add(target.value, fmt::format("all aliases together lead to more than {} accounts", kMostRecipients));
    return false;
  }

  void resolve_forwards() {
    forward_states_.resize(routes_.forwards.size() + routes_.aliases.size());
    for (std::size_t i = 0; i < routes_.forwards.size(); ++i) {
      const Routes::Shared& forward = routes_.forwards[i];
      std::vector<Address>& targets = reading_.site.forwards[forward.name.address];
      std::set<Address> seen;
      for (const Mention& target : forward.targets) {
        if (!seen.insert(target.address).second) {
          add(target.value, fmt::format("the address {} is listed twice", quote(target.address.text())));
        } else if (target.address == forward.name.address) {
          add(target.value, fmt::format("the forward {} leads to itself", quote(target.address.text())),
              "the account keeps a copy of what it forwards in any case");
        } else if (check_forward_target(target)) {
          targets.push_back(target.address);
        }
      }
    }
    for (std::size_t i = 0; i < routes_.forwards.size(); ++i) find_circle(i);
  }

  bool check_forward_target(const Mention& target) {
    if (const Claim* claim = find(target.address)) {
      const bool account = claim->kind == Claim::Kind::account || claim->kind == Claim::Kind::account_alias;
      return !account || account_of(target, *claim) != nullptr;
    }
    if (refuse_machine(target)) return false;
    if (!reading_.is_own_domain(target.address.domain)) return true;
    report_missing(target);
    return false;
  }

  /// Mail to the machine itself goes to a postmaster of the site: named by this detour, it could be a circle.
  bool refuse_machine(const Mention& target) {
    if (target.address.domain != reading_.site.hostname || reading_.is_own_domain(target.address.domain))
      return false;
    add(target.value, fmt::format("the address {} is of the machine itself", quote(target.address.text())),
        "its mail goes to a postmaster of this site; name an address of a domain");
    return true;
  }

  /// The forward that mail to an address of the site sets off, if any. An account's alias sets off the
  /// account's.
  std::optional<std::size_t> forward_of(const Address& address) const {
    const Claim* claim = find(address);
    if (claim == nullptr) return std::nullopt;
    if (claim->kind == Claim::Kind::forward) return claim->index;
    if (claim->kind == Claim::Kind::shared) return std::nullopt;
    const auto at = account_forwards_.find(claim->index);
    return at == account_forwards_.end() ? std::nullopt : std::optional(at->second);
  }

  // The graph for circles: forwards come first, then shared aliases, each with its edges numbered.
  std::size_t edges(std::size_t node) const {
    const std::size_t forwards = routes_.forwards.size();
    return node < forwards ? routes_.forwards[node].targets.size() : alias_accounts(node).size();
  }
  std::optional<std::size_t> edge(std::size_t node, std::size_t number) const {
    const std::size_t forwards = routes_.forwards.size();
    if (node >= forwards) return forward_of(alias_accounts(node)[number]);
    const Address& target = routes_.forwards[node].targets[number].address;
    if (target == routes_.forwards[node].name.address) return std::nullopt;  // reported already
    const Claim* claim = find(target);
    if (claim != nullptr && claim->kind == Claim::Kind::shared) return forwards + claim->index;
    return forward_of(target);
  }
  const std::vector<Address>& alias_accounts(std::size_t node) const {
    return reading_.site.aliases.at(routes_.aliases[node - routes_.forwards.size()].name.address);
  }

  /// Depth-first with a stack of its own: a chain of forwards may be as long as the file.
  void find_circle(std::size_t start) {
    if (forward_states_[start] != State::fresh) return;
    struct Step {
      std::size_t node;
      std::size_t next_edge = 0;
    };
    std::vector<Step> stack{{start}};
    forward_states_[start] = State::open;
    while (!stack.empty()) {
      Step& step = stack.back();
      if (step.next_edge == edges(step.node)) {
        forward_states_[step.node] = State::done;
        stack.pop_back();
        continue;
      }
      const auto next = edge(step.node, step.next_edge++);
      if (!next) continue;
      if (forward_states_[*next] == State::open) {
        // Edges of aliases lead to forwards only, so this step or the one before it is a forward of the
        // circle.
        const Step& last = step.node < routes_.forwards.size() ? step : stack[stack.size() - 2];
        const Routes::Shared& forward = routes_.forwards[last.node];
        add(forward.targets[last.next_edge - 1].value,
            fmt::format("forward loop: {} leads back to itself", quote(forward.name.address.text())));
      } else if (forward_states_[*next] == State::fresh) {
        forward_states_[*next] = State::open;
        stack.push_back({*next});
      }
    }
  }

  void check_domains() {
    for (const Routes::DomainMention& entry : routes_.catch_alls) {
      const Claim* claim = find(entry.mention.address);
      if (claim == nullptr || claim->kind != Claim::Kind::account) {
        add(entry.mention.value, fmt::format("'catch_all' must be an account, which {} is not",
                                             quote(entry.mention.address.text())));
      } else if (const Account* account = account_of(entry.mention, *claim)) {
        reading_.site.domains[entry.domain].catch_all = account->address;
      }
    }
    for (const Routes::DomainMention& entry : routes_.dmarc_reports) {
      if (check_forward_target(entry.mention))
        reading_.site.domains[entry.domain].dmarc_reports = entry.mention.address;
    }
    std::vector<bool> has_catch_all(reading_.site.domains.size());
    for (const Routes::DomainMention& entry : routes_.catch_alls) has_catch_all[entry.domain] = true;
    for (std::size_t i = 0; i < reading_.site.domains.size(); ++i) {
      const Address postmaster{"postmaster", reading_.site.domains[i].name};
      const Claim* claim = find(postmaster);
      if (claim == nullptr && !has_catch_all[i]) {
        if (reading_.lacks_name) continue;
        add(routes_.domain_keys[i],
            fmt::format("the domain {} has no postmaster", quote(routes_.domain_keys[i].text())),
            fmt::format("RFC 5321 requires one: add {} to the 'aliases' of an account", postmaster.text()));
      } else if (claim != nullptr && claim->kind == Claim::Kind::account &&
                 routes_.accounts[claim->index].account.send_only) {
        add(routes_.accounts[claim->index].key, "a postmaster must be able to receive mail",
            "leave out 'send_only'");
      }
    }
  }

  void warn() {
    if (reading_.hostname && reading_.is_own_domain(reading_.site.hostname))
      reading_.warn(
          *reading_.hostname,
          fmt::format("the host name is a mail domain of the site, so a website at {} has to be on the mail "
                      "server",
                      quote(reading_.site.hostname)),
          "use a name of its own, as mail." + reading_.site.hostname);
    warn_of_redirects();
    std::map<std::string, std::pair<Value, std::size_t>> freemailers;
    for (const Routes::Shared& forward : routes_.forwards) {
      for (const Mention& target : forward.targets) {
        if (!is_freemailer(target.address.domain)) continue;
        ++freemailers.try_emplace(target.address.domain, target.value, 0).first->second.second;
      }
    }
    for (const auto& [domain, found] : freemailers)
      reading_.warn(
          found.first,
          fmt::format("{} {} to {}, which refuses what fails SPF: forwarded mail of senders who do not sign "
                      "it with DKIM",
                      found.second, found.second == 1 ? "address forwards" : "addresses forward", domain),
          "let people fetch mail from a mailbox here instead, by IMAP");
  }

  void warn_of_redirects() {
    std::map<std::string, std::pair<Value, std::size_t>> found;
    for (const Routes::Owner& owner : routes_.accounts) {
      std::set<std::string> domains;  // once for each script
      for (const std::string& target : redirect_targets(owner.account.sieve.value_or(""))) {
        const auto address = parse_address(target);
        if (address && is_freemailer(address->domain)) domains.insert(address->domain);
      }
      for (const std::string& domain : domains)
        ++found.try_emplace(domain, owner.key, 0).first->second.second;
    }
    for (const auto& [domain, count] : found)
      reading_.warn(
          count.first,
          fmt::format("{} to {}, which refuses what fails SPF: redirected mail of senders who do not sign it "
                      "with DKIM",
                      count.second == 1 ? "a sieve script redirects"
                                        : fmt::format("{} sieve scripts redirect", count.second),
                      domain),
          "let people fetch mail from a mailbox here instead, by IMAP");
  }

  void complete_site() {
    for (Routes::Owner& owner : routes_.accounts) {
      std::sort(owner.account.aliases.begin(), owner.account.aliases.end());
      reading_.site.accounts.push_back(std::move(owner.account));
    }
    std::sort(reading_.site.accounts.begin(), reading_.site.accounts.end(),
              [](const Account& a, const Account& b) { return a.address < b.address; });
  }

  Reading& reading_;
  Routes& routes_;
  // Sorted: whoever knows the hash of an unordered map can write addresses that take quadratic time.
  std::map<Address, Claim> claims_;
  std::map<std::size_t, std::size_t> account_forwards_;  ///< account to forward, by number
  std::vector<Resolved> resolved_;
  std::vector<State> forward_states_;
  std::size_t recipients_ = 0;
};

}  // namespace

void resolve_routes(Reading& reading) {
  Resolver(reading).run();
}

}  // namespace mailstead::spec
