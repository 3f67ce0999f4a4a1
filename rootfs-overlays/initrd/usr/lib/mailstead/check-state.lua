-- SPDX-License-Identifier: GPL-3.0-or-later
-- Before anything of the data is read or written by a program of this image: have those of a later one kept there what these do not
-- understand? An image that has proved itself leaves its format there (rootfs-overlays/proof/usr/lib/mailstead/keep-format).
-- lua5.4 check-state.lua [FOLDER]; FOLDER holds run and sysroot ("" for those of the machine).
package.path = arg[0]:match("^(.*)/") .. "/?.lua"
local disks = require "disks"
local folder = arg[1] or ""

local record = assert(disks.read_file(folder .. "/sysroot/usr/share/mailstead/base.json"), "this image has no record of its base")
local understood = assert(tonumber(record:match('\n  "state_format": (%d+),\n')), "the record of the base does not say a format")
local kept = (disks.read_file(folder .. "/sysroot/var/lib/mailstead/state-format") or ""):match("^(%d+)\n$")
if kept and tonumber(kept) > understood then
  disks.refuse(folder, {
    string.format("The data of this site have format %s, and this image understands format %d at most.", kept, understood),
    "A later image has been in use here. Nothing has been written to them, so this start stops.",
    "Choose the other slot in the menu at the start, or bring a later image to this machine:",
    "build it, and from a rescue system: mailstead update IMAGE --disk DISK",
  })
end
