#!/bin/sh
# Fetches Apache Kafka for `make test-kafka` and writes its class path to .kafka/classpath. Takes a moment when nothing has
# changed. Where it cannot be had it says why, once, and the tests skip.
set -eu

here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."
folder=.kafka

without() { rm -f $folder/classpath; mkdir -p $folder; echo "$*" >$folder/missing; echo "test-kafka: $*" >&2; exit 0; }

command -v java >/dev/null && command -v mvn >/dev/null ||
    without "no java and mvn here; type: apt-get install -y openjdk-17-jre-headless maven"
version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
[ "${version:-0}" -ge 17 ] || without "Java $version is too old for this Kafka: 17 or later is needed"

fingerprint() { cksum <"$here/pom.xml"; }
# The files may be gone from Maven's own folder while the path to them is still here.
complete() { tr ':' '\n' <$folder/classpath | while read -r file; do [ -f "$file" ] || exit 1; done; }

if [ ! -f $folder/classpath ] || [ "$(fingerprint)" != "$(cat $folder/prepared 2>/dev/null)" ] || ! complete; then
    echo "test-kafka: fetching Apache Kafka ..." >&2
    mkdir -p $folder
    mvn --batch-mode --quiet --file "$here/pom.xml" dependency:build-classpath -Dmdep.outputFile="$PWD/$folder/classpath" \
        >$folder/mvn.log 2>&1 || without "Maven could not fetch Apache Kafka; see $folder/mvn.log"
    fingerprint >$folder/prepared
fi
rm -f $folder/missing
