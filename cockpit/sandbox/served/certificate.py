"""A self-signed certificate for 127.0.0.1: kubectl sends its token over TLS only, and no openssl need be at hand."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import os
import secrets
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

# NIST P-256. Plain arithmetic, not hardened against timing: the key serves loopback for as long as the sandbox runs.
_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None

_CURVE = "1.2.840.10045.3.1.7"
_EC_KEY = "1.2.840.10045.2.1"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
VALID_DAYS = 365


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, in PEM."""

    certificate: str
    key: str

    def context(self) -> ssl.SSLContext:
        """Return what a TLS server needs."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        descriptor, name = tempfile.mkstemp()  # 0600; the ssl module reads keys from files only
        try:
            os.write(descriptor, (self.key + self.certificate).encode())
            os.close(descriptor)
            made.load_cert_chain(name)
        finally:
            Path(name).unlink()
        return made


def self_signed() -> Certificate:
    """Make a new key and a certificate for it."""
    private = secrets.randbelow(_N - 1) + 1
    public = _times(private, _G)
    assert public is not None, "a number below the group's order gives a point"
    point = b"\4" + public[0].to_bytes(32, "big") + public[1].to_bytes(32, "big")
    body = _body(point)
    algorithm = _sequence(_oid(_ECDSA_SHA256))
    signed = _sequence(body, algorithm, _bits(_sign(private, body)))
    key = _sequence(
        _integer(1), _tag(4, private.to_bytes(32, "big")), _tag(0xA0, _oid(_CURVE)), _tag(0xA1, _bits(point))
    )
    return Certificate(_pem("CERTIFICATE", signed), _pem("EC PRIVATE KEY", key))


def _body(point: bytes) -> bytes:
    now = datetime.now(UTC)
    name = _sequence(_tag(0x31, _sequence(_oid("2.5.4.3"), _tag(0x0C, b"cockpit sandbox"))))
    validity = _sequence(_time(now - timedelta(days=1)), _time(now + timedelta(days=VALID_DAYS)))
    hosts = _sequence(_tag(0x82, b"localhost"), _tag(0x87, ipaddress.ip_address("127.0.0.1").packed))
    extensions = _sequence(
        _extension("2.5.29.19", _sequence(_tag(1, b"\xff")), is_critical=True),  # a CA, so that it can vouch for itself
        _extension("2.5.29.15", _tag(3, b"\2\x84"), is_critical=True),  # digitalSignature, keyCertSign
        _extension("2.5.29.37", _sequence(_oid("1.3.6.1.5.5.7.3.1"))),  # serverAuth
        _extension("2.5.29.14", _tag(4, hashlib.sha1(point, usedforsecurity=False).digest())),
        _extension("2.5.29.17", hosts),
    )
    return _sequence(
        _tag(0xA0, _integer(2)),
        _integer(secrets.randbits(120) + 1),
        _sequence(_oid(_ECDSA_SHA256)),
        name,
        validity,
        name,
        _sequence(_sequence(_oid(_EC_KEY), _oid(_CURVE)), _bits(point)),
        _tag(0xA3, extensions),
    )


def _sign(private: int, message: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    while True:
        once = secrets.randbelow(_N - 1) + 1
        point = _times(once, _G)
        r = (point[0] if point is not None else 0) % _N
        s = pow(once, -1, _N) * (digest + r * private) % _N
        if r and s:
            return _sequence(_integer(r), _integer(s))


def _times(factor: int, point: Point) -> Point:
    result: Point = None
    while factor:
        if factor & 1:
            result = _plus(result, point)
        point, factor = _plus(point, point), factor >> 1
    return result


def _plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P) if one == other else (y2 - y1) * pow(x2 - x1, -1, _P)
    x3 = (slope * slope - x1 - x2) % _P
    return x3, (slope * (x1 - x3) - y1) % _P


def _tag(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tag(0x30, b"".join(parts))


def _integer(value: int) -> bytes:
    return _tag(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _tag(3, b"\0" + content)


def _oid(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    encoded = bytearray([first * 40 + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | (number & 0x7F))
        encoded += bytes(reversed(groups))
    return _tag(6, bytes(encoded))


def _time(moment: datetime) -> bytes:
    return _tag(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def _extension(oid: str, value: bytes, *, is_critical: bool = False) -> bytes:
    return _sequence(_oid(oid), _tag(1, b"\xff") if is_critical else b"", _tag(4, value))


def _pem(label: str, content: bytes) -> str:
    text = base64.encodebytes(content).decode().replace("\n", "")
    lines = "\n".join(text[place : place + 64] for place in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
