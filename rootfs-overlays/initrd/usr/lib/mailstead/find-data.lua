-- SPDX-License-Identifier: GPL-3.0-or-later
-- Before systemd-repart makes the data partition: is there anything where it would be made? What is found is never formatted over.
--
--   the table names this site's data partition     go on: systemd-repart lets it grow
--   a sound ext4 of this site is in its place      enter it in the table again (an image was written over the whole disk)
--   the space is blank                             enter a partition in front of it that says so; systemd-repart makes the data partition
--   that partition is there already                go on: a power cut has interrupted systemd-repart
--   anything else, or a place cannot be read       say what was found, and stop
--
-- The partition that says "blank" is the consent to format. It is entered when the space was found to be blank, or by a person who
-- gives up what is there; it gets another name as soon as there is a data partition, and an image written over the whole disk takes
-- it away.
--
-- lua5.4 find-data.lua [FOLDER]; FOLDER holds proc, sys, dev, run and sysroot ("" for those of the machine). Writes below run:
--   mailstead/disk      an environment with the disk and the number of that partition
--   mailstead/table     the input for sfdisk, if there is something to enter
--   mailstead/made      if that partition is to get its other name
--   udev/rules.d/61-mailstead.rules
package.path = arg[0]:match("^(.*)/") .. "/?.lua"
local disks = require "disks"
local signatures = require "signatures"
local folder = arg[1] or ""

-- Where the data begin on every disk, whatever the size of the image: kDataStart in builder/image/partitions.hpp.
local kDataStart <const> = 2 << 30
local kSmallest <const> = 128 << 20

local function write(name, text)
  local file = assert(io.open(folder .. "/run/mailstead/" .. name, "w"))
  assert(file:write(text))
  assert(file:close())
end

-- Of this site's data: of the partition and of the file system in it.
local id = disks.read_file(folder .. "/sysroot/etc/repart.d/50-data.conf"):match("\nUUID=(%S+)"):lower()

--- The disk that the verified root is on.
local function own_disk(all)
  local holding = disks.holding(all, disks.slot_ids(folder))
  if #holding == 0 then disks.refuse(folder, { "The disk that this system is on has no partition table." }) end
  return holding[1]
end

local function refuse_foreign(disk)
  for _, partition in ipairs(disk.table.partitions) do
    if partition.type == disks.kVarType and partition.id ~= id then
      disks.refuse(folder, {
        string.format("Partition %d of %s is the data partition of another site: its id is", partition.number, disk.path),
        string.format("  %s, that of this site %s", partition.id, id),
        "Nothing is written to it. Write the image of that site to this disk, or use another disk.",
        "If it is this site under a new host name, from a rescue system:",
        string.format("  sfdisk --part-uuid %s %d %s", disk.path, partition.number, id),
      })
    end
  end
end

--- Where the partitions of the image end, and the partition between them and the data, or nil.
local function end_of_slots(disk)
  local last = 0
  local gap
  for _, partition in ipairs(disk.table.partitions) do
    if partition.type == disks.kReservedType and partition.stop == kDataStart then
      gap = partition
    elseif partition.id ~= id then
      last = math.max(last, partition.stop)
    end
  end
  return last, gap
end

local function unused_number(disk)
  local used = {}
  for _, partition in ipairs(disk.table.partitions) do used[partition.number] = true end
  local number = 1
  while used[number] do number = number + 1 end
  return number
end

