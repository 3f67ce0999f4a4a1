// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.hpp"
#include "base/run.hpp"
#include "pipeline/base.hpp"
#include "pipeline/base_files.hpp"
#include "tools/scratch.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

/// Where a base lies in the cache.
fs::path folder_of(const Platform& platform, const BaseId& id) {
  return platform.cache / "bases" / id.key;
}

}  // namespace

Result<std::optional<Base>> find_base(const Platform& platform, const BaseId& id) {
  const fs::path folder = folder_of(platform, id);
  if (!fs::exists(folder / kBaseMark)) return std::optional<Base>();
  TRY(const std::string text, read_file(folder / kBaseMark));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.value("usr_hash_offset", nlohmann::json()).is_number_unsigned())
    return std::optional<Base>();
  // Every byte is checked at every use: a base that a power cut or a bad disk has damaged is made again, not
  // built into an image.
  const std::vector<BaseFile> files = base_files(platform.profile.machine);
  const auto digests = digest_files(folder, files);
  if (!digests) return std::optional<Base>();
  for (std::size_t i = 0; i < files.size(); ++i)
    if (json.value(files[i].name, nlohmann::json()) != (*digests)[i]) return std::optional<Base>();
  Base base = base_in(folder, id.identity, platform.profile.machine);
  base.parts = parts_in(folder, files, *digests);
  base.usr.hash_offset = json["usr_hash_offset"].get<std::uint64_t>();
  const auto root_hash = json.value("usr_root_hash", nlohmann::json());
  if (!root_hash.is_string()) return std::optional<Base>();
  base.usr.root_hash = root_hash.get<std::string>();
  tools::touch(folder / kBaseMark);
  return std::optional<Base>(std::move(base));
}

Result<Base> make_base(const BaseInput& input, const BaseId& id, const Unpacked& unpacked,
                       rootfs::FileTree system, Reporter& reporter) {
  TRY(const tools::ScratchFolder scratch, tools::ScratchFolder::create(input.platform.cache / "bases"));
  TRY(const ComposedBase composed,
      compose_base(input, id, unpacked, std::move(system), scratch.path(), reporter));
  const Base& base = composed.base;
  const fs::path made = base.folder;
  const fs::path folder = folder_of(input.platform, id);
  std::error_code error;
  fs::rename(made, folder, error);
  if (error) {
    // Either another build was faster, and its base has the same bytes, or what is there is damaged.
    TRY(const auto there, find_base(input.platform, id));
    if (there) return *there;
    fs::remove_all(folder, error);
    fs::rename(made, folder, error);
    if (error) {
      return fail(ErrorKind::io,
                  fmt::format("cannot keep the base in {}: {}", folder.string(), error.message()));
    }
  }
  Base kept = base_in(folder, id.identity, input.platform.profile.machine);
  kept.usr.hash_offset = base.usr.hash_offset;
  kept.usr.root_hash = base.usr.root_hash;
  kept.parts = base.parts;
  return kept;
}

Status require_export_place(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error)) {
    if (fs::is_directory(folder, error) && fs::is_empty(folder, error) && !error) return ok();
    return fail(ErrorKind::usage, fmt::format("{} is not an empty folder", folder.string()),
                "name a new folder");
  }
  fs::path parent = fs::absolute(folder, error).parent_path();
  if (!folder.has_filename()) parent = parent.parent_path();  // "new/"
  if (fs::is_directory(parent, error)) return ok();
  return fail(ErrorKind::io, fmt::format("cannot make {}: its folder does not exist", folder.string()),
              fmt::format("make it with `{}`", shell_quote({"mkdir", "-p", parent.string()})));
}

Status export_base(const Base& base, const fs::path& folder) {
  CHECK_OK(require_export_place(folder));
  CHECK_OK(make_directories(folder));
  std::error_code error;
  for (const BaseFile& file : base_files(base.machine)) {
    if (file.part == nullptr) continue;
    fs::copy_file(base.folder / file.name, folder / file.name, error);
    if (error)
      return fail(ErrorKind::io,
                  fmt::format("cannot write {}: {}", (folder / file.name).string(), error.message()));
  }
  return ok();
}

}  // namespace mailstead::pipeline
