-- SPDX-License-Identifier: GPL-3.0-or-later
-- An SPF record whose evaluation takes more than ten look-ups is in error (RFC 7208 section 4.6.4). Rspamd 3.12 reads the whole tree
-- of records at once, also behind the term that matches, and leaves out what is beyond its own limit instead of saying permerror: its
-- max_dns_requests can neither pass a record of twelve look-ups whose third one matches, nor refuse one whose twelfth does.
-- So the look-ups are counted here, after Rspamd's verdict, in the order of evaluation and up to the term that Rspamd says has
-- matched. Texts come from our resolver's cache.
--
-- The limit of two void look-ups, which the RFC only recommends, is not held: they are not told apart without asking all again.

local dns = require "rspamd_dns"

local kLookUps = 10

local verdicts = {"R_SPF_ALLOW", "R_SPF_FAIL", "R_SPF_SOFTFAIL", "R_SPF_NEUTRAL"}

-- The verdict and the term that gave it, without its qualifier: "+ip4:192.0.2.1", with ":c" behind it if from Rspamd's cache.
local function verdict_of(task)
  for _, symbol in ipairs(verdicts) do
    local found = task:get_symbol(symbol)
    if found then
      local term = found[1].options and found[1].options[1] or ""
      return symbol, term:lower():gsub("^[-+~?]", ""):gsub(":c$", "")
    end
  end
end

-- The domain that SPF was asked for.
local function domain_of(task)
  local from = task:get_from("smtp")
  local domain = from and from[1] and from[1].domain
  return domain and domain ~= "" and domain or task:get_helo()
end

local function record_of(task, domain)
  local known, answers = dns.request({task = task, type = "txt", name = domain, forced = true})
  for _, answer in ipairs(known and answers or {}) do
    if type(answer) == "string" and (answer:lower() .. " "):find("^v=spf1 ") then
      return answer:lower()
    end
  end
  return ""
end

local kAsk = {a = true, mx = true, ptr = true, exists = true, include = true}

local evaluate

-- Whether evaluation ends with this term; counts in state. A macro is not written out here, so a term with one may be the one.
local function ends_with(state, term, top)
  local text = term:gsub("^[-+~?]", "")
  if text == "all" then
    -- Without a plus it ends an included record only.
    return top or term:find("^[-~?]") == nil
  end
  local name, value = text:match("^([a-z0-9]+)[:=]?(.*)$")
  if kAsk[name] then
    state.count = state.count + 1
  end
  local fixed = text:match("^([^%%]*)%%")
  if fixed then
    return name == "include" or state.matched:sub(1, #fixed) == fixed
  elseif name == "include" and state.count <= kLookUps then
    return evaluate(state, value, false)
  end
  return text == state.matched
end

-- Whether evaluation ends in the record of this domain. Top is the record of the sender's domain, or where that redirects to.
evaluate = function(state, domain, top)
  local redirect
  for term in record_of(state.task, domain):gmatch("%S+") do
    redirect = redirect or term:match("^redirect=([^%%]+)$")
    if ends_with(state, term, top) or state.count > kLookUps then
      return true
    end
  end
  if redirect then
    state.count = state.count + 1
    return state.count > kLookUps or evaluate(state, redirect, top)
  end
  return false
end

local function count_look_ups(task)
  local symbol, matched = verdict_of(task)
  local domain = symbol and domain_of(task)
  if not domain then
    return
  end
  local state = {task = task, matched = matched, count = 0}
  evaluate(state, domain, true)
  if state.count > kLookUps then
    task:remove_result(symbol)
    task:insert_result("R_SPF_PERMFAIL", 1.0, "more than " .. kLookUps .. " look-ups")
  end
end

rspamd_config:register_symbol({
  name = "SPF_LOOKUPS",
  type = "callback",
  flags = "empty,nostat,coro",
  score = 0.0,
  description = "Look-ups of the sender's SPF record are counted",
  callback = count_look_ups,
})
rspamd_config:register_dependency("SPF_LOOKUPS", "SPF_CHECK")
rspamd_config:register_dependency("DMARC_CHECK", "SPF_LOOKUPS")
