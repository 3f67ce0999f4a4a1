// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "platform/architecture.hpp"
#include "spec/formats.hpp"
#include "spec/reading.hpp"
#include "spec/time_zones.hpp"

namespace mailstead::spec {
namespace {

using yaml::quote;
using yaml::Value;

constexpr std::uint64_t kLeastMessage = 64ull << 10;
// Rspamd holds a message in memory while it looks at it.
constexpr std::uint64_t kMostMessage = 200ull << 20;

void read_version(Reading& reading, const Value& value) {
  const auto version = value.as_integer(reading.problems, 1, 1'000'000);
  if (version && *version != 1) {
    reading.problems.add(value.error(fmt::format("this program knows format 1, not format {}", *version),
                                     "upgrade Mailstead, or write mailstead: 1"));
  }
}

void read_hostname(Reading& reading, const Value& value) {
  const auto text = value.as_string(reading.problems);
  if (!text) return;
  reading.site.hostname = reading.accept(parse_hostname(*text), value).value_or("");
  reading.hostname = value;
}

void read_profile(Reading& reading, const Value& value) {
  const auto text = value.as_string(reading.problems);
  if (!text) return;
  const bool plain = std::all_of(text->begin(), text->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (text->empty() || text->size() > 64 || !plain) {
    reading.problems.add(
        value.error(fmt::format("{} is not the name of a profile", quote(*text)),
                    fmt::format("use a name from the folder profiles/, as {}", platform::kDefaultProfile)));
    return;
  }
  reading.site.profile = *text;
}

void read_time_zone(Reading& reading, const Value& value) {
  const auto text = value.as_string(reading.problems);
  if (!text) return;
  if (is_time_zone(*text)) {
    reading.site.time_zone = *text;
    return;
  }
  reading.problems.add(value.error(
      fmt::format("unknown time zone {}{}", quote(*text), yaml::did_you_mean(*text, time_zones())),
      "use a name like Europe/Berlin or Etc/UTC"));
}

void read_message_size(Reading& reading, const Value& value) {
  const auto text = value.as_string(reading.problems);
  const auto size = text ? reading.accept(parse_size(*text), value) : std::nullopt;
  if (!size) return;
  if (*size < kLeastMessage || *size > kMostMessage) {
    reading.problems.add(
        value.error(fmt::format("the message size limit {} is not between 64K and 200M", quote(*text))));
    return;
  }
  reading.site.message_size_limit = *size;
}

void read_delimiter(Reading& reading, const Value& value) {
  const auto text = value.as_string(reading.problems);
  if (!text) return;
  if (text->size() > 1 || std::string_view("+-_=").find(*text) == std::string_view::npos) {
    reading.problems.add(value.error(fmt::format("{} cannot be a recipient delimiter", quote(*text)),
                                     "use one of + - _ = or '' for none"));
    return;
  }
  reading.site.recipient_delimiter = *text;
}

/// What lies beside a spec and is easily typed instead of it.
Status refuse_other_kind(const std::filesystem::path& file) {
  std::string begin(1024, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  const char* what = nullptr;
  if (begin.starts_with("mailstead-lock ") || begin.find("\nmailstead-lock ") != std::string::npos)
    what = "a lock";
  else if (begin.size() > 520 && begin.compare(512, 8, "EFI PART") == 0)
    what = "a disk image";
  if (what == nullptr) return ok();
  return fail(ErrorKind::usage, fmt::format("{} is {}, not a spec", file.string(), what),
              "name the YAML file that describes the site");
}

Result<Site> read_site(yaml::Document document, const std::filesystem::path& file) {
  // Whoever writes a password where its hash belongs must not find it in the log of a build, whatever else is
  // wrong in its line.
  document.conceal_below("accounts", {"aliases", "quota", "send_only", "sieve", "sieve_file"});
  Site site;
  std::error_code failed;
  site.file = std::filesystem::absolute(file, failed).lexically_normal();
  if (failed)
    return fail(ErrorKind::io,
                fmt::format("cannot find the folder of {}: {}", file.string(), failed.message()));
  site.folder = site.file.parent_path();
  site.profile = platform::kDefaultProfile;

  yaml::Problems problems;
  Reading reading{problems, site};
  yaml::MapReader map(document.root(), problems);
  const auto read = [&](std::string_view key, const auto& section) {
    if (const auto value = map.take(key)) section(reading, *value);
  };
  // Whose lines are all comments is as good as not there.
  const auto read_section = [&](std::string_view key, const auto& section) {
    if (const auto value = map.take(key); value && !value->is_null()) section(reading, *value);
  };
  const auto need = [&](std::string_view key, const auto& section) {
    if (const auto value = map.require(key)) section(reading, *value);
  };
  need("mailstead", read_version);
  need("hostname", read_hostname);
  // By host: several specs may lie in one folder.
  site.tls.certificate = site.folder / kSecrets / "tls" / site.hostname / "cert.pem";
  site.tls.private_key = site.folder / kSecrets / "tls" / site.hostname / "key.pem";
  read("profile", read_profile);
  read_section("network", read_network);
  read_section("tls", read_tls);
  read("recipient_delimiter", read_delimiter);
  need("domains", read_domains);
  read_section("accounts", read_accounts);
  read_section("aliases", [](Reading& r, const Value& value) {
    read_shared(r, value, "aliases: {team@example.org: [alice@example.org]}", r.routes.aliases);
  });
  read_section("forwards", [](Reading& r, const Value& value) {
    read_shared(r, value, "forwards: {old@example.org: [new@elsewhere.example]}", r.routes.forwards);
  });
  read("message_size_limit", read_message_size);
  read_section("ssh", read_ssh);
  read_section("ports", read_ports);
  read("time_zone", read_time_zone);
  map.finish();
  resolve_routes(reading);
  // What was read until then is neither a site nor all of its mistakes.
  CHECK_OK(check_interrupt());
  CHECK_OK(std::move(problems).finish());
  return site;
}

}  // namespace

Result<Site> load_site(const std::filesystem::path& file) {
  TRY(std::string text, read_spec(file));
  return parse_site(std::move(text), file);
}

Result<std::string> read_spec(const std::filesystem::path& file) {
  CHECK_OK(refuse_other_kind(file));
  return yaml::read_text(file);
}

Result<Site> parse_site(std::string text, const std::filesystem::path& file) {
  TRY(yaml::Document document, yaml::Document::parse(std::move(text), file.string()));
  return read_site(std::move(document), file);
}

}  // namespace mailstead::spec
