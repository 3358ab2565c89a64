"""What pyproject.toml cannot say: the modules that Cython compiles when this package is installed, in place where that is editable."""

import platform
from pathlib import Path

from setuptools import Extension, setup

sources = sorted(path.as_posix() for path in Path("services/screening/matching").glob("*.pyx"))
# Bits are counted for every name that is looked at: by one instruction, which processors of this kind have had since 2008.
arguments = ["-mpopcnt"] if platform.machine() == "x86_64" else []
setup(ext_modules=[Extension(source.removesuffix(".pyx").replace("/", "."), [source], extra_compile_args=arguments) for source in sources])
