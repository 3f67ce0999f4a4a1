-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a name beside an address shows: encoded words (RFC 2047), and the addresses that are in it.

local M = {}

local bits_of = {}
for i = 1, 64 do
  bits_of[("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):byte(i)] = i - 1
end

local function from_base64(text)
  local bytes = {}
  local value, bits = 0, 0
  for i = 1, #text do
    local six = bits_of[text:byte(i)]
    if six then
      value, bits = value * 64 + six, bits + 6
      if bits >= 8 then
        bits = bits - 8
        bytes[#bytes + 1] = string.char(math.floor(value / 2 ^ bits))
        value = value % 2 ^ bits
      end
    end
  end
  return table.concat(bytes)
end

local function from_q(text)
  return (text:gsub("_", " "):gsub("=(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- What ISO-2022-JP (RFC 1468) has of ASCII; or nil if it is not written so that all read the same: only its own shifts, to JIS X 0208
-- and back, whole characters of two bytes, and at the end it is back (RFC 2047 section 3). A program that does not know another
-- shift, or goes on with the next word in the same state, would show as an address what another shows as signs of Japanese.
local function ascii_of_iso_2022_jp(text)
  local ascii = {}
  local pos = 1
  while true do
    local plain, shift = text:match("^([^\14\15\27]*)()", pos)
    ascii[#ascii + 1] = plain
    if shift > #text then
      return table.concat(ascii)
    elseif text:find("^\27%([BJ]", shift) then
      pos = shift + 3
    else
      local double, back = text:match("^\27%$[@B]([\33-\126]*)()\27[%($][@BJ]", shift)
      if not double or #double % 2 ~= 0 then
        return nil
      end
      pos = back
    end
  end
end

-- The charsets that are taken: those that mail programs write and read, in each of which a byte below 128 that is a control character
-- or an angle bracket is one, and nothing else is (but for ISO-2022-JP, see above; the others of its kind nobody writes in names). No
-- list of those that hide text would be complete:
-- each library has names of its own for UTF-7 and EBCDIC.
local charsets = {}
for name in ([[
  us-ascii ascii utf-8 utf8 latin1 iso-8859-8-i iso-8859-8-e iso-8859-6-i iso-8859-6-e
  windows-874 cp874 tis-620 koi8-r koi8-u koi8-ru macintosh x-mac-roman x-mac-cyrillic
  cp437 cp850 cp852 cp855 cp866 ibm437 ibm850 ibm852 ibm855 ibm866
  gb2312 gbk x-gbk cp936 gb18030 big5 big5-hkscs cp950
  euc-jp x-euc-jp shift_jis shift-jis sjis x-sjis cp932 windows-31j iso-2022-jp
  euc-kr ks_c_5601-1987 uhc cp949 windows-949
  unknown-8bit x-unknown
]]):gmatch("%S+") do
  charsets[name] = true
end
for i = 1, 16 do
  charsets["iso-8859-" .. i] = true
  charsets["iso8859-" .. i] = true
  charsets["iso_8859-" .. i] = true
end
for i = 1250, 1258 do
  charsets["windows-" .. i] = true
  charsets["cp" .. i] = true
end

-- A name without encodings, or nil and what is wrong: some programs decode before they look for addresses, so that no encoded word may
-- bring what could be taken for the brackets of one, or what is invisible. Commas and quotes it may: Outlook writes them.
function M.decoded(text)
  local wrong
  text = text:gsub("(%?=)[ \t]+(=%?)", "%1%2")
  text = text:gsub("=%?([^?]*)%?([BbQq])%?([^?]*)%?=", function(charset, encoding, content)
    charset = charset:lower():gsub("%*.*$", "")
    local plain = encoding:lower() == "b" and from_base64(content) or from_q(content)
    if not charsets[charset] then
      wrong = "an encoded word in it is in a charset that is not accepted (use UTF-8)"
    elseif charset == "iso-2022-jp" then
      plain = ascii_of_iso_2022_jp(plain)
      if not plain then
        wrong = "an encoded word in it is not complete ISO-2022-JP (use UTF-8)"
        return ""
      end
    end
    if plain:find("[%z\1-\31\127<>]") then
      wrong = "an encoded word in it hides control characters or angle brackets"
    end
    return plain
  end)
  -- Programs differ in what they make of half of an encoded word, and of one in another.
  if not wrong and text:find("=?", 1, true) then
    wrong = "an encoded word in it is not written as RFC 2047 says"
  end
  -- U+202D and U+202E turn what follows around.
  if text:find("\226\128[\173\174]") then
    wrong = "it has characters that turn the direction of writing"
  end
  if wrong then
    return nil, wrong
  end
  return text
end

-- Whether all of it is UTF-8 without the control characters U+0080 to U+009F.
function M.is_utf8(text)
  local pos = 1
  while true do
    pos = text:find("[\128-\255]", pos)
    if not pos then
      return true
    end
    local after = text:match("^\194[\160-\191]()", pos) or text:match("^[\195-\223][\128-\191]()", pos)
      or text:match("^\224[\160-\191][\128-\191]()", pos) or text:match("^\237[\128-\159][\128-\191]()", pos)
      or text:match("^[\225-\236\238\239][\128-\191][\128-\191]()", pos)
      or text:match("^\240[\144-\191][\128-\191][\128-\191]()", pos)
      or text:match("^[\241-\243][\128-\191][\128-\191][\128-\191]()", pos)
      or text:match("^\244[\128-\143][\128-\191][\128-\191]()", pos)
    if not after then
      return false
    end
    pos = after
  end
end

-- What a reader would take for addresses, in lower case; also with the full stop of Chinese, which stands for a dot in domains.
function M.addresses(text)
  local found = {}
  text = text:gsub("\227\128\130", "."):gsub("[ \t]*@[ \t]*", "@")
  local part = "[^@ \t<>()%[%]\",;:]+"
  for at in text:gmatch("()@") do
    local user = text:sub(1, at - 1):match(part .. "$")
    local domain = text:sub(at + 1):match("^" .. part)
    user = user and user:gsub("^['.]+", "")
    domain = domain and domain:gsub("['.]+$", "")
    if user and domain and domain:find(".%..") then
      found[#found + 1] = (user .. "@" .. domain):lower()
    end
  end
  return found
end

return M
