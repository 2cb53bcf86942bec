#!/bin/sh
# Prepares what `make conformance` needs beside .venv: the programs of npm in .conformance, atheris and schemathesis in .venv.
# Takes a moment when nothing has changed.
set -eu

here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."
folder=.conformance

say() { echo "conformance: $*" >&2; }
die() { say "$*"; exit 1; }

command -v node >/dev/null && command -v npm >/dev/null ||
    die "Node.js 20 or later is needed, with npm. Type this, then try again: apt-get install -y nodejs npm"
[ "$(node --print 'parseInt(process.versions.node)')" -ge 20 ] ||
    die "Node.js $(node --version) is too old: 20 or later is needed, from https://nodejs.org or your package manager."

# Installs what the lock file of a folder names into another: beside the project's folders, not among them, because what looks
# through them for modules should not find those of npm.
install() {
    from=$1 into=$2 stamp=$2/.prepared
    wanted=$(node --version; cat "$from/package.json" "$from/package-lock.json" "$from/.npmrc" | cksum)
    if [ ! -f "$stamp" ] || [ "$wanted" != "$(cat "$stamp")" ]; then
        say "installing the programs of $from/package-lock.json ..."
        mkdir -p "$into"
        rm -f "$stamp"
        cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" "$into/"
        npm ci --prefix "$into" --no-progress --loglevel=error >&2
        echo "$wanted" >"$stamp"
    fi
}

install tests/conformance $folder
# What front ends copy, with its own locks and in its own order: the example is built on the client.
install clients/typescript $folder/kit/clients/typescript
install examples/react-import $folder/kit/examples/react-import
ln -sfn ../../$folder/node_modules "$here/node_modules"

# Bootstrap takes away again what it does not know; putting it back takes half a second once it has been downloaded.
[ ! -s /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=1
uv=$(command -v uv) || uv=.uv/uv
UV_PYTHON_DOWNLOADS=never "$uv" sync --frozen --quiet --inexact --group conformance --python .venv/bin/python
