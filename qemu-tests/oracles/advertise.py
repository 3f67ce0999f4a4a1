#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# A neighbour of the appliance that advertises prefixes, each in an advertisement of its own (RFC 4861 section 4.2), and then
# asks for the address that a machine with this Ethernet address would have taken from each (RFC 4291 appendix A).
# Prints how many it has taken. It is no router (lifetime 0), and the addresses are not preferred for long.
# usage: advertise.py COUNT MAC
import ipaddress
import select
import socket
import struct
import sys
import time

CARD = "tap0"
NEIGHBOUR = "fe80::66"  # who advertises; not this host
ASKING = "fe80::1"  # who asks: this host, so that answers come
IPV6_FREEBIND = 78  # linux/in6.h
count, mac = int(sys.argv[1]), bytes.fromhex(sys.argv[2].replace(":", ""))
host = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
prefixes = [ipaddress.ip_address(f"2001:db8:aaaa:{number:x}::").packed[:8] for number in range(count)]

scope = socket.if_nametoindex(CARD)


def raw_from(source):
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    raw.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    raw.bind((source, 0, 0, scope))
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, scope)
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    return raw


def send(raw, message, to):  # the kernel puts the checksum in
    raw.sendto(message, (to, 0, 0, scope))


neighbour, asking = raw_from(NEIGHBOUR), raw_from(ASKING)
for prefix in prefixes:
    option = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 600, 2, 0) + prefix + bytes(8)
    send(neighbour, struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 0, 0, 0) + option, "ff02::1")
    time.sleep(0.02)

taken = set()
asked = "ff02::1:ff%02x:%02x%02x" % tuple(mac[3:])
for _ in range(8):
    for prefix in prefixes:
        if prefix not in taken:
            send(asking, struct.pack("!BBHI", 135, 0, 0, 0) + prefix + host, asked)
            time.sleep(0.002)
    until = time.monotonic() + 2
    while (left := until - time.monotonic()) > 0 and select.select([asking], [], [], left)[0]:
        message = asking.recv(2048)
        if message[0] == 136 and message[16:24] == host:
            taken.add(message[8:16])
print(f"advertised {count}, taken {len(taken & set(prefixes))}")
