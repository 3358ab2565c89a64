"""Which network addresses may be called: public ones, and private ones only where an operator named their network."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from shared.errors import Invalid

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

# What `is_global` leaves open, or gets wrong in some Python versions (IANA special-purpose registries, RFC 6890).
_NEVER = tuple(map(ip_network, (
    "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
    "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10", "ff00::/8",
)))  # fmt: skip
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")


def parse_networks(text: str) -> Networks:
    """`127.0.0.0/8, fd00::/8` (DUEWATCH_EGRESS_ALLOW) as networks; Invalid where one is none."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise Invalid("Write the allowed networks as 10.1.0.0/16, fd00::/8, parted by commas") from None


def is_inside(address: Address, networks: Networks) -> bool:
    """Whether an address, or every IPv4 address that it embeds, is inside one of the networks."""
    embedded = _embedded(address)
    if embedded:
        return all(is_inside(one, networks) for one in embedded)
    return any(address.version == network.version and address in network for network in networks)


def is_reachable(address: Address, allow: Networks) -> bool:
    """Whether we may connect: inside an allowed network, or public. An IPv6 address that embeds IPv4 is judged by that."""
    if is_inside(address, allow):
        return True
    embedded = _embedded(address)
    if embedded:
        return all(is_reachable(one, allow) for one in embedded)
    if any(address.version == network.version and address in network for network in _NEVER):
        return False
    if isinstance(address, IPv6Address) and (address not in _GLOBAL_UNICAST or address.scope_id):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def parse_address(text: str) -> Address | None:
    """The address that a text is in its one canonical notation, or None (a name, or a disguised number)."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _embedded(address: Address) -> tuple[IPv4Address, ...]:
    """IPv4 addresses to which an IPv6 address leads: mapped, compatible, NAT64 (RFC 6052), 6to4, Teredo, ISATAP."""
    if isinstance(address, IPv4Address):
        return ()
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    low = int(address) & 0xFFFF_FFFF
    isatap = (int(address) >> 32) & 0xFFFF_FFFF in (0x0000_5EFE, 0x0200_5EFE)
    if isatap or address in _NAT64 or (address in _COMPATIBLE and low > 1):
        return (IPv4Address(low),)
    return ()
