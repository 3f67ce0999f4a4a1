-- SPDX-License-Identifier: GPL-3.0-or-later
-- usage: luajit bounds.lua SOURCE-FOLDER
-- What the bounds of Rspamd say to messages, with a search of our own in place of Rspamd's. That the count is no smaller than what the
-- parser makes of these messages was measured with rspamadm of Rspamd 3.12.1.

package.path = arg[1] .. "/rootfs-overlays/spam/usr/share/mailstead/rspamd/?.lua"

-- A text of Rspamd's is a string here.
string.str = function(text)
  return text
end

local Search = {}
Search.__index = Search

-- In the order of the ends of the matches, as Rspamd's.
function Search:search_rawmsg(task, callback)
  local content = task.content:lower()
  local next_of = {}
  while true do
    local which, first, last
    for i, pattern in ipairs(self.patterns) do
      local at = next_of[i]
      if at == nil or at and at.used then
        local from, to = content:find(pattern, at and at.first + 1 or 1, true)
        at = from and {first = from, last = to} or false
        next_of[i] = at
      end
      if at and (not last or at.last < last) then
        which, first, last = i, at.first, at.last
      end
    end
    if not which then
      return
    end
    next_of[which].used = true
    if callback(which, {first - 1, last}) == 1 then
      return
    end
  end
end

package.preload.rspamd_trie = function()
  return {flags = {icase = 1}, create = function(patterns)
    return setmetatable({patterns = patterns}, Search)
  end}
end

local bounds
rspamd_config = {register_symbol = function(_, symbol)
  bounds = symbol.callback
end}
require "bounds"

-- What is said of a message, or nil.
local function verdict(content)
  local text
  bounds({
    content = content,
    get_content = function(self)
      return self.content
    end,
    set_pre_result = function(_, result)
      text = result.message
    end,
    set_flag = function() end,
  })
  return text
end

local head = "From: Carol <carol@elsewhere.example>\r\nMIME-Version: 1.0\r\n"
local plain = "Content-Type: text/plain; charset=utf-8\r\n\r\nSee there.\r\n"
local dashes = ("-- a comment\r\n--\r\n--- a/file\r\n---|---\r\n"):rep(2000)
local dump = "Content-Type: application/sql; name=dump.sql\r\n\r\n" .. dashes

local function multipart(type, boundary, parts, last)
  return "Content-Type: multipart/" .. type .. "\r\n\r\nThis is a message in MIME format.\r\n--" .. boundary .. "\r\n" ..
    table.concat(parts, "\r\n--" .. boundary .. "\r\n") .. (last or "\r\n--" .. boundary .. "--\r\n")
end

local function rep(part, count)
  local parts = {}
  for i = 1, count do
    parts[i] = part
  end
  return parts
end

local short = "\r\nx"
local many = rep(short, 2001)
local attached = "Content-Type: message/rfc822\r\n\r\n"
local lines_of = {}
for _, text in ipairs {"j", "--"} do
  lines_of[text] = "\r\n" .. ("--" .. text .. "\r\n\r\nx\r\n"):rep(3000)
end

