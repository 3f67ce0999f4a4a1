// SPDX-License-Identifier: GPL-3.0-or-later
#include "overlay/reviews.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "overlay/read.hpp"

namespace mailstead::overlay {
namespace {

bool is_script_digest(std::string_view text) {
  return text.size() == 16 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::vector<std::string> read_digests(yaml::MapReader& map, yaml::Problems& problems) {
  std::vector<std::string> digests;
  const auto list = map.require("digests");
  if (!list) return digests;
  const auto values = list->as_list(problems);
  // A review of nothing would look like a reviewed package.
  if (list->is_list() && values.empty()) problems.add(list->error("a review needs at least one digest"));
  for (const yaml::Value& value : values) {
    auto digest = value.as_string(problems);
    if (!digest) continue;
    if (!is_script_digest(*digest)) {
      problems.add(value.error(
          fmt::format("'{}' is not a digest of scripts", *digest),
          "16 hexadecimal digits in lower case, as the message about an unreviewed package shows them"));
      continue;
    }
    digests.push_back(*std::move(digest));
  }
  return digests;
}

}  // namespace

Result<std::vector<Review>> load_reviews(const std::filesystem::path& file) {
  TRY(const auto document, yaml::Document::load(file));
  yaml::Problems problems;
  yaml::MapReader map(document.root(), problems);
  std::vector<Review> reviews;
  if (const auto packages = map.require("packages")) {
    yaml::MapReader entries(*packages, problems);
    for (const auto& entry : entries.take_all()) {
      const auto name = entry.key.as_string(problems);
      yaml::MapReader fields(entry.value, problems);
      Review review;
      review.package = name.value_or("");
      review.digests = read_digests(fields, problems);
      review.does = read::text(fields, "does", problems);
      review.met = read::text(fields, "met", problems);
      fields.finish();
      if (name) reviews.push_back(std::move(review));
    }
  }
  map.finish();
  CHECK_OK(std::move(problems).finish());
  std::sort(reviews.begin(), reviews.end(),
            [](const Review& a, const Review& b) { return a.package < b.package; });
  return reviews;
}

std::vector<Review> merge_reviews(const std::vector<Overlay>& overlays) {
  std::vector<Review> reviews;
  for (const Overlay& overlay : overlays)
    reviews.insert(reviews.end(), overlay.reviews.begin(), overlay.reviews.end());
  return reviews;
}

}  // namespace mailstead::overlay
