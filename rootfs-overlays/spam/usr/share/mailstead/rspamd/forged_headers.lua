-- SPDX-License-Identifier: GPL-3.0-or-later
-- Headers that only this machine may write are removed from what comes in, whoever wrote them; ours are added afterwards. Readers,
-- their programs and our own scripts (junk.sieve, Sieve's test for loops) take them for ours. Postfix has removed blanks before
-- the colon, and counts names without regard to case, as this does.
--
-- Sieve tells a loop by the Message-ID too, which it remembers for twelve hours; without X-Sieve-Redirected-From a loop ends at the
-- second round.

local lua_mime = require "lua_mime"
local util = require "rspamd_util"

local kOurs = {
  "^x%-spam", "^x%-rspamd", "^x%-sieve", "^authentication%-results$", "^received%-spf$", "^x%-mailstead", "^x%-original%-to$",
}
-- Results in a chain of forwarders (RFC 8617): most name somebody else, and belong to the chain's signatures.
local kChain = {"arc-authentication-results", "arc-message-signature", "arc-seal"}

local host = util.get_hostname():lower()

local function is_ours(name)
  for _, pattern in ipairs(kOurs) do
    if name:find(pattern) then
      return true
    end
  end
  return false
end

-- Whether a result in a chain is said to be ours, "i=1; mail.example.org 1; …". It never is, as nothing here seals. Comments and quoted
-- strings could stand there as well; no forwarder writes them, and programs read them in different ways (quoted pairs, a comment
-- within a name). So whatever is more than an instance, a name and a version counts as ours.
local function names_us(value)
  local id, after = value:lower():match("^%s*i%s*=%s*%d+%s*;%s*([%w._-]+)%s*([^;]*)")
  return id == nil or id:gsub("%.$", "") == host or not after:find("^%d*%s*$")
end

local function remove_forged(task)
  local remove = {}
  for _, header in ipairs(task:get_headers() or {}) do
    local name = header.name:lower()
    if is_ours(name) then
      remove[name] = 0
    elseif name == "arc-authentication-results" and names_us(header.value or "") then
      -- What is left would be no chain.
      for _, part in ipairs(kChain) do
        remove[part] = 0
      end
    end
  end
  if next(remove) then
    lua_mime.modify_headers(task, {remove = remove})
  end
end

rspamd_config:register_symbol({
  name = "FORGED_HEADERS",
  type = "idempotent",
  flags = "empty,explicit_disable,ignore_passthrough",
  -- Before milter_headers, which adds ours.
  priority = 5,
  callback = remove_forged,
})
