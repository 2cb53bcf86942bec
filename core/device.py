"""Where a call comes from."""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

UNKNOWN_NETWORK = "unknown"
_LONGEST_USER_AGENT = 256
_IPV6_NETWORK = 64  # what one subscriber gets; single IPv6 addresses cost nothing


@dataclass(frozen=True, slots=True)
class Device:
    """The address and the program behind a call. Only for people to recognise and for counting: it proves nothing."""

    ip_address: str | None = None
    user_agent: str | None = None

    @property
    def network(self) -> str:
        """What limits count together: one IPv4 address, the /64 network of an IPv6 address, or all that cannot be told."""
        try:
            address = ipaddress.ip_address(self.ip_address or "")
        except ValueError:
            return UNKNOWN_NETWORK
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((int(address), _IPV6_NETWORK), strict=False))
        return str(address)


def device_of(ip_address: str | None, user_agent: str | None) -> Device:
    """Return the device of a call: its address, if it is one, and its user agent, cut to 256 printable characters."""
    try:
        ip_address = None if ip_address is None else _address(ip_address)
    except ValueError:  # what a proxy says is not always one
        ip_address = None
    if user_agent is None:
        return Device(ip_address)
    if not user_agent.isprintable():
        user_agent = "".join(letter for letter in user_agent if letter.isprintable())
    return Device(ip_address, user_agent[:_LONGEST_USER_AGENT] or None)


@lru_cache(maxsize=1024)
def _address(spelled: str) -> str:
    """Return an address as it is always spelled; a client on one connection comes from the same one each time."""
    return str(ipaddress.ip_address(spelled))
