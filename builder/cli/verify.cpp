// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/verify.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "base/printable.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "verify/appliance.hpp"
#include "verify/root_hash.hpp"

namespace mailstead::cli {
namespace {

using Json = nlohmann::ordered_json;

/// "mailstead-boot-a: squashfs: inode table, usr/bin/sh, byte 1234"
std::string place_of(const verify::Finding& finding) {
  std::string text = finding.structure;
  if (!finding.partition.empty()) text = finding.partition + ": " + text;
  if (!finding.path.empty()) text += " " + finding.path;
  if (finding.offset) text += fmt::format(", at byte {}", *finding.offset);
  return text;
}

/// What is said of an image may have names and texts out of it.
void print_report(const verify::Report& report) {
  for (const verify::Check& check : report.checks) {
    fmt::print("{:<4} {:<22} {}\n", check.findings.empty() ? "ok" : "FAIL", check.name,
               printable(check.counted));
    for (const verify::Finding& finding : check.findings) {
      fmt::print("     {}\n       expected {}\n       found    {}\n", printable(place_of(finding)),
                 printable(finding.expected), printable(finding.found));
    }
    if (check.more > 0) fmt::print("     and {} more\n", check.more);
  }
  for (const std::string& what : report.unproved) fmt::print("not proved: {}\n", what);
}

Json to_json(const verify::Finding& finding) {
  Json json = {{"structure", finding.structure}};
  if (!finding.partition.empty()) json["partition"] = finding.partition;
  if (!finding.path.empty()) json["path"] = finding.path;
  if (finding.offset) json["offset"] = *finding.offset;
  json["expected"] = finding.expected;
  json["found"] = finding.found;
  return json;
}

void print_json(const verify::Report& report) {
  Json checks = Json::array();
  for (const verify::Check& check : report.checks) {
    Json findings = Json::array();
    for (const verify::Finding& finding : check.findings) findings.push_back(to_json(finding));
    checks.push_back({{"name", check.name},
                      {"passed", check.findings.empty()},
                      {"counted", check.counted},
                      {"findings", std::move(findings)},
                      {"more_findings", check.more}});
  }
  const Json object = {
      {"passed", report.passed()}, {"checks", std::move(checks)}, {"not_proved", report.unproved}};
  fmt::print("{}", json_document(object));
}

/// Not require_disk_image: an image whose first sectors are damaged is one to look at.
Status require_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::regular || type == std::filesystem::file_type::block) return ok();
  if (type != std::filesystem::file_type::not_found && type != std::filesystem::file_type::none)
    return fail(ErrorKind::usage, fmt::format("{} is neither a file nor a disk", path.string()),
                "name an image, or the disk it was copied to");
  return fail(ErrorKind::usage, fmt::format("there is no image {}", path.string()),
              fmt::format("build one with `{}`", own_command({"build", "SPEC", "-o", "IMAGE"})));
}

/// What only building anew heeds is not ignored silently.
Status require_spec_for_options(const pipeline::VerifyRequest& request, const pipeline::Options& options) {
  const std::pair<const char*, bool> given[] = {{"--lock", !request.lock.empty()},
                                                {"--profile", !options.profile.empty()},
                                                {"--mirror", !options.mirror.empty()},
                                                {"--offline", options.offline},
                                                {"--snapshot", !options.snapshot.empty()}};
  if (!request.spec.empty()) return ok();
  for (const auto& [option, is_given] : given)
    if (is_given) return fail(ErrorKind::usage, fmt::format("{} requires --spec", option));
  return ok();
}

Status verify_one(pipeline::VerifyRequest request, const std::optional<std::string>& root_hash,
                  Globals& globals) {
  if (root_hash) {
    TRY(request.root_hash, verify::parse_root_hash(*root_hash));
  }
  CHECK_OK(require_file(request.image));
  if (!request.against.empty()) CHECK_OK(require_file(request.against));
  CHECK_OK(require_spec_for_options(request, globals.options));
  TRY(const verify::Report report, pipeline::verify_image(request, globals.options, *globals.reporter));
  if (globals.json)
    print_json(report);
  else
    print_report(report);
  if (report.passed()) return ok();
  return fail(ErrorKind::integrity, fmt::format("{} is not what it should be", request.image.string()));
}

/// The process in which libguestfs works: not for people, so that --help does not have it.
void add_reader(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand(verify::kReaderVerb, "")->group("");
  auto words = std::make_shared<std::vector<std::string>>();
  verb->add_option("WORDS", *words)->required()->expected(4);
  verb->callback([&globals, words] {
    globals.progress = "none";
    globals.work = [words]() -> Status {
      const auto& w = *words;
      return verify::read_with_libguestfs(w[0], w[1], w[2],
                                          w[3] == "kvm" ? vm::Accelerator::kvm : vm::Accelerator::tcg);
    };
  });
}

}  // namespace

void add_verify(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand(
      "verify",
      "prove an image by its root hash, or compare it with spec and lock, byte by byte and file by file");
  auto request = std::make_shared<pipeline::VerifyRequest>();
  auto root_hash = std::make_shared<std::optional<std::string>>();
  verb->add_option("IMAGE", request->image, "the disk image, or the disk it was copied to; it is only read")
      ->required()
      ->check(not_empty);
  verb->add_option("--root-hash", *root_hash, "require this root hash, which `build` printed")
      ->type_name("HASH");
  verb->add_option("--spec", request->spec,
                   "build the image again from this spec and compare every byte and file")
      ->type_name("FILE")
      ->check(not_empty);
  verb->add_option("--lock", request->lock, "the lock to build from (default: the one beside the spec)")
      ->type_name("FILE")
      ->check(not_empty);
  verb->add_option("--against", request->against, "compare every byte with this image")
      ->type_name("FILE")
      ->check(not_empty);
  verb->add_flag("--quick", request->quick,
                 "skip reading all files with libguestfs (half a minute without KVM)");
  add_profile_option(*verb, globals);
  add_archive_options(*verb, globals);
  add_snapshot_option(*verb, globals);
  add_json_option(*verb, globals);
  verb->footer(examples(
      {{"verify", "mail.img", "--root-hash", "HEX"}, {"verify", "/dev/sdX", "--spec", "site/mail.yaml"}}));
  verb->callback([&globals, request, root_hash] {
    globals.work = [&globals, request, root_hash] { return verify_one(*request, *root_hash, globals); };
  });
  add_reader(app, globals);
}

}  // namespace mailstead::cli
