-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whose an address is: what both instances of Rspamd know of the site (addresses.conf in the folder of each) and ask of a task.

local logger = require "rspamd_logger"
local ucl = require "ucl"

local addresses = {
  owners = {},    -- address, or @domain for its catch-all -> logins that may write as it
  forwarded = {}, -- addresses whose mail goes on to other servers, all of it or in part
  domains = {},   -- ours
}
local delimiter = ""
local a_labels = {} -- of our domains, by their names in Unicode

local file = rspamd_paths["CONFDIR"] .. "/addresses.conf"
local parser = ucl.parser()
local parsed, problem = parser:parse_file(file)
if parsed then
  local content = parser:get_object()
  delimiter = content.recipient_delimiter or ""
  a_labels = content.a_labels or {}
  for address, logins in pairs(content.senders or {}) do
    addresses.owners[address] = {}
    for _, login in ipairs(logins) do
      addresses.owners[address][login] = true
    end
  end
  for _, address in ipairs(content.forwarded or {}) do
    addresses.forwarded[address] = true
  end
  addresses.domains = content.domains or {}
else
  -- Nobody owns anything then: all is refused rather than let through.
  logger.errx(rspamd_config, "cannot read %s: %s", file, problem)
end

-- The entry of an address in a table, or of what is before its detail (user+detail@domain), as Postfix looks it up.
function addresses.look_up(tbl, address)
  local found = tbl[address]
  if found or delimiter == "" then
    return found
  end
  local at = address:find("@[^@]*$")
  local cut = at and address:find(delimiter, 2, true)
  if not cut or cut >= at then
    return nil
  end
  return tbl[address:sub(1, cut - 1) .. address:sub(at)]
end

-- Postfix takes a domain with the final dot of DNS for the one without.
function addresses.domain_of(address)
  local domain = address:lower():match("@([^@]+)$")
  return domain and domain:gsub("%.$", "")
end

-- Who may write as an address. What has no entry of its own is its catch-all's, as for Postfix.
function addresses.owners_of(address)
  return addresses.look_up(addresses.owners, address) or addresses.owners[address:match("@[^@]*$") or ""] or {}
end

-- The machine's own proof, which can log in from this machine only and write to itself only (mailstead-proof.service), shows that
-- the mail of all our domains is signed.
local kProof = "proof@proof.invalid"
local ours = {["proof.invalid"] = true}
for _, domain in pairs(a_labels) do
  ours[domain] = true
end

-- The domain may be written in Unicode, as in names that show an address.
function addresses.owns(user, address)
  address = address:lower():gsub("[^@]*$", a_labels)
  return user == kProof and ours[address:match("[^@]*$")] == true or addresses.owners_of(address)[user] == true
end

-- From this machine itself. Rspamd's is_local() also takes link-local addresses for that, which are the neighbours'.
function addresses.is_own_machine(task)
  local ip = task:get_from_ip()
  local text = ip and ip:is_valid() and ip:to_string()
  return text == "127.0.0.1" or text == "::1"
end

function addresses.envelope_sender(task)
  local from = task:get_from("smtp")
  return from and from[1] and (from[1].addr or ""):lower() or ""
end

function addresses.reject(task, text)
  task:set_pre_result({action = "reject", message = text, module = "ADDRESSES"})
end

-- A rule that fails lets nothing pass: Rspamd would go on without it.
function addresses.guarded(rule)
  return function(task)
    local done, problem = pcall(rule, task)
    if not done then
      logger.errx(task, "a rule has failed: %s", problem)
      task:set_pre_result({action = "soft reject", message = "The sender cannot be checked at the moment", module = "ADDRESSES"})
    end
  end
end

return addresses
