-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whose an address is, and where its mail goes.
--
-- Who logged in may write only as himself: every address in From and Sender must be one of his. Postfix has looked at the
-- envelope already. Resending a message of someone else's under his From (Resent-From) is refused with it, as readers see From.
--
-- What a stranger wrote leaves for other servers only if nothing speaks against it: it leaves from our address, which our own
-- domains' records vouch for.

local logger = require "rspamd_logger"
local ucl = require "ucl"
local util = require "rspamd_util"

local file = rspamd_paths["CONFDIR"] .. "/addresses.conf"
local owners = {}
local forwarded = {}
local domains = {}
local delimiter = ""

local parser = ucl.parser()
local parsed, problem = parser:parse_file(file)
if parsed then
  local content = parser:get_object()
  delimiter = content.recipient_delimiter or ""
  for address, logins in pairs(content.senders or {}) do
    owners[address] = {}
    for _, login in ipairs(logins) do
      owners[address][login] = true
    end
  end
  for _, address in ipairs(content.forwarded or {}) do
    forwarded[address] = true
  end
  domains = content.domains or {}
else
  -- Nobody owns anything then: all is refused rather than let through.
  logger.errx(rspamd_config, "cannot read %s: %s", file, problem)
end

-- The entry of an address in a table, or of what is before its detail (user+detail@domain), as Postfix looks it up.
local function look_up(tbl, address)
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
local function domain_of(address)
  local domain = address:lower():match("@([^@]+)$")
  return domain and domain:gsub("%.$", "")
end

local function owns(user, address)
  local found = look_up(owners, address:lower())
  return found ~= nil and found[user] == true
end

-- The addresses of a header that is there once, or nil and what is wrong with it.
local function addresses_of(task, name, pool)
  local headers = task:get_header_full(name) or {}
  if #headers > 1 then
    return nil, "there is more than one " .. name .. " line"
  end
  if #headers == 0 then
    return {}
  end
  local list = util.parse_mail_address(headers[1].value or "", pool) or {}
  if #list == 0 then
    return nil, "there is no address in " .. name
  end
  return list
end

-- From this machine itself. Rspamd's is_local() also takes link-local addresses for that, which are the neighbours'.
local function is_own_machine(task)
  local ip = task:get_from_ip()
  local text = ip and ip:is_valid() and ip:to_string()
  return text == "127.0.0.1" or text == "::1"
end

local function envelope_sender(task)
  local from = task:get_from("smtp")
  return from and from[1] and (from[1].addr or ""):lower() or ""
end

local function reject(task, text)
  task:set_pre_result({action = "reject", message = text, module = "ADDRESSES"})
end

-- Where the first header line of that name begins, or nil.
local function place_of(headers, name)
  return ("\n" .. headers:lower()):find("\n" .. name .. ":", 1, true)
end

-- Whether a user's script has redirected this. Dovecot then says so above all that the message had; in a reply, the text of a
-- script can bring header lines of its own (vacation :mime), but only below MIME-Version.
local function is_redirected(task)
  local headers = tostring(task:get_raw_headers() or "")
  local redirected = place_of(headers, "x-sieve-redirected-from")
  local mime = place_of(headers, "mime-version")
  return redirected ~= nil and (mime == nil or redirected < mime)
end

-- A vacation reply that Dovecot has written for one of our users: it comes from this machine and was not redirected.
-- A script may put anything into From, so the reply says by its envelope whose it is (sieve_vacation_send_from_recipient); then
-- the envelope becomes the empty one of automatic replies (RFC 3834 section 3.3).
local function check_own_reply(task)
  local sender = envelope_sender(task)
  if sender == "" or is_redirected(task) then
    return
  end
  local list = addresses_of(task, "From", task:get_mempool())
  if list and #list == 1 and list[1].addr then
    for user in pairs(look_up(owners, sender) or {}) do
      if owns(user, list[1].addr) then
        task:get_mempool():set_variable("own_from_domain", domain_of(list[1].addr))
        task:set_milter_reply({change_from = "<>"})
        return
      end
    end
  end
  reject(task, "Sender rejected: a reply is from someone else than its user")
  return true, 1.0, sender
