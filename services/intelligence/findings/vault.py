"""Seals and opens what people wrote, and makes of a sender's name one that only the tenant's own key can make again."""

import base64
import hashlib
import hmac
import secrets
from typing import Literal

from services.intelligence.findings.reports import REPORTER_KEY, KeepKey
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.service import Context
from shared.security.sealing import Sealed

Part = Literal["text", "identity", "summary", "reason", "retraction"]
_KEY_ID = "reporter-key"
_RECEIPT_BYTES = 15


class Vault:
    """Of one process; keeps the keys of the tenants that it met."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._keys: dict[str, bytes] = {}

    def seal(self, text: str, tenant: str, id_: str, part: Part) -> Sealed:
        """`id_` of the report or finding that it is a part of; elsewhere it does not open."""
        return self._ctx.sealer.seal(text.encode(), context=f"{tenant}/{id_}/{part}")

    def open(self, sealed: Sealed, tenant: str, id_: str, part: Part) -> str:
        """What was sealed; NotFound once erased."""
        return self._ctx.sealer.open(sealed, context=f"{tenant}/{id_}/{part}").decode()

    async def sender(self, tenant: str, subject: str) -> str:
        """The name that stands for a sender: always the same one, and no way back."""
        return (await self._mac(tenant, "sender", subject)).hex()

    async def receipt(self, tenant: str, report_id: str) -> str:
        """The receipt of a report, made from its id: it is kept nowhere."""
        code = base64.b32encode((await self._mac(tenant, "receipt", report_id))[:_RECEIPT_BYTES]).decode()
        return "-".join(code[at : at + 6] for at in range(0, len(code), 6))

    @staticmethod
    def receipt_digest(tenant: str, receipt: str) -> str:
        """By which a report is found; a receipt is too long to be found by trying."""
        return derive("rcp", tenant, receipt)

    async def _mac(self, tenant: str, purpose: str, value: str) -> bytes:
        return hmac.digest(await self._key(tenant), f"{purpose}\n{value}".encode(), hashlib.sha256)

    async def _key(self, tenant: str) -> bytes:
        if tenant not in self._keys:
            context = f"{tenant}/{_KEY_ID}"
            found = await self._ctx.kernel.get(REPORTER_KEY, tenant, _KEY_ID)
            if found is None:
                made = KeepKey(self._ctx.sealer.seal(secrets.token_bytes(32), context=context))
                cause = Cause(derive("cmd", tenant, _KEY_ID), "command.reporter_key.make")
                found = (await self._ctx.kernel.execute(Item(REPORTER_KEY, tenant, _KEY_ID, Message(made, cause)))).document
                assert found is not None
            self._keys[tenant] = self._ctx.sealer.open(found.state.key, context=context)
        return self._keys[tenant]
