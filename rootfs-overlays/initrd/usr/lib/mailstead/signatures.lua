-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether a part of a disk is blank, and what is on it if it is not.
local disks = require "disks"
local signatures = {}

local kPiece <const> = 8 << 10
local kWhole <const> = 128 << 10  -- where all the signatures are
local kClosest <const> = 64 << 10
local kMostPieces <const> = 65536
local kClose <const> = 16 << 20  -- read without gaps where the data will begin
local kBlank <const> = { [("\0"):rep(kPiece)] = true, [("\xff"):rep(kPiece)] = true }

-- Beginnings of what is most often found: offset, bytes, name. What is not listed is refused likewise, without a name.
local kKnown <const> = {
  { 0, "LUKS\xba\xbe", "an encrypted volume (LUKS)" },
  { 0, "XFSB", "an XFS file system" },
  { 0, "hsqs", "a squashfs file system" },
  { 3, "NTFS    ", "an NTFS file system" },
  { 3, "EXFAT   ", "an exFAT file system" },
  { 3, "-FVE-FS-", "a BitLocker volume" },
  { 54, "FAT1", "a FAT file system" },
  { 82, "FAT32   ", "a FAT file system" },
  { 32, "NXSB", "an APFS container" },
  { 512, "LABELONE", "an LVM volume" },
  { 512, "EFI PART", "a partition table (GPT)" },
  { 1024, "\x10\x20\xf5\xf2", "an F2FS file system" },
  { 1024, "\xe2\xe1\xf5\xe0", "an EROFS file system" },
  { 1024, "H+", "an HFS+ file system" },
  { 0, "\xfc\x4e\x2b\xa9", "a RAID member" },
  { 4096, "\xfc\x4e\x2b\xa9", "a RAID member" },
  { 4086, "SWAPSPACE2", "swap space" },
  { 32769, "CD001", "an ISO 9660 file system" },
  -- What leaves its beginning blank is found further on.
  { 1, "CD001", "an ISO 9660 file system" },
  { 64, "_BHRfS_M", "a btrfs file system" },
}

--- The ext4 superblock that begins with `bytes`, or nil (kernel documentation, filesystems/ext4/super.rst).
local function superblock(bytes)
  if #bytes < 1024 or bytes:sub(57, 58) ~= "\x53\xef" then return nil end
  local blocks_low, log_size = string.unpack("<I4", bytes, 5), string.unpack("<I4", bytes, 25)
  local incompatible, read_only = string.unpack("<I4I4", bytes, 97)
  local blocks_high = incompatible & 0x80 ~= 0 and string.unpack("<I4", bytes, 337) or 0
  local group = string.unpack("<I2", bytes, 91)
  local mounted = string.unpack("<I4", bytes, 45)
  if log_size > 6 then return nil end
  -- With checksums of metadata (mkfs has them on) a damaged superblock is told from a sound one.
  local summed = read_only & 0x400 ~= 0
  local sound = not summed or disks.crc32(bytes:sub(1, 1020), 0x82f63b78, true) == string.unpack("<I4", bytes, 1021)
  return {
    id = string.format("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", bytes:byte(105, 120)),
    label = bytes:sub(121, 136):match("^[%g ]*"),
    bytes = (blocks_high << 32 | blocks_low) * (1024 << log_size),
    group = group, mounted = mounted ~= 0, sound = sound,
  }
end

--- The ext4 file system that begins at `start`, or nil, with the reason if it cannot be read. `primary`: its own superblock is in order,
--- not only a copy.
function signatures.ext4(file, start)
  local bytes, reason = disks.read_at(file, start + 1024, 1024)
  if not bytes then return nil, reason end
  local found = superblock(bytes)
  if found then found.primary = found.sound and found.group == 0 end
  return found
end

local function describe_ext4(found, id)
  if found.id == id then return "the data of this site (ext4), damaged at their beginning" end
  local name = found.label ~= "" and string.format(" called '%s'", found.label) or ""
  return string.format("an ext4 file system%s, id %s", name, found.id)
end

--- What begins at this place of the disk, as text, or nil if nothing known does; whether it is this site's.
local function name_of(file, place, id)
  local bytes = disks.read_at(file, place, kWhole) or disks.read_at(file, place, kPiece) or ""
  -- A copy of the superblock is at the beginning of a group of blocks, which has one more in front with blocks of 1 KiB.
  local ext4 = superblock(bytes:sub(1025, 2048)) or superblock(bytes:sub(1, 1024))
  if ext4 then return describe_ext4(ext4, id), ext4.id == id end
  for _, known in ipairs(kKnown) do
    local offset, wanted, name = table.unpack(known)
    if bytes:sub(offset + 1, offset + #wanted) == wanted then return name end
  end
  return nil
end

local function power_of_two(number)
  local power = 1
  while power < number do power = power << 1 end
  return power
end

--- How far apart pieces are read, on disks of up to 64 GiB at each whole MiB at least, where partitions begin and ext4 has the copies
--- of its superblock. A disk of a terabyte is not read whole at its first start.
local function step_in(bytes)
  return math.max(kClosest, power_of_two(bytes // kMostPieces))
end

local kDamaged <const> = "To mend it, from a rescue system: e2fsck -b 32768 -B 4096 on the data at 2 GiB (losetup -o)."

--- Where to look for something between `first` and the end of the disk, most telling places first: where the table of an earlier owner
--- says that something begins, where the data will begin (`start`), everywhere.
local function places_in(file, first, size, start)
  local places = {}
  local old = disks.read_old_table(file, size)
  for _, partition in ipairs(old and old.partitions or {}) do
    if partition.start >= first then places[#places + 1] = partition.start end
  end
  -- The last 33 sectors, or more, are those of a table.
  local last = size - math.max(33 << 9, old and old.copy_bytes or 0) - kPiece
  for place = start, math.min(start + kClose, last), kPiece do places[#places + 1] = place end
  for place = first, last, step_in(size - first) do places[#places + 1] = place end
  return places
end

--- The most telling of what is between `first` and the end of the disk (offset, what, remedy), or nil if all of it is blank. A place that
--- cannot be read (offset, unreadable: the reason) may hold anything. The copy of the table at the end of the image does not count. The
--- data will begin at `start`.
function signatures.find(file, first, size, start, partition_table, id)
  local copy_last = partition_table.other + partition_table.sector
  local copy_first = copy_last - partition_table.copy_bytes
  local function is_blank(place)
    local piece, reason = disks.read_at(file, place, kPiece)
    if not piece then return false, reason end
    local from, to = math.max(place, copy_first), math.min(place + #piece, copy_last)
    if from < to then piece = piece:sub(1, from - place) .. ("\0"):rep(to - from) .. piece:sub(to - place + 1) end
    return kBlank[piece] or piece:find("^\0*$") ~= nil
  end
  local best
  for _, place in ipairs(places_in(file, first, size, start)) do
    local blank, unreadable = is_blank(place)
    if unreadable then
      -- One is enough: a disk that is going takes seconds for each.
      best = best or { offset = place, unreadable = unreadable }
      break
    elseif not blank then
      local what, ours = name_of(file, place, id)
      if not best or what then
        best = { offset = place, what = what or "bytes of an unknown kind", remedy = ours and kDamaged or nil }
      end
      if what then break end
    end
  end
  return best
end

return signatures
