"""The little DER and BER that building and reading odd messages needs; no schema, no checks."""

from dataclasses import dataclass


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element with a definite length."""
    value = b"".join(parts)
    if len(value) < 128:
        return bytes([tag, len(value)]) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + value


def indefinite(tag: int, *parts: bytes) -> bytes:
    """One constructed element with an indefinite length."""
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    return tlv(0x31, *sorted(parts))


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    return tlv(0x04, value)


def chunked(value: bytes, size: int) -> bytes:
    """An OCTET STRING of indefinite length in chunks, as streaming encoders send it."""
    return indefinite(0x24, *(octets(value[i : i + size]) for i in range(0, len(value), size)))


def printable(text: str) -> bytes:
    return tlv(0x13, text.encode())


def null() -> bytes:
    return b"\x05\0"


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = b""
    for arc in [first * 40 + second, *rest]:
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        out += bytes(reversed(septets))
    return tlv(0x06, out)


@dataclass
class Node:
    """One element as read: where it lies in the bytes, and its children where it is constructed."""

    tag: int
    raw: bytes
    value: bytes
    children: list["Node"]

    def __getitem__(self, index: int) -> "Node":
        return self.children[index]


def read(data: bytes) -> Node:
    """Reads the first element of DER bytes."""
    return _read(data, 0)[0]


def _read(data: bytes, at: int) -> tuple[Node, int]:
    tag, length, start = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    end = start + length
    children = []
    if tag & 0x20:
        inner = start
        while inner < end:
            child, inner = _read(data, inner)
            children.append(child)
    return Node(tag, data[at:end], data[start:end], children), end


def read_oid(value: bytes) -> str:
    """The dotted form of an OBJECT IDENTIFIER's content octets."""
    arcs, arc = [], 0
    for octet in value:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))
