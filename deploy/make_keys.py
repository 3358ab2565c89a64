"""Makes the keys of a system in a folder, for a secret store: the master key, the journal's key pair, the token keys.

    docker run --rm --user "$(id -u)" -v "$PWD/keys:/keys" --entrypoint python duewatch /opt/duewatch/make_keys.py /keys

What is there already stays as it is.
"""

import sys
from pathlib import Path

from services.runtime.signing import HeadSigner
from shared.security.sealing import FileMasterKey
from shared.security.tokens import LocalIssuer

folder = Path(sys.argv[1])
FileMasterKey(folder / "master-key")
HeadSigner(folder)
LocalIssuer(folder)
print("\n".join(sorted(path.name for path in folder.iterdir())))  # noqa: T201
