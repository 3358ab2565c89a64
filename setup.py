"""What pyproject.toml cannot say: the modules that Cython compiles when this package is installed, in place where that is editable."""

from pathlib import Path

from setuptools import Extension, setup

sources = sorted(path.as_posix() for path in Path("services/screening/matching").glob("*.pyx"))
setup(ext_modules=[Extension(source.removesuffix(".pyx").replace("/", "."), [source]) for source in sources])