end

local function check_sender(task)
  local user = task:get_user()
  if not user then
    if is_own_machine(task) then
      return check_own_reply(task)
    end
    return
  end
  user = user:lower()
  local function refuse(text)
    reject(task, "Sender rejected: " .. text)
    return true, 1.0, user
  end
  local pool = task:get_mempool()
  local domain
  for _, name in ipairs({"From", "Sender"}) do
    local list, wrong = addresses_of(task, name, pool)
    if not list then
      return refuse(wrong)
    end
    for _, one in ipairs(list) do
      if not one.addr or not owns(user, one.addr) then
        return refuse("an address in " .. name .. " is not yours")
      end
    end
    if name == "From" then
      if #list == 0 then
        return refuse("there is no From line")
      end
      domain = domain_of(list[1].addr)
    end
  end
  -- What dkim_signing.conf signs for.
  pool:set_variable("own_from_domain", domain)
end

-- Whether mail for a recipient leaves, and whether that is known: he may be written in a way that Postfix understands and this
-- rule does not.
local function leaves_again(recipient)
  local domain = domain_of(recipient.addr or "") or ""
  local address = (recipient.user or ""):lower():gsub('^"(.*)"$', "%1") .. "@" .. domain
  if look_up(forwarded, address) then
    return true, true
  end
  if look_up(owners, address) then
    return false, true
  end
  -- The catch-all is for whom nothing else is.
  return forwarded["@" .. domain] == true, false
end

-- DMARC takes all names of an organisation for one (relaxed alignment, RFC 7489 section 3.1), and so does this. Made at first
-- use: Rspamd has no list of public suffixes yet while it reads its configuration.
local organisations
local function is_ours(address)
  if not organisations then
    organisations = {}
    for _, domain in ipairs(domains) do
      organisations[util.get_tld(domain)] = true
    end
  end
  local domain = domain_of(address or "")
  return domain ~= nil and organisations[util.get_tld(domain)] == true
end

local function is_in_our_name(task)
  if is_ours(envelope_sender(task)) then
    return true
  end
  for _, one in ipairs(task:get_from("mime") or {}) do
    if is_ours(one.addr) then
      return true
    end
  end
  return false
end

-- Mail of strangers, when all is known of it.
local function check_stranger(task)
  if task:get_user() or is_own_machine(task) then
    return
  end
  -- Neither who may send for the domain nor what its owner asks for could be asked: the resolver is not there.
  if task:has_symbol("DMARC_DNSFAIL") and task:has_symbol("R_SPF_DNSFAIL") then
    task:set_pre_result({action = "soft reject", message = "The sender's domain cannot be asked at the moment", module = "ADDRESSES"})
    return
  end
  local leaves, all_known = false, true
  for _, recipient in ipairs(task:get_recipients("smtp") or {}) do
    local this_leaves, known = leaves_again(recipient)
    leaves = leaves or this_leaves
    all_known = all_known and known
  end
  if (leaves or not all_known) and is_in_our_name(task) and not task:has_symbol("DMARC_POLICY_ALLOW") then
    reject(task, "Not forwarded: written in our name, and not by us")
  elseif leaves and task:get_metric_action() == "add header" then
    -- Here it would be filed as junk; its target would refuse it, and the bounce go to a sender who may be forged.
    reject(task, "Not forwarded: it looks like spam")
  end
end

rspamd_config:register_symbol({
  name = "SENDER_NOT_OWN",
  type = "prefilter",
  -- Before all others: what is refused need not be looked at.
  priority = 10,
  flags = "empty,nostat",
  score = 0.0,
  description = "Who logged in, or whose reply it is, writes as someone else",
  callback = check_sender,
})

rspamd_config:register_symbol({
  name = "STRANGERS_MAIL",
  type = "postfilter",
  flags = "empty,nostat",
  score = 0.0,
  description = "Mail from outside that is put off, or not forwarded",
  callback = check_stranger,
})
