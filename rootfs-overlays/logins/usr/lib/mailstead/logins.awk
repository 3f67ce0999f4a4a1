# SPDX-License-Identifier: GPL-3.0-or-later
# Reads Dovecot's events, a login a line (dovecot.conf, metric logins), and tells the firewall: a source of ten wrong passwords
# in ten minutes is held off for as long, but not one where somebody has logged in within a day. So a colleague's forgotten
# telephone does not shut an office out, and nobody can lock out a user who is elsewhere. A source is an IPv4 address or the first
# half of an IPv6 address, as in nftables.conf.

# source: the part of an address that is one customer's
function source(address,   halves, half, head, tail, group, i, h, t, text) {
  if (address !~ /:/) return address
  halves = split(address, half, "::")
  h = split(half[1], head, ":")
  t = halves > 1 ? split(half[2], tail, ":") : 0
  for (i = 1; i <= 4; i++) {
    group = i <= h ? head[i] : halves > 1 && i > 8 - t ? tail[i - 8 + t] : "0"
    text = text group ":"
  }
  return text ":"
}

# put: an element into a set of the firewall, with its time from now
function put(set, from, time,   element) {
  element = "element inet mailstead " set (from ~ /:/ ? 6 : 4) " { " from
  system("/usr/sbin/nft '" "destroy " element " }; add " element " timeout " time " }" "'")
}

{
  now = systime()
  # Counting anew every ten minutes bounds what is kept.
  if (now - counted >= 600) { split("", wrong); counted = now }
  if (now - noted >= 3600) { split("", known); noted = now }
  # Digits, colons and dots only: it becomes part of a command.
  if (!match($0, /field:remote_ip=[0-9A-Fa-f:.]+/)) next
  from = source(substr($0, RSTART + 16, RLENGTH - 16))
  if ($0 ~ /field:success=yes/) {
    delete wrong[from]
    if (!(from in known)) { known[from] = 1; put("known", from, "1d") }
  } else if ($0 !~ /field:error=internal/ && ++wrong[from] == 10) {
    put("held", from, "10m")
    print "ten wrong passwords from " from ": held off for ten minutes, unless someone has logged in from there today"
  }
}
