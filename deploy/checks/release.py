"""Keeps the events' contracts as they are as the last release, which later ones must not break. Part of tagging a version."""

import sys
from pathlib import Path

from services.runtime.contracts import release
from shared.errors import Conflict

try:
    release(Path("contracts"))
except Conflict as refused:
    sys.exit(refused.detail)
