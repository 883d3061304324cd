"""The way to a Redis, as its URL names it, what is said first there, and whom TLS trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.address.redis import RedisPlace, redis_place
from cockpit.errors import ConfigError

if TYPE_CHECKING:
    import ssl


class RedisWay(RedisPlace):
    """Where it is, and what has to be said and shown there."""

    __slots__ = ()

    def greeting(self, password: str | None) -> list[tuple[str | int, ...]]:
        """What is said before all else."""
        words: list[tuple[str | int, ...]] = []
        if self.user:
            words.append(("AUTH", self.user, password or ""))
        elif password is not None:
            words.append(("AUTH", password))
        return [*words, ("SELECT", self.database)] if self.database else words

    def context(self) -> ssl.SSLContext | None:
        """For TLS; None without.

        Raises:
            ConfigError: a file that the URL names is not there, or not what it should be.
        """
        if self.tls is None:
            return None
        import ssl

        try:
            made = ssl.create_default_context(cafile=self.tls.get("ssl_ca_certs"), capath=self.tls.get("ssl_ca_path"))
            made.check_hostname = self.tls.get("ssl_check_hostname", "true").lower() not in ("false", "0", "no")
            if self.tls.get("ssl_cert_reqs", "required").lower() == "none":
                made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
            if "ssl_certfile" in self.tls:
                made.load_cert_chain(self.tls["ssl_certfile"], self.tls.get("ssl_keyfile"))
        except OSError as error:
            raise ConfigError(f"redis.url: its TLS files cannot be used: {error.strerror or error}") from None
        return made


def way_to(url: str) -> RedisWay:
    """What the URL says.

    Raises:
        ConfigError: it leads nowhere, or says what is not understood.
    """
    try:
        return RedisWay(*redis_place(url))
    except ValueError as error:
        raise ConfigError(f"redis.url: {error}") from None
