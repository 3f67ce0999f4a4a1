-- SPDX-License-Identifier: GPL-3.0-or-later
-- A header field that Postfix would cut is refused. Where milters look at mail, cleanup takes no further lines of a field once it has
-- 60,000 bytes of it, whatever header_size_limit says, and tells nobody: addressees would be gone, and signatures over the field
-- broken. That holds for the headers of parts and of attached messages as well. Rspamd sees what is left, of which only the size
-- tells that something may be missing.

local addresses = require "addresses"

-- A little less than Postfix', which counts blanks that it takes out later.
local kLargest = 59000

local function has_long_field(header)
  if header:len() <= kLargest then
    return false
  end
  local size = 0
  for line in header:str():gsub("\r\n", "\n"):gmatch("[^\n]+") do
    size = line:find("^[ \t]") and size + 1 + #line or #line
    if size > kLargest then
      return true
    end
  end
  return false
end

local function check_fields(task)
  local found = has_long_field(task:get_raw_headers())
  for _, part in ipairs(task:get_parts() or {}) do
    found = found or has_long_field(part:get_raw_headers())
  end
  if found then
    addresses.reject(task, "Message refused: a header field is larger than " .. kLargest .. " bytes")
  end
end

rspamd_config:register_symbol({
  name = "LONG_FIELDS",
  type = "prefilter",
  -- Before AUTHORS and SENDER_NOT_OWN, which would read what is left.
  priority = 30,
  flags = "empty,nostat",
  score = 0.0,
  description = "A header field is larger than Postfix takes it",
  callback = addresses.guarded(check_fields),
})