local function sfdisk_line(first, stop, kind, name, id, sector)
  local line = string.format('start=%d, size=%d, type=%s, name="%s"', first // sector, (stop - first) // sector, kind, name)
  return id and line .. ", uuid=" .. id .. "\n" or line .. "\n"
end

local function refuse_unreadable(disk, offset, reason)
  disks.refuse(folder, {
    string.format("%s cannot be read at %s: %s.", disk.path, disks.human(offset), reason),
    "This start would format that space for mail, and cannot tell whether it holds data,",
    "so it stops. Nothing has been written.",
    "Check the disk and its connection and start again, or use another disk.",
  })
end

local function refuse_found(disk, found, last)
  if found.unreadable then refuse_unreadable(disk, found.offset, found.unreadable) end
  local sector = disk.table.sector
  disks.refuse(folder, {
    string.format("%s holds something behind the system that is not in its partition table:", disk.path),
    string.format("  at %s: %s", disks.human(found.offset), found.what),
    "This start would format that space for mail, so it stops. Nothing has been written.",
    found.remedy or "If it is to be kept, use another disk.",
    "If nothing of it is needed, give it up from a rescue system and start again:",
    string.format("  echo 'start=%d, size=%d, type=%s, name=%s' |", last // sector, (kDataStart - last) // sector,
      disks.kReservedType:upper(), disks.kBlankName),
    string.format("    sfdisk --append --no-reread %s", disk.path),
  })
end

local function must_fit(disk, last)
  if last > kDataStart then
    disks.refuse(folder, { disk.path .. " has a partition where the data of this site belong." })
  end
  if disk.size < kDataStart + kSmallest then
    disks.refuse(folder, {
      string.format("%s is too small: it has %s, and the data begin at %s.", disk.path, disks.human(disk.size),
        disks.human(kDataStart)),
      "Give it at least 4 GiB.",
    })
  end
end

local function adopt(disk, own, last)
  if kDataStart + own.bytes > disk.size then
    refuse_found(disk, {
      offset = kDataStart,
      what = string.format("the data of this site, %s, which reach beyond the end of the disk", disks.human(own.bytes)),
      remedy = "Make the disk as large as it was.",
    }, last)
  end
  print("<5>The data of this site are in their place, but not in the partition table: they are entered again.")
  return sfdisk_line(kDataStart, kDataStart + own.bytes, disks.kVarType, disks.kDataName, id, disk.table.sector)
end

--- What to enter in the table of a disk without data partition: text for sfdisk, "" for nothing.
local function decide(disk, last, gap)
  refuse_foreign(disk)
  must_fit(disk, last)
  local enter_gap = function(name)
    return gap and "" or sfdisk_line(last, kDataStart, disks.kReservedType, name, nil, disk.table.sector)
  end
  local blank = gap and gap.name == disks.kBlankName
  local file = assert(io.open(disk.file, "rb"))
  local own, unreadable = signatures.ext4(file, kDataStart)
  if unreadable then refuse_unreadable(disk, kDataStart, unreadable) end
  local ours = own and own.primary and own.id == id
  if ours and (own.mounted or not blank) then return enter_gap(disks.kReservedName) .. adopt(disk, own, last) end
  if blank then return "" end
  local found = signatures.find(file, last, disk.size, kDataStart, disk.table, id)
  file:close()
  if found then refuse_found(disk, found, last) end
  return enter_gap(disks.kBlankName)
end

--- A copy of this disk that is attached later takes none of the names by which partitions are mounted.
local function prefer(disk)
  local number = disks.read_file(folder .. "/sys/block/" .. disk.name:gsub("/", "!") .. "/dev"):match("%S+")
  local rules = assert(io.open(folder .. "/run/udev/rules.d/61-mailstead.rules", "w"))
  assert(rules:write('SUBSYSTEM=="block", ENV{ID_PART_ENTRY_DISK}=="?*", ENV{ID_PART_ENTRY_DISK}!="' .. number ..
    '", OPTIONS+="link_priority=-100"\n'))
  assert(rules:close())
end

local all = disks.list(folder)
local ids = disks.slot_ids(folder)
ids[#ids + 1] = id
disks.refuse_twins(folder, all, ids)
local disk = own_disk(all)
prefer(disk)
local last, gap = end_of_slots(disk)
local entries = disks.partition(disk.table, id) and "" or decide(disk, last, gap)
write("disk", string.format("DISK=%s\nGAP=%d\n", disk.path, gap and gap.number or unused_number(disk)))
if entries ~= "" then write("table", entries) end
if (gap and gap.name == disks.kBlankName) or entries:find(disks.kBlankName, 1, true) then write("made", "") end
