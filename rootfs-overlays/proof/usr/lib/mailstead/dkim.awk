# SPDX-License-Identifier: GPL-3.0-or-later
# Reads a message and writes what its DKIM signatures are about, canonicalized relaxed/relaxed (RFC 6376 section 3.4), for openssl(1)
# to look at: for the Nth DKIM-Signature the files FOLDER/N.tags (a line each: a, d, s, bh, b), FOLDER/N.headers and FOLDER/body.
# mawk -v folder=FOLDER -f dkim.awk < MESSAGE

function relaxed(text) {
  gsub(/[ \t\r\n]+/, " ", text)
  sub(/ +$/, "", text)
  return text
}

# tag: the value of a tag of a signature, without white space
function tag(list, name,   n, parts, i, part) {
  n = split(list, parts, ";")
  for (i = 1; i <= n; i++) {
    part = parts[i]
    gsub(/[ \t\r\n]/, "", part)
    if (index(part, name "=") == 1) return substr(part, length(name) + 2)
  }
  return ""
}

function canonical(i) { return name[i] ":" relaxed_value[i] }

{ sub(/\r$/, "") }

!in_body && $0 == "" { in_body = 1; next }

!in_body && /^[ \t]/ { value[count] = value[count] " " $0; next }

!in_body {
  colon = index($0, ":")
  field = substr($0, 1, colon - 1)
  sub(/[ \t]+$/, "", field)
  name[++count] = tolower(field)
  value[count] = substr($0, colon + 1)
  next
}

{
  gsub(/[ \t]+/, " ")
  sub(/ $/, "")
  if ($0 == "") { empty++; next }
  for (; empty > 0; empty--) body = body "\r\n"
  body = body $0 "\r\n"
}

END {
  printf "%s", body > (folder "/body")
  for (i = 1; i <= count; i++) {
    relaxed_value[i] = relaxed(value[i])
    sub(/^ /, "", relaxed_value[i])
  }
  for (i = 1; i <= count; i++) {
    if (name[i] != "dkim-signature") continue
    n++
    file = folder "/" n ".headers"
    printf "" > file
    fields = split(tag(value[i], "h"), wanted, ":")
    # Of several fields of a name the last is meant first (section 5.4.2); what is not there counts as nothing.
    split("", used)
    for (f = 1; f <= fields; f++) {
      want = tolower(wanted[f])
      for (k = count; k > 0; k--)
        if (name[k] == want && !((k) in used)) { used[k] = 1; printf "%s\r\n", canonical(k) > file; break }
    }
    own = canonical(i)
    if (match(own, /; ?b=[^;]*/)) {
      start = index(substr(own, RSTART), "b=") + RSTART
      own = substr(own, 1, start) substr(own, RSTART + RLENGTH)
    }
    printf "%s", own > file
    close(file)
    file = folder "/" n ".tags"
    print tag(value[i], "a") "\n" tag(value[i], "d") "\n" tag(value[i], "s") "\n" tag(value[i], "bh") "\n" tag(value[i], "b") > file
    close(file)
  }
}
