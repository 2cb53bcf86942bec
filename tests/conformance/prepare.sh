#!/bin/sh
# Prepares what `make conformance` needs beside .venv: the programs of npm in .conformance, atheris and schemathesis in .venv.
# Takes a moment when nothing has changed.
set -eu

here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."
folder=.conformance
stamp=$folder/.prepared

say() { echo "conformance: $*" >&2; }
die() { say "$*"; exit 1; }

command -v node >/dev/null && command -v npm >/dev/null ||
    die "Node.js 20 or later is needed, with npm. Type this, then try again: apt-get install -y nodejs npm"
[ "$(node --print 'parseInt(process.versions.node)')" -ge 20 ] ||
    die "Node.js $(node --version) is too old: 20 or later is needed, from https://nodejs.org or your package manager."

# Beside the project's folders, not among them: what looks through tests/ for modules should not find those of npm.
fingerprint() { node --version; cat "$here/package.json" "$here/package-lock.json" "$here/.npmrc" | cksum; }

if [ ! -f $stamp ] || [ "$(fingerprint)" != "$(cat $stamp)" ]; then
    say "installing the programs of tests/conformance/package-lock.json ..."
    mkdir -p $folder
    rm -f $stamp
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" $folder/
    npm ci --prefix $folder --no-progress --loglevel=error >&2
    fingerprint >$stamp
fi
ln -sfn ../../$folder/node_modules "$here/node_modules"

# Bootstrap takes away again what it does not know; putting it back takes half a second once it has been downloaded.
[ ! -s /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=1
uv=$(command -v uv) || uv=.uv/uv
UV_PYTHON_DOWNLOADS=never "$uv" sync --frozen --quiet --inexact --group conformance --python .venv/bin/python
