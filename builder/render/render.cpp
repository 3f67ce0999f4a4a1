// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/render.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "render/context.hpp"
#include "render/overlay_files.hpp"
#include "render/site_files.hpp"
#include "render/template.hpp"
#include "render/units.hpp"

namespace mailstead::render {
namespace {

Result<bool> is_on(const Overlay& overlay, const Value& context) {
  if (overlay.when.empty()) return true;
  const Value* value = context.at(overlay.when);
  if (value != nullptr && value->flag() != nullptr) return *value->flag();
  return fail(ErrorKind::usage, fmt::format("'when: {}' of the overlay '{}' is not a boolean of the context",
                                            overlay.when, overlay.name));
}

/// Whether the overlay's part at `path` is laid for every site.
bool is_always_laid(const Overlay& overlay, std::string_view path) {
  return overlay.when.empty() || is_public(path);
}

Status lay_public_files(const Overlay& overlay, std::int64_t clock, rootfs::FileTree& tree) {
  const auto wanted = [&](std::string_view path) { return is_always_laid(overlay, path); };
  for (const std::string& pattern : overlay.remove)
    if (wanted(pattern)) tree.remove_matching(pattern);
  TRY(const std::vector<OverlayFile> files, list_files(overlay));
  for (const OverlayFile& file : files) {
    if (file.is_template || !wanted(file.path)) continue;
    TRY(rootfs::Inode inode, read_inode(overlay, file, clock));
    CHECK_OK(tree.put(file.path, std::move(inode)));
  }
  return put_links(overlay, clock, wanted, tree);
}

Status render_files(const Overlay& overlay, const Value& context, std::int64_t clock,
                    rootfs::FileTree& tree) {
  const bool optional = !overlay.when.empty();
  if (optional)
    for (const std::string& pattern : overlay.remove)
      if (!is_public(pattern)) tree.remove_matching(pattern);
  TRY(const std::vector<OverlayFile> files, list_files(overlay));
  for (const OverlayFile& file : files) {
    if (is_public(file.path) || !(file.is_template || optional)) continue;
    TRY(rootfs::Inode inode, read_inode(overlay, file, clock));
    if (file.is_template) {
      TRY(const std::string text, inode.content.read());
      auto rendered = render_template(text, file.source.string(), context);
      if (!rendered) return fail(std::move(rendered).error().with_note("while rendering " + file.path));
      inode.content = rootfs::Content(*std::move(rendered));
    }
    CHECK_OK(tree.put(file.path, std::move(inode)));
  }
  if (!optional) return ok();
  return put_links(overlay, clock, [](std::string_view path) { return !is_public(path); }, tree);
}

}  // namespace

Status lay_public(const std::vector<Overlay>& overlays, const profile::Accounts& accounts, std::int64_t clock,
                  rootfs::FileTree& tree) {
  for (const Overlay& overlay : overlays) CHECK_OK(lay_public_files(overlay, clock, tree));
  for (const Overlay& overlay : overlays)
    CHECK_OK(set_attributes(overlay, accounts, Scope::public_part, clock, tree));
  return ok();
}

Result<std::string> describe_public(const std::vector<Overlay>& overlays) {
  std::string text;
  rootfs::FileTree tree;
  for (const Overlay& overlay : overlays) {
    CHECK_OK(lay_public_files(overlay, 0, tree));
    for (const std::string& pattern : overlay.remove)
      if (is_always_laid(overlay, pattern)) text += fmt::format("remove {}\n", pattern);
  }
  for (const auto& [path, inode] : tree) {
    if (inode->type == rootfs::FileType::symlink) text += fmt::format("link {} {}\n", path, inode->target);
    if (inode->type != rootfs::FileType::regular) continue;
    TRY(const std::string bytes, inode->content.read());
    text += fmt::format("file {} {:o} {}\n", path, inode->mode, crypto::sha256_hex(bytes));
  }
  for (const Overlay& overlay : overlays) {
    for (const Overlay::Attributes& set : overlay.files) {
      if (is_always_laid(overlay, set.path))
        text += fmt::format("set {} {} {} {}\n", set.path, set.mode ? fmt::format("{:o}", *set.mode) : "-",
                            set.owner, set.group);
    }
  }
  return text;
}

Status render_configuration(const spec::Site& site, const std::vector<Overlay>& overlays, std::int64_t clock,
                            rootfs::FileTree& tree) {
  const Value context = make_context(site);
  for (const Overlay& overlay : overlays) {
    TRY(const bool wanted, is_on(overlay, context));
    if (wanted) CHECK_OK(render_files(overlay, context, clock, tree));
  }
  return ok();
}

Status render_site(const spec::Site& site, const std::vector<Overlay>& overlays,
                   const profile::Accounts& accounts, std::int64_t clock, const rootfs::FileTree& units,
                   rootfs::FileTree& tree) {
  const Value context = make_context(site);
  CHECK_OK(write_site_files(site, clock, units, tree));
  CHECK_OK(render_configuration(site, overlays, clock, tree));
  std::vector<const Overlay*> on;
  for (const Overlay& overlay : overlays) {
    TRY(const bool wanted, is_on(overlay, context));
    if (wanted) on.push_back(&overlay);
  }
  for (const Overlay* overlay : on)
    CHECK_OK(set_attributes(*overlay, accounts, Scope::site_part, clock, tree));
  for (const Overlay* overlay : on) {
    for (const std::string& unit : overlay->enable)
      CHECK_OK(enable_unit(unit, units, clock, overlay->name, tree));
    for (const std::string& unit : overlay->mask) CHECK_OK(mask_unit(unit, clock, overlay->name, tree));
  }
  return ok();
}

}  // namespace mailstead::render
