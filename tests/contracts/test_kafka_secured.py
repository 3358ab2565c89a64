"""A cluster that asks for names, passwords and certificates: SCRAM over TLS, and certificates on both sides."""

import datetime
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.bus.kafka import KafkaBus
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.kafka_topics import KafkaTopics
from shared.errors import Unavailable
from tests.contracts.bus_setting import drain, subjects
from tests.contracts.store_behaviour import row
from tests.infra import Unavailable as NotHad
from tests.infra import downloads
from tests.infra.fixtures import had_or_skipped
from tests.infra.kafka import LocalKafka, settings
from tests.infra.local import HOST, free_ports

_Pair = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _certificate(name: str, issuer: _Pair | None = None) -> _Pair:
    """Signed by an issuer; without one, an authority of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[1].subject if issuer else subject)
    made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    if issuer is not None:
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[0].public_key())
        made = made.add_extension(own, critical=False)
        made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        made = made.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    else:
        signs = dict.fromkeys(("digital_signature", "key_cert_sign", "crl_sign"), True)
        others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
        made = made.add_extension(x509.KeyUsage(**signs, **dict.fromkeys(others, False)), critical=True)
    return key, made.sign(issuer[0] if issuer else key, hashes.SHA256())


def _write(folder: Path, name: str, pair: _Pair) -> tuple[Path, Path]:
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    key.write_bytes(pair[0].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    certificate.write_bytes(pair[1].public_bytes(serialization.Encoding.PEM))
    return key, certificate


class Secured(LocalKafka):
    """Beside its own listener one for SCRAM over TLS, one for who shows a certificate."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir(exist_ok=True)
        scram, certified = free_ports(2)
        self.scram, self.certified, self.files = f"{HOST}:{scram}", f"{HOST}:{certified}", folder
        authority = _certificate("authority")
        _, self.authority = _write(folder, "authority", authority)
        self.key, self.certificate = _write(folder, "client", _certificate("client", authority))
        _, self.stranger = _write(folder, "stranger", _certificate("stranger"))
        key, certificate = _write(folder, "broker", _certificate(HOST, authority))
        store = folder / "broker.pem"
        store.write_bytes(key.read_bytes() + certificate.read_bytes())
        own, controller = f"PLAINTEXT://{self.address}", f"{HOST}:{self._controller}"
        base = settings(f"{own},CONTROLLER://{controller}", own, controller)
        self._properties = {
            "listeners": f"{base['listeners']},SCRAM://{self.scram},CERTIFIED://{self.certified}",
            "advertised.listeners": f"{own},SCRAM://{self.scram},CERTIFIED://{self.certified}",
            "listener.security.protocol.map": f"{base['listener.security.protocol.map']},SCRAM:SASL_SSL,CERTIFIED:SSL",
            "ssl.keystore.type": "PEM", "ssl.keystore.location": str(store),
            "ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.authority),
            "listener.name.certified.ssl.client.auth": "required",
            "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.scram.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        }  # fmt: skip

    def add_user(self, name: str, password: str) -> None:
        config = f"SCRAM-SHA-512=[iterations=4096,password={password}]"
        asked = ["--bootstrap-server", self.address, "--alter", "--add-config", config, "--entity-type", "users", "--entity-name", name]
        libs = f"{downloads.kafka() / 'libs'}/*"
        subprocess.run(["java", "-cp", libs, "kafka.admin.ConfigCommand", *asked], check=True, capture_output=True, timeout=120)

    def settings(self, listener: str, **options: object) -> KafkaSettings:
        told = "&".join(f"{name}={value}" for name, value in options.items())
        return KafkaSettings.parse(f"kafka://{listener}/?{told}")

    def as_user(self, name: str, password: str, authority: Path) -> KafkaSettings:
        username, secret = self.files / "username", self.files / f"password-{password}"
        username.write_text(name)
        secret.write_text(f"{password}\n")
        return self.settings(
            self.scram, security="SASL_SSL", mechanism="SCRAM-SHA-512", username_file=username, password_file=secret, ca_file=authority
        )


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    server = Secured(tmp_path_factory.mktemp("secured"))
    try:
        server.start()
    except NotHad as error:
        had_or_skipped("kafka", error)
    server.add_user("duewatch", "right")
    yield server
    server.kill()


async def _told_and_heard(settings: KafkaSettings) -> list[str]:
    await KafkaTopics(settings, 2).apply(["suppliers"])
    bus = KafkaBus(settings, 2)
    try:
        await bus.publish([row("supplier", "s", 1, topic="suppliers")])
        return subjects(await drain(await bus.consumer("g", ["suppliers"])))
    finally:
        await bus.close()


async def test_a_name_and_a_password_over_tls(broker: Secured) -> None:
    assert await _told_and_heard(broker.as_user("duewatch", "right", broker.authority)) == ["s"]


async def test_a_certificate_on_both_sides(broker: Secured) -> None:
    known = broker.settings(
        broker.certified, prefix="other.", security="SSL", ca_file=broker.authority, cert_file=broker.certificate, key_file=broker.key
    )
    assert await _told_and_heard(known) == ["s"]


async def test_who_is_not_known_gets_nowhere(broker: Secured) -> None:
    """A wrong password, an authority that did not sign the broker's certificate, no certificate where one is asked for."""
    for wrong in (
        broker.as_user("duewatch", "wrong", broker.authority),
        broker.as_user("duewatch", "right", broker.stranger),
        broker.settings(broker.certified, security="SSL", ca_file=broker.authority),
        broker.settings(broker.scram),
    ):
        bus = KafkaBus(wrong, 2, delivery_s=5.0)
        try:
            with pytest.raises(Unavailable):
                await bus.publish([row("supplier", "s", 1, topic="suppliers")])
        finally:
            await bus.close()
