#!/bin/sh
# pgrep -u UID -f PATTERN, and nothing else of it. Airflow ends the container that returns a step's result with this
# command; slim images have no procps, and BusyBox's pgrep has no -u, so that the pod would wait forever.
set -eu
if [ $# -ne 4 ] || [ "$1" != -u ] || [ "$3" != -f ]; then
    echo "usage: pgrep -u UID -f PATTERN" >&2
    exit 2
fi
status=1
for process in /proc/[0-9]*; do
    id=${process#/proc/}
    # A process may end while we look at it.
    owner=$(stat -c %u "$process" 2>/dev/null) || continue
    command=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue
    if [ "$id" != $$ ] && [ "$owner" = "$2" ] && printf '%s' "$command" | grep -q -- "$4"; then
        echo "$id"
        status=0
    fi
done
exit "$status"
