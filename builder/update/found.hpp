// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "base/result.hpp"
#include "disk/disk.hpp"

namespace mailstead::update {

/// What a disk without a partition table of GPT begins with, by the marks that file systems and tables have:
/// "an ext2, ext3 or ext4 file system"; empty if none is known. Errors: those of Disk::read.
Result<std::string> describe_contents(const disk::Disk& disk);

/// "the partitions EFI System, Linux", "the system of another site". Errors: those of Disk::read.
Result<std::string> describe_table(const disk::Disk& disk);

/// What is where the data of a site begin.
enum class DataSpace { blank, own, other };

/// `id` is that of the site's data. The first 16 MiB are looked at; that nothing else follows, the machine
/// makes sure before it formats. Errors: those of Disk::read.
Result<DataSpace> look_at_data(const disk::Disk& disk, const std::string& id);

}  // namespace mailstead::update
