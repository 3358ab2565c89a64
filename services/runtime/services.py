"""All services."""

from services.runtime.processes import MODULES, load

SERVICES = load(MODULES)
