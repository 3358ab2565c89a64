#!/bin/sh
# What `make install` needs beside Python, before pip starts. PyICU is built from source: ICU's and Python's headers and a C++ compiler.
# With apt and root we fetch what is missing, else we say what it is. $1: the Python to use.
python=${1:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Python 3.11 or newer is needed: install it, or name one, as in \`make install PYTHON=python3.12\`." >&2
    exit 1
fi

complete() {
    command -v pkg-config >/dev/null 2>&1 && pkg-config --exists icu-i18n && command -v c++ >/dev/null 2>&1 &&
        "$python" -c 'import ensurepip, os, sys, sysconfig, venv; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
            2>/dev/null
}

# Its builders optimise a distribution's Python; one compiled by hand, as pyenv does, is only if asked for.
"$python" -c 'import sys, sysconfig; sys.exit(sys.base_prefix == "/usr" or "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""))' &&
    echo "This Python was compiled without --enable-optimizations: Duewatch takes about a tenth longer with it. PYTHON=... names another one." >&2

complete && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null >/dev/null &&
        apt-get install -y -qq --no-install-recommends libicu-dev pkg-config g++ python3-venv python3-dev </dev/null >/dev/null
    complete && exit 0
fi
echo "ICU's and Python's development files, pkg-config and a C++ compiler are needed. Install" >&2
echo "libicu-dev pkg-config g++ python3-venv python3-dev (Debian, Ubuntu), libicu-devel pkgconf gcc-c++ python3-devel (Fedora)" >&2
echo "or icu4c pkg-config (Homebrew), then run make again." >&2
exit 1
