# shellcheck shell=bash disable=SC2034 # variables for the files beside this one
# Paths, messages, steps with a clock, and the lock. Sourced by ./dev.

# Everything but the answer of a command goes to standard error, so that
# `./dev odoo shell < script.py > result` stays usable.
say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $1"; shift; for line in "$@"; do say "       $line"; done; exit 1; }

[ -n "${HOME:-}" ] || HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
if [ -n "${QR_CACHE:-}" ]; then
    CACHE=$QR_CACHE
elif [ "$(id -u)" = 0 ]; then
    CACHE=/var/cache/$MODULE # not below /root: the postgres user must get in
else
    CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/$MODULE
fi
# Two checkouts on one PostgreSQL must not take each other's databases.
CHECKOUT=$(printf %s "$REPO" | sha256sum | cut -c1-6)
WORK=$CACHE/checkouts/$CHECKOUT
DB=qr_$CHECKOUT

# A database or an option named by the caller's environment must not become ours.
for name in ${!ODOO_@} OPENERP_SERVER PGDATABASE PGSERVICE PYTHONHOME PYTHONPATH; do
    [ "$name" = ODOO_SRC ] || unset "$name"
done
# Odoo is slow to start when it may not keep its compiled files.
unset PYTHONDONTWRITEBYTECODE
export ODOO_RC=$WORK/odoo.conf

umask 022
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 LANG=C.UTF-8 PYTHONUNBUFFERED=1

STEP=0 STEPS=6

# A line now and then on a terminal or in a log: silence looks like a hang.
ticker() {
    local name=$1 start=$SECONDS
    # When ./dev is killed, nobody is left to stop this loop.
    while sleep 1 && kill -0 $$ 2>/dev/null; do
        if [ -t 2 ]; then
            printf '\r%s … %s s ' "$name" $((SECONDS - start)) >&2
        elif [ $(((SECONDS - start) % 30)) = 0 ]; then
            say "$name … $((SECONDS - start)) s"
        fi
    done
}

# step NAME COMMAND...: runs it with its output in a log, shows the clock, and on
# failure the end of the log. Not in the background, so that Ctrl-C reaches it. Never
# call it in a condition: bash would go on after a command of it that fails.
step() {
    local name="[$STEP/$STEPS] $1" log=$CACHE/log/step-$$.log start=$SECONDS status=0 tick
    shift
    mkdir -p "$CACHE/log"
    [ ! -t 2 ] && say "$name …"
    ticker "$name" 8>&- 9>&- &
    tick=$!
    # A subshell with errexit of its own: `|| status` would switch it off inside. The
    # trap: Odoo ends a Ctrl-C with 0, and the next command would call its work done.
    trap 'status=130' INT
    set +e
    (trap 'exit 130' INT TERM; set -e; "$@") >"$log" 2>&1 </dev/null
    status=$((status ? status : $?))
    set -e
    trap - INT
    { kill "$tick"; wait "$tick"; } 2>/dev/null || true
    [ ! -t 2 ] || printf '\r\033[K' >&2
    if [ "$status" = 0 ]; then
        say "$name: $((SECONDS - start)) s"
        rm -f "$log"
        return 0
    fi
    [ "$status" != 130 ] || { say "$name: interrupted. The next call goes on here."; exit 130; }
    say "$name: failed after $((SECONDS - start)) s. The end of $log:"
    tail -n 25 "$log" | sed 's/^/    /' >&2
    advise "$log"
    exit 1
}

# What the common failures mean for the one who sees them.
advise() {
    local log=$1
    if grep -qiE 'no space left|disk full|not enough (free )?space' "$log"; then
        say "The disk is full: free some space (about 4 GB are needed below $CACHE) and call again."
    elif grep -qiE 'could not resolve|temporary failure|connection (refused|timed out)|network is unreachable|could not connect to .*:80|failed to fetch' "$log"; then
        say "The network did not answer (a proxy? http_proxy and PIP_INDEX_URL are honoured). Call again; what is finished is kept."
    elif grep -qiE 'permission denied to create database' "$log"; then
        say "The role $PGUSER may not create databases: ALTER ROLE \"$PGUSER\" CREATEDB;"
    else
        say "Mend what the log names and call again; what is finished is kept."
    fi
}

# File descriptor 9 holds the lock; it is released however this process ends. Daemons
# and long-lived children are started with 9>&- so that they do not keep it.
lock() {
    mkdir -p "$(dirname "$1")"
    exec 9>>"$1"
    flock -n 9 || { say "Another ./dev is at work here; waiting for it …"; flock 9; }
}
unlock() { exec 9>&-; }

port_free() {
    "$VENV/bin/python" - "$1" <<'PY' || fail "port $1 is taken" \
        "Is ./dev run already running? (./dev stop ends it.)" "Another port: ./dev run --port $(($1 + 1))"
import socket
import sys

with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("", int(sys.argv[1])))
    except (OSError, OverflowError):
        sys.exit(1)
PY
}

db() { "$VENV/bin/python" "$REPO/tools/databases.py" "$@"; }
odoo() { "$VENV/bin/python" "$REPO/tools/start_odoo.py" "$@"; }
