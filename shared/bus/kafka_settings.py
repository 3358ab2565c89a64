"""How to reach a Kafka cluster, from one address: kafka://host:port,host:port/?option=value&...

Names and passwords are never in the address, which ends up in logs and process lists: files are named that hold them, and are read at
each connecting, so that a rotated secret is taken up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiokafka.helpers import create_ssl_context

from shared.errors import Invalid

_SECURITY = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_REQUEST_S = 15.0  # longer than a group may take to gather its members, whose requests are held back so long


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    """`prefix` stands before the names of topics and groups, so that several systems share a cluster."""

    servers: tuple[str, ...]  # host:port
    prefix: str = "duewatch."
    security: str = "PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"  # where security begins with SASL
    username_file: Path | None = None
    password_file: Path | None = None
    ca_file: Path | None = None  # None: the authorities that the machine trusts
    cert_file: Path | None = None  # who we are, where the cluster asks for certificates
    key_file: Path | None = None
    replication: int = 1

    @classmethod
    def parse(cls, url: str) -> "KafkaSettings":
        """From an address; Invalid says which part of it is wrong, and never repeats it."""
        try:
            parts = urlsplit(url)
        except ValueError:  # brackets that do not close
            raise _invalid("address", "kafka://host:port,host:port/?option=value") from None
        if parts.scheme != "kafka" or parts.path not in ("", "/") or parts.fragment:
            raise _invalid("address", "kafka://host:port,host:port/?option=value")
        if "@" in parts.netloc:
            raise _invalid("address", "no name and password in it: give username_file and password_file")
        given: dict[str, Any] = {"servers": tuple(server.strip() for server in parts.netloc.split(","))}
        known = {f.name: f.type for f in fields(cls) if f.name != "servers"}
        for name, text in parse_qsl(parts.query, keep_blank_values=True):
            if name not in known:
                raise _invalid("option", f"one of {', '.join(known)}")
            if name in given:
                raise _invalid(name, "given once")
            given[name] = _option(name, text)
        settings = cls(**given)
        for name, message in settings._faults():
            raise _invalid(name, message)
        return settings

    def _faults(self) -> Iterator[tuple[str, str]]:
        for server in self.servers:
            host, _, port = server.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                yield "address", "each server as host:port"
        if not all(c.isascii() and (c.isalnum() or c in "._-") for c in self.prefix) or len(self.prefix) > 100:
            yield "prefix", "up to 100 letters, digits, full stops, underscores, hyphens"
        if self.security not in _SECURITY:
            yield "security", f"one of {', '.join(_SECURITY)}"
        if self.mechanism not in _MECHANISMS:
            yield "mechanism", f"one of {', '.join(_MECHANISMS)}"
        if self.security.startswith("SASL") != (self.username_file is not None and self.password_file is not None):
            yield "username_file", "with password_file where security is SASL_PLAINTEXT or SASL_SSL, and only there"
        if (self.ca_file or self.cert_file or self.key_file) and not self.security.endswith("SSL"):
            yield "security", "SSL or SASL_SSL where ca_file, cert_file or key_file is given"
        if (self.cert_file is None) != (self.key_file is None):
            yield "cert_file", "together with key_file"
        if not 1 <= self.replication <= 9:
            yield "replication", "from 1 to 9"

    def connection(self) -> dict[str, Any]:
        """The arguments that every client of aiokafka takes. Reads the files: OSError where one cannot be read."""
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.servers),
            "security_protocol": self.security,
            "request_timeout_ms": int(_REQUEST_S * 1000),
        }
        if self.security.endswith("SSL"):
            options["ssl_context"] = create_ssl_context(cafile=self.ca_file, certfile=self.cert_file, keyfile=self.key_file)
        if self.username_file is not None and self.password_file is not None:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username_file.read_text(encoding="utf-8").strip(),
                "sasl_plain_password": self.password_file.read_text(encoding="utf-8").strip(),
            }
        return options


def _option(name: str, text: str) -> object:
    if name.endswith("_file"):
        if not text:
            raise _invalid(name, "the path of a file")
        return Path(text)
    if name == "replication":
        if not text.isdecimal():
            raise _invalid(name, "a whole number")
        return int(text)
    return text


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"The Kafka address cannot be: {field}: {message}", errors=[{"field": field, "message": message}])
