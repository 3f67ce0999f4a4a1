-- SPDX-License-Identifier: GPL-3.0-or-later
-- Before anything of a disk is opened: a second disk with the ids of this one would be taken for it.
-- lua5.4 check-disks.lua [FOLDER]; FOLDER holds proc, sys, dev and run ("" for those of the machine). Makes run/mailstead/one-disk.
package.path = arg[0]:match("^(.*)/") .. "/?.lua"
local disks = require "disks"
local folder = arg[1] or ""

disks.refuse_twins(folder, disks.list(folder), disks.slot_ids(folder))
assert(io.open(folder .. "/run/mailstead/one-disk", "w")):close()
