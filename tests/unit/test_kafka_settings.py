"""The address of a Kafka cluster, without one."""

from pathlib import Path

import pytest

from shared.bus.kafka_settings import KafkaSettings
from shared.errors import Invalid


def test_the_shortest() -> None:
    settings = KafkaSettings.parse("kafka://localhost:9092")
    assert settings == KafkaSettings(servers=("localhost:9092",))
    connection = settings.connection()
    assert connection["bootstrap_servers"] == ["localhost:9092"]
    assert connection["security_protocol"] == "PLAINTEXT"
    assert "sasl_mechanism" not in connection


def test_all_of_it(tmp_path: Path) -> None:
    name, password = tmp_path / "name", tmp_path / "password"
    name.write_text("duewatch\n")
    password.write_text("geheim\n")
    settings = KafkaSettings.parse(
        "kafka://a.example:9092,b.example:9093/?prefix=acme.&security=SASL_SSL&mechanism=SCRAM-SHA-256"
        f"&username_file={name}&password_file={password}&replication=3"
    )
    assert settings.servers == ("a.example:9092", "b.example:9093")
    assert (settings.prefix, settings.replication) == ("acme.", 3)
    connection = settings.connection()
    assert (connection["sasl_plain_username"], connection["sasl_plain_password"]) == ("duewatch", "geheim")
    assert connection["sasl_mechanism"] == "SCRAM-SHA-256"
    assert connection["ssl_context"].check_hostname
    password.write_text("neu")
    assert settings.connection()["sasl_plain_password"] == "neu"
    assert "geheim" not in repr(settings)
    password.unlink()
    with pytest.raises(OSError, match="password"):
        settings.connection()


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("http://a:1", "address"),
        ("kafka://", "address"),
        ("kafka://a", "address"),
        ("kafka://a:99999", "address"),
        ("kafka://a:1,,b:1", "address"),
        ("kafka://a:1/path", "address"),
        ("kafka://name:hidden@a:1", "address"),
        ("kafka://a:1/?password=hidden", "option"),
        ("kafka://a:1/?prefix=a&prefix=b", "prefix"),
        ("kafka://a:1/?prefix=hidden/", "prefix"),
        ("kafka://a:1/?security=hidden", "security"),
        ("kafka://a:1/?mechanism=hidden", "mechanism"),
        ("kafka://a:1/?security=SASL_SSL", "username_file"),
        ("kafka://a:1/?username_file=x&password_file=y", "username_file"),
        ("kafka://a:1/?security=SASL_SSL&username_file=&password_file=y", "username_file"),
        ("kafka://a:1/?ca_file=x", "security"),
        ("kafka://a:1/?security=SSL&key_file=x", "cert_file"),
        ("kafka://a:1/?replication=hidden", "replication"),
        ("kafka://a:1/?replication=0", "replication"),
        ("kafka://[a:1", "address"),
    ],
)
def test_what_cannot_be_is_said_and_not_repeated(url: str, field: str) -> None:
    with pytest.raises(Invalid) as error:
        KafkaSettings.parse(url)
    assert [e["field"] for e in error.value.errors] == [field]
    assert "hidden" not in error.value.detail
