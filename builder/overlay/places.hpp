// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace mailstead::overlay {

/// Where overlays are below the data folder, and what is in one besides files of the image.
inline constexpr const char* kFolder = "rootfs-overlays";
inline constexpr const char* kManifest = "manifest.yaml";
inline constexpr const char* kReviews = "maintainer-scripts.yaml";

}  // namespace mailstead::overlay
