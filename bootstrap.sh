#!/bin/sh
# Prepares .venv from uv.lock on a machine that has Python and, at best, nothing else. Called by make before everything it
# does; says nothing and takes a few milliseconds when nothing has changed.
#
#   PYTHON=/path/to/python3.12 ./bootstrap.sh    use this interpreter instead of the one found
set -eu

root=$(dirname "$(readlink -f "$0")")
cd "$root"
stamp=.venv/.prepared
versions="3.11 to 3.13"

say() { echo "bootstrap: $*" >&2; }
die() { say "$*"; exit 1; }

# The stamp holds everything .venv was made from: where it is (console scripts hold absolute paths), and what it is made of.
fingerprint() { echo "$root"; cksum uv.lock pyproject.toml bootstrap.sh; }

is_ready() { [ -f $stamp ] && [ "$(fingerprint)" = "$(cat $stamp)" ] && .venv/bin/python -c ''; }

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
        # Asks the interpreter itself: a name on PATH may be a version manager's shim for a version that is not installed.
        if found=$("$candidate" -c '
import sys
if not (3, 11) <= sys.version_info[:2] < (3, 14):
    sys.exit(1)
print(sys.executable)' 2>/dev/null) && [ -n "$found" ]; then
            echo "$found"
            return
        fi
        [ "$candidate" != "${PYTHON:-}" ] || die "PYTHON=$PYTHON is not a Python $versions."
    done
    die "no Python $versions on PATH. Type this, then try again: $(python_command)
bootstrap: Or name one that is elsewhere: PYTHON=/path/to/python3.12 make run"
}

# What installs a Python here; the newest that the package manager knows.
python_command() {
    as_root=; [ "$(id -u)" = 0 ] || as_root="sudo "
    if command -v apt-get >/dev/null 2>&1; then
        for version in 3.13 3.12 3.11; do
            if apt-cache show python$version >/dev/null 2>&1; then
                echo "${as_root}apt-get install -y python$version python$version-venv"
                return
            fi
        done
        echo "${as_root}apt-get update && ${as_root}apt-get install -y python3.11 python3.11-venv"
    elif command -v dnf >/dev/null 2>&1; then
        echo "${as_root}dnf install -y python3.12"
    elif command -v zypper >/dev/null 2>&1; then
        echo "${as_root}zypper install -y python312"
    elif command -v brew >/dev/null 2>&1; then
        echo "brew install python@3.12"
    else
        echo "docker compose up   (it needs no Python; see .env.example)"
    fi
}

install_uv() {
    python=$1
    say "installing uv into .uv ..."
    rm -rf .uv
    if "$python" -m venv .uv/venv >/dev/null 2>&1; then
        .uv/venv/bin/python -m pip install --quiet --disable-pip-version-check uv && ln -s venv/bin/uv .uv/uv && return
        die "pip could not install uv; see above. Without a way to the package index, put uv on PATH yourself."
    fi
    rm -rf .uv
    # Debian and its kin ship a python3 without ensurepip, so `venv` fails; pip may be there all the same.
    if "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .uv/pip uv && ln -s pip/bin/uv .uv/uv && return
        die "pip could not install uv; see above. Without a way to the package index, put uv on PATH yourself."
    fi
    package=$(basename "$python")-venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -z "${tried_apt:-}" ]; then
        tried_apt=yes
        say "this Python comes without venv and pip; running: apt-get install -y $package"
        apt-get update -qq >&2
        apt-get install -y -qq "$package" >&2 || apt-get install -y -qq python3-venv >&2
        install_uv "$python"
        return
    fi
    die "this Python comes without venv and pip. Type this, then try again: apt-get install -y $package"
}

is_ready && exit 0

python=$(find_python)
if command -v uv >/dev/null 2>&1; then
    uv=$(command -v uv)
else
    [ -x .uv/uv ] && .uv/uv --version >/dev/null 2>&1 || install_uv "$python"
    uv=.uv/uv
fi

# An environment that was moved, or whose interpreter is gone, cannot be mended: its scripts point into the void.
if [ -d .venv ] && { ! .venv/bin/python -c '' 2>/dev/null || { [ -f $stamp ] && [ "$(head -n 1 $stamp)" != "$root" ]; }; }; then
    rm -rf .venv
fi
# An environment that works keeps its interpreter, so that a new python3 on PATH does not rebuild everything.
[ -x .venv/bin/python ] && [ -z "${PYTHON:-}" ] && python=.venv/bin/python

say "preparing .venv from uv.lock with $("$python" --version) ..."
# pip trusts the system's certificates; uv does when it is told to.
[ ! -s /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=1
UV_PYTHON_DOWNLOADS=never "$uv" sync --frozen --quiet --python "$python" ||
    die "the environment could not be made; see above. Disk full? df -h $root. A package without a build for $(uname -sm)? \
Then run the service in containers: docker compose up (see .env.example)."
ln -sf ../../customer-service .venv/bin/customer-service
fingerprint >$stamp
