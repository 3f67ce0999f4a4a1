// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/render.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "render/context.hpp"
#include "render/overlay_files.hpp"
#include "render/services.hpp"
#include "render/site_files.hpp"
#include "render/template.hpp"
#include "render/units.hpp"

namespace mailstead::render {
namespace {

/// Whether the overlay's part at `path` is laid for every site.
bool is_always_laid(const Overlay& overlay, std::string_view path) {
  return is_public(path) || conditions_of(overlay, path).empty();
}

/// Whether a site has the overlay's part at `path`.
Result<bool> is_wanted(const Overlay& overlay, const std::string& path, const Value& context) {
  for (const std::string& when : conditions_of(overlay, path)) {
    TRY(const bool met, holds(overlay.name, when, context));
    if (!met) return false;
  }
  return true;
}

Status lay_public_files(const Overlay& overlay, std::int64_t clock, rootfs::FileTree& tree) {
  for (const std::string& pattern : overlay.remove)
    if (is_always_laid(overlay, pattern)) tree.remove_matching(pattern);
  TRY(const std::vector<OverlayFile> files, list_files(overlay));
  for (const OverlayFile& file : files) {
    if (file.is_template || !is_always_laid(overlay, file.path)) continue;
    TRY(rootfs::Inode inode, read_inode(overlay, file, clock));
    CHECK_OK(tree.put(file.path, std::move(inode)));
  }
  for (const auto& [path, target] : overlay.links)
    if (is_always_laid(overlay, path)) CHECK_OK(put_link(overlay, path, target, clock, tree));
  return ok();
}

Status render_files(const Overlay& overlay, const Value& context, std::int64_t clock,
                    rootfs::FileTree& tree) {
  for (const std::string& pattern : overlay.remove) {
    TRY(const bool wanted, is_wanted(overlay, pattern, context));
    if (wanted && !is_always_laid(overlay, pattern)) tree.remove_matching(pattern);
  }
  TRY(const std::vector<OverlayFile> files, list_files(overlay));
  for (const OverlayFile& file : files) {
    if (is_public(file.path) || (is_always_laid(overlay, file.path) && !file.is_template)) continue;
    TRY(const bool wanted, is_wanted(overlay, file.path, context));
    if (!wanted) continue;
    TRY(rootfs::Inode inode, read_inode(overlay, file, clock));
    if (file.is_template) {
      TRY(const std::string text, inode.content.read());
      auto rendered = render_template(text, file.source.string(), context);
      if (!rendered) return fail(std::move(rendered).error().with_note("while rendering " + file.path));
      inode.content = rootfs::Content(*std::move(rendered));
    }
    CHECK_OK(tree.put(file.path, std::move(inode)));
  }
  for (const auto& [path, target] : overlay.links) {
    TRY(const bool wanted, is_wanted(overlay, path, context));
    if (wanted && !is_always_laid(overlay, path)) CHECK_OK(put_link(overlay, path, target, clock, tree));
  }
  return ok();
}

/// Calls `use` with each of `units` that a site has.
template <class Use>
Status for_units(const Overlay& overlay, const std::vector<Overlay::Unit>& units, const Value& context,
                 Use use) {
  for (const Overlay::Unit& unit : units) {
    TRY(const bool wanted, holds(overlay.name, unit.when, context));
    if (wanted) CHECK_OK(use(unit.name));
  }
  return ok();
}

}  // namespace

Status lay_public(const std::vector<overlay::Overlay>& overlays, const overlay::Accounts& accounts,
                  std::int64_t clock, rootfs::FileTree& tree) {
  for (const Overlay& overlay : overlays) CHECK_OK(lay_public_files(overlay, clock, tree));
  for (const Overlay& overlay : overlays) {
    const auto wanted = [&](const std::string& path) -> Result<bool> {
      return is_always_laid(overlay, path);
    };
    CHECK_OK(set_attributes(overlay, accounts, Scope::public_part, wanted, clock, tree));
  }
  return ok();
}

Result<std::string> describe_public(const std::vector<overlay::Overlay>& overlays) {
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

Status render_configuration(const spec::Site& site, const std::vector<overlay::Overlay>& overlays,
                            std::int64_t clock, rootfs::FileTree& tree) {
  TRY(const Value context, make_context(site, overlays));
  for (const Overlay& overlay : overlays) CHECK_OK(render_files(overlay, context, clock, tree));
  return ok();
}

Status render_site(const spec::Site& site, const std::vector<overlay::Overlay>& overlays,
                   const overlay::Accounts& accounts, std::int64_t clock, const rootfs::FileTree& units,
                   rootfs::FileTree& tree) {
  TRY(const Value context, make_context(site, overlays));
  CHECK_OK(write_site_files(site, clock, units, tree));
  CHECK_OK(render_configuration(site, overlays, clock, tree));
  for (const Overlay& overlay : overlays) {
    const auto wanted = [&](const std::string& path) { return is_wanted(overlay, path, context); };
    CHECK_OK(set_attributes(overlay, accounts, Scope::site_part, wanted, clock, tree));
  }
  for (const Overlay& overlay : overlays) {
    TRY(const bool on, holds(overlay.name, overlay.when, context));
    if (!on) continue;
    CHECK_OK(for_units(overlay, overlay.enable, context, [&](const std::string& unit) {
      return enable_unit(unit, units, clock, overlay.name, tree);
    }));
    CHECK_OK(for_units(overlay, overlay.mask, context,
                       [&](const std::string& unit) { return mask_unit(unit, clock, overlay.name, tree); }));
  }
  return ok();
}

}  // namespace mailstead::render