local accepted = {
  ["text"] = head .. plain .. dashes,
  ["text without a type"] = head .. "\r\n" .. dashes,
  ["text that quotes mail"] = head .. plain .. dashes .. "Content-Type: multipart/mixed; boundary=a\r\n\r\n" .. dashes,
  ["attached"] = head .. multipart('mixed;\r\n boundary="------------aBc"', "------------aBc", {plain, dump}),
  ["attached, token"] = head .. multipart("mixed; charset=utf-8; boundary=b", "b", {plain, dump, dump}),
  ["other case"] = head .. multipart("MIXED; Boundary=B", "b", {plain, dump}),
  ["both texts of a newsletter"] = head .. multipart("alternative; boundary=b", "b", {
    plain .. dashes, "Content-Type: text/html\r\n\r\n" .. dashes}),
  ["in front of a multipart"] = head .. multipart("mixed; boundary=b", "b", {
    dump, multipart("alternative; boundary=c", "c", {plain, dump})}),
  ["behind a multipart"] = head .. multipart("mixed; boundary=b", "b", {
    multipart("alternative; boundary=c", "c", {plain, plain}), dump}),
  ["forwarded text"] = head .. multipart("mixed; boundary=b", "b", {plain, attached .. head .. plain .. dashes}),
  ["forwarded with its attachment"] = head .. multipart("mixed; boundary=b", "b", {
    plain, attached .. head .. multipart("mixed; boundary=c", "c", {plain, dump}), dump}),
  ["digest of 90"] = head .. multipart("digest; boundary=b", "b", rep("\r\nSubject: a\r\n\r\nx", 90)),
  ["with fields in its lines"] = head .. multipart("mixed; boundary=b", "b", {
    plain, "Content-Type: text/plain\r\n\r\n" .. ("--\r\nname: value\r\n"):rep(11000)}),
  ["with many types in a text"] = head .. multipart("mixed; boundary=b", "b", {
    plain, "Content-Type: text/plain\r\n\r\n" .. ("content-type: text/html\r\n"):rep(1100)}),
  ["with the word message in each line"] = head .. multipart("mixed; boundary=b", "b", {plain .. ("a message/b\r\n"):rep(300000)}),
}
local refused = {
  ["2001 parts"] = head .. multipart("mixed; boundary=b", "b", many),
  ["the type is the first line"] = multipart("mixed; boundary=b", "b", many),
  ["in a nested multipart"] = head .. multipart("mixed; boundary=b", "b", {
    plain, multipart('mixed; boundary="c"', "c", many)}),
  ["a folded boundary"] = head .. multipart("mixed;\r\n\tboundary=\r\n b", "b", many),
  ["a boundary of RFC 2231"] = head .. multipart("mixed; boundary*=us-ascii'en'b", "b", many),
  ["a boundary in pieces"] = head .. multipart("mixed; boundary*0=b; boundary*1=c", "bc", many),
  ["two boundaries, first"] = head .. multipart("mixed; boundary=b; boundary=c", "b", many),
  ["two boundaries, second"] = head .. multipart("mixed; boundary=b; boundary=c", "c", many),
  ["two types"] = head .. "Content-Type: text/plain\r\n" .. multipart("mixed; boundary=b", "b", many),
  ["blanks behind a boundary"] = head .. multipart('mixed; boundary="b  "', "b  ", many),
  ["blanks behind delimiters"] = head .. multipart("mixed; boundary=b", "b  ", many),
  ["blanks behind the last delimiter"] = head .. multipart("mixed; boundary=b", "b", {plain, dump}, "\r\n--b--  \r\n"),
  ["a comment"] = head .. multipart("mixed (a); boundary=b", "b", many),
  ["a backslash"] = head .. multipart('mixed; boundary="\\b"', "b", many),
  ["no boundary"] = head .. multipart("mixed", "b", many),
  ["an empty boundary"] = head .. multipart('mixed; boundary=""', "", many),
  ["no boundary in a part"] = head .. multipart("mixed; boundary=b", "b", {multipart("mixed", "c", many)}),
  ["no end"] = head .. multipart("mixed; boundary=b", "b", {plain, dump}, "\r\n"),
  ["behind the end"] = head .. multipart("mixed; boundary=b", "b", {plain}) .. dashes,
  ["behind the end, more delimiters"] = head .. multipart("mixed; boundary=b", "b", {plain}) .. ("--x\r\n"):rep(1500) .. "--b\r\n" ..
    ("--x\r\n"):rep(1500) .. "--b\r\n",
  ["behind the end of what is attached"] = head .. multipart("mixed; boundary=b", "b", {
    plain, attached .. multipart("mixed; boundary=c", "c", {plain}) .. dashes, plain}),
  ["no end of what is attached"] = head .. multipart("mixed; boundary=b", "b", {
    plain, attached .. multipart("mixed; boundary=c", "c", {plain}, "") .. dashes, plain}),
  ["in what is attached alone"] = head .. attached .. multipart("mixed; boundary=c", "c", many),
  ["delimiters in front of their multipart"] = head .. multipart("mixed; boundary=b", "b", {
    lines_of.j, "Content-Type: multipart/mixed; boundary=j\r\n\r\nx"}),
  ["multiparts that share a boundary"] = head .. multipart("mixed; boundary=b", "b", {
    multipart("mixed; boundary=j", "j", rep(short, 900)), unpack(rep("Content-Type: multipart/mixed; boundary=j\r\n\r\nx", 60))}),
  ["a type behind a line of blanks"] = head .. "X: y\r\n \r\n" .. multipart("mixed; boundary=b", "b", many),
  ["a multipart in a body"] = head .. multipart("mixed; boundary=b", "b", {
    plain .. multipart("mixed; boundary=c", "c", {dump})}),
  ["what PKCS #7 holds"] = head .. multipart("mixed; boundary=b", "b", {
    plain .. dashes, "Content-Type: application/x-pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB"}),
  ["digest of 101"] = head .. multipart("digest; boundary=b", "b", rep("\r\nSubject: a\r\n\r\nx", 101)),
  ["101 attached"] = head .. multipart("digest; boundary=b", "b", rep(attached .. "Subject: a\r\n\r\nx", 101)),
  ["fields in a digest"] = head .. multipart("digest; boundary=b", "b", {"\r\n" .. ("a: b\r\n"):rep(10001)}),
  ["fields behind the end"] = head .. multipart("mixed; boundary=b", "b", {plain}) .. "--x\r\n" .. ("a: b\r\n"):rep(10001),
  ["20,001 lines of types"] = head .. multipart("mixed; boundary=b", "b", {plain .. ("Content-Type: text/html\r\n"):rep(20001)}),
  ["101 folded"] = head .. multipart("digest; boundary=b", "b", rep("Content-Type:\r\n\tmessage/rfc822\r\n\r\nA: b\r\n\r\nx", 101)),
  ["bare CR"] = head .. "Content-Type: multipart/mixed; boundary=b\r\n\r\n" .. ("\r--b\r\rx"):rep(2001),
  ["200,001 lines"] = head .. plain .. ("--\r\n"):rep(200001),
}

local failures = 0
for wanted, messages in pairs({["accepted"] = accepted, ["refused"] = refused}) do
  for name, message in pairs(messages) do
    local started = os.clock()
    local wrong = verdict(message)
    if os.clock() - started > 5 then
      failures = failures + 1
      print(("%s: took %.1f s"):format(name, os.clock() - started))
    end
    if (wrong and "refused" or "accepted") ~= wanted then
      failures = failures + 1
      print(("%s: wanted %s, got %s"):format(name, wanted, wrong or "accepted"))
    end
  end
end
print(failures .. " messages not as wanted")
os.exit(failures == 0 and 0 or 1)
