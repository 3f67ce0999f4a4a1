# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs beside it share: connections from addresses of the outside, which are routed to this host."""
import asyncio
import ipaddress
import socket
import ssl

IP_FREEBIND, IPV6_FREEBIND = 15, 78  # linux/in.h, linux/in6.h

TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname, TRUSTING.verify_mode = False, ssl.CERT_NONE


def sources(network):
    """All addresses of a network, which may be a single one; of a large one, the first thousand."""
    hosts = ipaddress.ip_network(network)
    if hosts.num_addresses == 1:
        return [str(hosts[0])]
    return [str(hosts[number]) for number in range(1, min(hosts.num_addresses - 1, 1001))]


def socket_from(source):
    """A TCP socket that does not block, with this address."""
    six = ":" in source
    one = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    one.setsockopt(socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP, IPV6_FREEBIND if six else IP_FREEBIND, 1)
    one.bind((source, 0))
    return one


async def connect(source, address, port, tls):
    """Reader and writer of a connection."""
    one = socket_from(source)
    try:
        await asyncio.get_running_loop().sock_connect(one, (address, port))
        return await asyncio.open_connection(
            sock=one, ssl=TRUSTING if tls else None, server_hostname="" if tls else None)
    except BaseException:
        one.close()
        raise
