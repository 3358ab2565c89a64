"""Sealed fields and webhook signatures."""

import base64
import hashlib
import hmac
import stat
from pathlib import Path

import msgspec
import pytest

from shared.errors import DuewatchError, Invalid, NotFound
from shared.security.keyfiles import write_private
from shared.security.sealing import FileMasterKey, Sealed, Sealer, erase
from shared.security.webhooks import new_secret, sign


def test_what_was_sealed_opens_and_nothing_of_it_is_readable(tmp_path: Path) -> None:
    sealer = Sealer(FileMasterKey(tmp_path / "master.key"))
    sealed = sealer.seal(b"quiet words", context="t/report/1/text")
    stored = msgspec.json.encode(sealed)
    assert b"quiet" not in sealed.text + sealed.key + stored
    again = Sealer(FileMasterKey(tmp_path / "master.key"))
    assert again.open(msgspec.json.decode(stored, type=Sealed), context="t/report/1/text") == b"quiet words"
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600
    assert sealer.seal(b"quiet words", context="t/report/1/text").text != sealed.text


@pytest.mark.parametrize("part", ["key", "nonce", "text"])
def test_a_changed_record_does_not_open(tmp_path: Path, part: str) -> None:
    sealer = Sealer(FileMasterKey(tmp_path / "master.key"))
    sealed = sealer.seal(b"x", context="a")
    value = getattr(sealed, part)
    for wrong in (value[:-1] + bytes([value[-1] ^ 1]), value[:3]):
        with pytest.raises(DuewatchError) as refused:
            sealer.open(msgspec.structs.replace(sealed, **{part: wrong}), context="a")
        assert refused.value.status == 500


def test_a_record_opens_only_in_its_place_and_under_its_master_key(tmp_path: Path) -> None:
    sealer, other = (Sealer(FileMasterKey(tmp_path / name)) for name in ("one", "two"))
    sealed = sealer.seal(b"x", context="a")
    with pytest.raises(DuewatchError):
        sealer.open(sealed, context="b")
    with pytest.raises(DuewatchError):
        other.open(sealed, context="a")


def test_erasing_the_key_erases_the_record(tmp_path: Path) -> None:
    sealer = Sealer(FileMasterKey(tmp_path / "master.key"))
    erased = erase(sealer.seal(b"x", context="a"))
    assert erased.key == b""
    with pytest.raises(NotFound):
        sealer.open(erased, context="a")


def test_a_damaged_master_key_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_bytes(b"short")
    with pytest.raises(DuewatchError):
        FileMasterKey(tmp_path / "master.key")


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    write_private(tmp_path / "admin-token", b"one")
    write_private(tmp_path / "admin-token", b"two")
    assert (tmp_path / "admin-token").read_bytes() == b"two"
    assert stat.S_IMODE((tmp_path / "admin-token").stat().st_mode) == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_the_example_of_the_standard_webhooks_specification() -> None:
    headers = sign(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
                   timestamp=1614265330, body=b'{"test": 2432232314}')  # fmt: skip
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_each_secret_signs_while_they_change() -> None:
    secrets = [new_secret(), new_secret()]
    headers = sign(secrets, message_id="m", timestamp=7, body=b"{}")
    expected = []
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        assert len(key) == 32
        expected.append("v1," + base64.b64encode(hmac.digest(key, b"m.7.{}", hashlib.sha256)).decode())
    assert headers["webhook-signature"].split(" ") == expected


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_!!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    with pytest.raises(Invalid):
        sign([secret], message_id="m", timestamp=1, body=b"")
