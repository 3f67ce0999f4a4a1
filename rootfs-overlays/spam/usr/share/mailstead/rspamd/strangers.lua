-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who is in From of a stranger's mail must be certain (mailboxes.lua has the grammar), as DMARC is judged by it.
--
-- What a stranger wrote leaves for other servers only if nothing speaks against it: it leaves from our address, which our own
-- domains' records vouch for.

local addresses = require "addresses"
local authors = require "authors"
local util = require "rspamd_util"

local domain_of, look_up, reject = addresses.domain_of, addresses.look_up, addresses.reject

-- Whether mail for a recipient leaves, and whether that is known: he may be written in a way that Postfix understands and this
-- rule does not.
local function leaves_again(recipient)
  local domain = domain_of(recipient.addr or "") or ""
  local address = (recipient.user or ""):lower():gsub('^"(.*)"$', "%1") .. "@" .. domain
  if look_up(addresses.forwarded, address) then
    return true, true
  end
  if look_up(addresses.owners, address) then
    return false, true
  end
  -- The catch-all is for whom nothing else is.
  return addresses.forwarded["@" .. domain] == true, false
end

local function any_leaves(task)
  local leaves, all_known = false, true
  for _, recipient in ipairs(task:get_recipients("smtp") or {}) do
    local this_leaves, known = leaves_again(recipient)
    leaves = leaves or this_leaves
    all_known = all_known and known
  end
  return leaves, all_known
end

local function check_authors(task)
  local list, wrong = authors.of(task)
  local leaves, all_known = any_leaves(task)
  task:cache_set("leaves", {leaves, all_known})
  if not list then
    reject(task, (leaves and "Not forwarded: " or "Not accepted: ") .. wrong)
  elseif #list > 1 then
    -- DMARC is judged for one author. All are of one domain, so that the first stands for them.
    task:set_from("mime", {addr = list[1].address, user = list[1].user, domain = list[1].domain})
  end
end

-- DMARC takes all names of an organisation for one (relaxed alignment, RFC 7489 section 3.1), and so does this. Made at first
-- use: Rspamd has no list of public suffixes yet while it reads its configuration.
local organisations
local function is_ours(address)
  if not organisations then
    organisations = {}
    for _, domain in ipairs(addresses.domains) do
      organisations[util.get_tld(domain)] = true
    end
  end
  local domain = domain_of(address or "")
  return domain ~= nil and organisations[util.get_tld(domain)] == true
end

local function is_in_our_name(task)
  if is_ours(addresses.envelope_sender(task)) then
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
  -- Neither who may send for the domain nor what its owner asks for could be asked: the resolver is not there.
  if task:has_symbol("DMARC_DNSFAIL") and task:has_symbol("R_SPF_DNSFAIL") then
    task:set_pre_result({action = "soft reject", message = "The sender's domain cannot be asked at the moment", module = "ADDRESSES"})
    return
  end
  local leaves, all_known = unpack(task:cache_get("leaves"))
  if (leaves or not all_known) and is_in_our_name(task) and not task:has_symbol("DMARC_POLICY_ALLOW") then
    reject(task, "Not forwarded: written in our name, and not by us")
  elseif leaves and task:get_metric_action() == "add header" then
    -- Here it would be filed as junk; its target would refuse it, and the bounce go to a sender who may be forged.
    reject(task, "Not forwarded: it looks like spam")
  end
end

rspamd_config:register_symbol({
  name = "AUTHORS",
  type = "prefilter",
  -- Before all others: what is refused need not be looked at, and EMAIL_PLUS_ALIASES takes details and Gmail's dots off the addresses.
  priority = 20,
  flags = "empty,nostat",
  score = 0.0,
  description = "It is not certain who a message is from",
  callback = addresses.guarded(check_authors),
})

rspamd_config:register_symbol({
  name = "STRANGERS_MAIL",
  type = "postfilter",
  flags = "empty,nostat",
  score = 0.0,
  description = "Mail from outside that is put off, or not forwarded",
  callback = addresses.guarded(check_stranger),
})
