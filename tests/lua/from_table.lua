-- SPDX-License-Identifier: GPL-3.0-or-later
-- usage: luajit from_table.lua SOURCE-FOLDER
-- Holds the rules for From against both tables from.table of qemu-tests/ without booting: what Postfix makes of a header before they see it, and
-- DMARC, are left to the dialogues.

local source = arg[1]
package.path = source .. "/rootfs-overlays/spam/usr/share/mailstead/rspamd/?.lua"
local authors = require "authors"

local failures, checked = 0, 0

local function unescaped(text)
  local plain = {r = "\r", n = "\n", t = "\t", ["0"] = "\0", ["\\"] = "\\", ['"'] = '"'}
  return (text:gsub("\\(x?)(.)(%x?)", function(hex, one, two)
    return hex == "x" and string.char(tonumber(one .. two, 16)) or plain[one] .. two
  end))
end

local function expanded(text, variables)
  return (text:gsub("%${([%w]+)}", variables))
end

-- Rspamd has it from ICU (NFKC).
local function normalised(text)
  return (text:gsub("\239\188\160", "@"))
end

-- As Postfix hands it on, or nil if it would change or refuse it.
local function block_of(text)
  local block = text:gsub("\r\n([ \t])", "\n%1")
  local all_fields = not block:find("%z") and not block:gsub("\r\n", ""):find("\r") and #text:match("[^\r\n]*") < 2000
  for line in (block .. "\r\n"):gmatch("(.-)\r\n") do
    all_fields = all_fields and line:find("^[!-9;-~]+:") ~= nil
  end
  return all_fields and block .. "\r\n" or nil
end

local function check(form, whose, wanted, got, wrong)
  checked = checked + 1
  if wanted ~= got then
    failures = failures + 1
    print(("%s: wanted %s for %s, got %s%s"):format(form, wanted, whose, got, wrong and ": " .. wrong or ""))
  end
end

local stranger = {user = "carol", domain = "elsewhere.example", DOMAIN = "ELSEWHERE.Example", other = "chief",
  elsewhere = "strict.example", yes = "yes", no = "no"}
local alice = {user = "alice", domain = "example.org", DOMAIN = "EXAMPLE.Org", other = "bob", elsewhere = "example.org",
  yes = "yes", no = "no"}

local function is_alices(address)
  return address:lower():gsub("%+[^@]*@", "@") == "alice@example.org"
end

for _, folder in ipairs {"mail", "long/mail"} do
  for line in io.lines(source .. "/qemu-tests/" .. folder .. "/from.table") do
    local form, header, for_strangers, for_users = line:match("^([^#\t]+)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t[^\t]*$")
    local block = form and block_of(unescaped(expanded(header, stranger)))
    if block and not form:find("^forged") then
      local list, wrong = authors.read(block)
      check(form, "strangers", expanded(for_strangers, stranger), list and "yes" or "no", list == nil and wrong or nil)
    end
    block = form and block_of(unescaped(expanded(header, alice)))
    -- The decoding of charsets is Rspamd's.
    if block and block:lower():find("from:") and not form:find("jis$") then
      local list, fields = authors.read(block)
      local wrong = list and authors.wrong_for_user(list, fields, is_alices, normalised) or not list and fields
      check(form, "users", expanded(for_users, alice), wrong and "no" or "yes", wrong)
    end
  end
end

-- What the sender's administrators read.
for from, wanted in pairs {
  ["[JIRA] Carol <carol@elsewhere.example>"] = "there is '[' outside of quotes; write it as",
  ["Arol, Carol <carol@elsewhere.example>"] = "there is ',' outside of quotes; write it as",
  ["Re: Carol <carol@elsewhere.example>"] = "there is ':' outside of quotes; write it as",
  ["Carol <carol@elsewhere.example"] = "there is something else than one valid address in angle brackets",
  ["Carol <carol@elsewhere.example> again"] = "there is 'a' behind an address",
  ['"Carol <carol@elsewhere.example>'] = "a quote is not closed",
  ["Carol (a (b)) <carol@elsewhere.example>"] = "a comment in parentheses is not closed, or in or beside another",
  ["Carol"] = "there is no address behind a name",
  ["carol@"] = "there is '@' outside of quotes and angle brackets, or an address that is not valid",
  ["M\252ller <carol@elsewhere.example>"] = "it has 8-bit characters that are not UTF-8; encode them (RFC 2047)",
  ["=?x-made-up?q?Carol?= <carol@elsewhere.example>"] = "an encoded word in it is in a charset that is not accepted (use UTF-8)",
  ["=?iso-2022-jp?b?GyRCO0tGIw==?= <carol@elsewhere.example>"] = "an encoded word in it is not complete ISO-2022-JP (use UTF-8)",
  ["=?utf-8?q?Carol <carol@elsewhere.example>"] = "an encoded word in it is not written as RFC 2047 says",
} do
  local list, wrong = authors.read("From: " .. from .. "\r\n")
  check(from, "strangers", "From cannot be read with certainty: " .. wanted, list and "nothing" or wrong:sub(1, 36 + #wanted), wrong)
end
print(checked .. " verdicts, " .. failures .. " not as in the table")
os.exit(failures == 0 and checked > 200 and 0 or 1)
