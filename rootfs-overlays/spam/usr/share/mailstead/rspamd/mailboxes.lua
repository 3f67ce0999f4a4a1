-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whose mail it is: the one grammar of From, for strangers and for users. It accepts what Dovecot's ENVELOPE, Rspamd and common mail
-- programs all read as the same addresses, and nothing else, so that the address which is judged (DMARC, or whether it is the
-- user's own) is the address which is shown. It is RFC 5322 section 3.4 without obsolete forms, but for two that honest mail
-- has and nobody misreads (1, 2), and without some that are allowed and that programs read in different ways (3 to 6).
--
--   mailbox-list  = mailbox *9("," mailbox)          ; all of one domain: DMARC judges one
--                 / repeated
--   mailbox       = name-addr / ([CFWS] addr-spec [CFWS])
--   name-addr     = [phrase] [CFWS] "<" addr-spec ">" [CFWS]
--   repeated      = addr-spec FWS "<" addr-spec ">"  ; (1) the same address twice, as many scripts write it
--   phrase        = 1*([CFWS] word)
--   word          = text *(text / ".")               ; (2) J. Smith; encoded words (RFC 2047) are such words
--                 / DQUOTE *(%d32-33 / %d35-91 / %d93-126 / HTAB / UTF8-non-ascii / quoted-pair) DQUOTE
--                 / "." 1*text                       ; not the first word: Contoso .NET
--   text          = atext / UTF8-non-ascii           ; RFC 6532; programs show it, whatever was declared
--   addr-spec     = dot-atom-text "@" domain         ; (3) no quoted local part, no blank or comment in it
--   domain        = 1*(label ".") label              ; at most 253 characters, and the local part at most 64 (RFC 5321)
--   label         = let-dig *61(let-dig / "-")       ; ends in let-dig; (4) no domain literals, no U-labels
--   let-dig       = ALPHA / DIGIT / "_"
--   CFWS          = FWS / ([FWS] "(" *ctext ")" [FWS])   ; (5) comments are not nested, nor side by side
--   ctext         = WSP / %d33 / %d35-39 / %d42-91 / %d93-126 / UTF8-non-ascii
--   FWS           = ([*WSP CRLF] 1*WSP)              ; no folded line of white space only
--
-- (6) Not in it: groups, routes, ";", empty elements, control characters, lines of more than 998 characters, encoded words in an
-- address, a local part with "=?", and encoded words that hide what would be syntax (see words.lua).

local words = require "words"

local M = {}

local longest_line = 998
local longest_body = 4096
local most_authors = 10
local atext = "A-Za-z0-9!#$%%&'*+/=?^_`{|}~%-"
local utf8 = "\128-\255"

local function skip_blank(s, pos)
  return s:match("^[ \t]*()", pos)
end

-- Behind blanks and at most one comment, whose text is added to `names`: Dovecot shows it where there is no name.
local function skip_cfws(s, pos, names)
  pos = skip_blank(s, pos)
  local comment, after = s:match('^%(([^()"\\]*)%)()', pos)
  if not comment then
    return pos
  end
  names[#names + 1] = comment
  return skip_blank(s, after)
end

local remedy = "; write it as Name <user@example.org>, with a name of other signs than letters and digits in quotes"

local function is_domain(domain)
  local labels = 0
  for label in (domain .. "."):gmatch("([^.]*)%.") do
    if #label > 63 or not label:find("^[A-Za-z0-9_]") or not label:find("[A-Za-z0-9_]$") then
      return false
    end
    labels = labels + 1
  end
  return labels > 1 and #domain <= 253 and domain:find("[A-Za-z][A-Za-z0-9-]*$") ~= nil
end

local function is_dot_atom(text)
  return not (text:find("^%.") or text:find("%.$") or text:find("..", 1, true))
end

-- An address and the place behind it, or nil.
local function addr_spec(s, pos)
  local user, domain, after = s:match("^([" .. atext .. ".]+)@([A-Za-z0-9._-]+)()", pos)
  if not user or #user > 64 or not is_dot_atom(user) or user:find("=?", 1, true) or not is_domain(domain) then
    return nil
  end
  return {address = user .. "@" .. domain, user = user, domain = domain:lower()}, after
end

local function angle_addr(s, pos)
  if s:sub(pos, pos) ~= "<" then
    return nil
  end
  local mailbox, after = addr_spec(s, pos + 1)
  if not mailbox or s:sub(after, after) ~= ">" then
    return nil
  end
  return mailbox, after + 1
end

local function quoted_string(s, pos)
  local text = {}
  while true do
    local plain, stop = s:match('^([^"\\]*)()', pos + 1)
    text[#text + 1] = plain
    if s:sub(stop, stop) == '"' then
      return table.concat(text), stop + 1
    end
    if stop >= #s then
      return nil
    end
    text[#text + 1] = s:sub(stop + 1, stop + 1)
    pos = stop + 1
  end
end

local function word(s, pos, is_first)
  if s:sub(pos, pos) == '"' then
    return quoted_string(s, pos)
  end
  local text, after = s:match("^([" .. atext .. utf8 .. "][" .. atext .. utf8 .. ".]*)()", pos)
  if not text and not is_first then
    text, after = s:match("^(%.[" .. atext .. utf8 .. "]+)()", pos)
  end
  return text, after
end

-- The words of a name, if there are any, and the place where its address begins.
local function phrase(s, pos, names)
  local text = {}
  while true do
    pos = skip_cfws(s, pos, names)
    local one, after = word(s, pos, #text == 0)
    if not one then
      break
    end
    text[#text + 1] = one
    pos = after
  end
  if #text > 0 then
    names[#names + 1] = table.concat(text, " ")
  end
  return pos
end

-- What is wrong where a name ends and no address follows.
local function wrong_at(s, pos)
  local sign = s:sub(pos, pos)
  if sign == "" then
    return "there is no address behind a name"
  elseif sign == "<" then
    return "there is something else than one valid address in angle brackets"
  elseif sign == '"' then
    return "a quote is not closed"
  elseif sign == "(" or sign == ")" then
    return "a comment in parentheses is not closed, or in or beside another"
  elseif sign == "@" then
    return "there is '@' outside of quotes and angle brackets, or an address that is not valid"
  end
  return "there is '" .. sign .. "' outside of quotes"
end

local function mailbox(s, pos)
  local names = {}
  local one, after = addr_spec(s, skip_cfws(s, pos, names))
  if one and s:find("^[ \t]*[,(]", after) or one and s:find("^[ \t]*$", after) then
    after = skip_cfws(s, after, names)
  else
    names = {}
    pos = phrase(s, pos, names)
    one, after = angle_addr(s, pos)
    if not one then
      return nil, wrong_at(s, pos)
    end
    after = skip_cfws(s, after, names)
  end
  one.names = names
  return one, after
end

local function repeated(s)
  local first, after = addr_spec(s, skip_blank(s, 1))
  local again, rest = angle_addr(s, first and s:match("^[ \t]+()", after) or #s + 1)
  if again and again.address:lower() == first.address:lower() and skip_blank(s, rest) > #s then
    again.names = {}
    return again
  end
  return nil
end

-- The body of a field on one line, or nil and what is wrong with its bytes.
local function unfolded(body)
  if #body > longest_body then
    return nil, "it is too long"
  end
  for line in body:gmatch("[^\n]+") do
    if #line > longest_line then
      return nil, "a line of it is too long"
    end
  end
  if body:find("\n[ \t]*\n") or body:find("\n[ \t]*$") then
    return nil, "a folded line is empty"
  end
  body = body:gsub("\n", "")
  if body:find("[%z\1-\8\10-\31\127]") then
    return nil, "there is a control character in it"
  end
  if not words.is_utf8(body) then
    return nil, "it has 8-bit characters that are not UTF-8; encode them (RFC 2047)"
  end
  return body
end

local function read_list(text)
  local only = repeated(text)
  if only then
    return {only}
  end
  local list = {}
  local pos = 1
  repeat
    local one, after = mailbox(text, pos)
    if not one then
      return nil, after .. remedy
    end
    list[#list + 1] = one
    if #list > most_authors then
      return nil, "it has more than " .. most_authors .. " addresses"
    end
    pos = after + 1
  until text:sub(after, after) ~= ","
  if pos <= #text + 1 then
    return nil, "there is '" .. text:sub(pos - 1, pos - 1) .. "' behind an address" .. remedy
  end
  return list
end

-- The mailboxes of a field's body, each with `address`, `user`, `domain` (in lower case) and `names` (what is shown beside it, without
-- encodings); or nil and what is wrong.
function M.read(body)
  local text, wrong = unfolded(body)
  if not text then
    return nil, wrong
  end
  local list
  list, wrong = read_list(text)
  for _, one in ipairs(list or {}) do
    if one.domain ~= list[1].domain then
      return nil, "its addresses are of different domains"
    end
    for i, name in ipairs(one.names) do
      one.names[i], wrong = words.decoded(name)
      if not one.names[i] then
        return nil, wrong
      end
    end
  end
  return list, wrong
end

return M
