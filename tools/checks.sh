# shellcheck shell=bash
# What ./dev lint, i18n, bench and test do besides pytest, and stop and clean.

# A customer installs, updates twice, removes, installs again, without demo data.
lifecycle() {
    local database=${DB}_cycle_pid$$
    db clone "$DEPS_TEMPLATE" "$database"
    db no-demo "$database"
    logged lifecycle-install -d "$database" -i "$MODULE" --stop-after-init --no-http
    logged lifecycle-update -d "$database" -u "$MODULE" --stop-after-init --no-http
    logged lifecycle-update-again -d "$database" -u "$MODULE" --stop-after-init --no-http
    logged lifecycle-uninstall module uninstall -d "$database" "$MODULE"
    db verify "$database" uninstalled
    logged lifecycle-install-again -d "$database" -i "$MODULE" --stop-after-init --no-http
    db verify "$database" installed
    db drop "$database"
}

# Each check runs, also after one that failed: all there is to mend in one call.
run_lint() {
    local status=0 script
    setup_all lint
    for script in "$REPO/dev" "$REPO"/tools/*.sh "$REPO/.ci/run"; do
        bash -n "$script" || status=1
    done
    lint_python "$@" || status=1
    lint_odoo || status=1
    "$VENV/bin/python" "$REPO/tools/check_xml.py" "$REPO" || status=1
    ready_template
    translations check || status=1
    [ "$status" = 0 ] || { say "lint: not clean"; return 1; }
    say "lint: clean"
}

# lint_python [--fix]
lint_python() {
    local ruff=$VENV/bin/ruff status=0 unformatted
    export RUFF_NO_CACHE=true
    if [ "${1:-}" = --fix ]; then
        "$ruff" format --quiet "$REPO" || true
    fi
    "$ruff" check --quiet "$@" "$REPO" || status=1
    unformatted=$("$ruff" format --check "$REPO") || {
        printf '%s\n' "$unformatted" "./dev lint --fix reformats them"
        status=1
    }
    return "$status"
}

# From a folder of its own: pylint needs the module under its name, and stumbles over
# a path with a hidden folder in it, as ~/.cache is.
lint_odoo() {
    local folder status=0
    folder=$(mktemp -d "/tmp/$MODULE.XXXXXX")
    ln -s "$REPO" "$folder/$MODULE"
    (cd "$folder" && PYLINTHOME=$folder "$VENV/bin/python" -m pylint \
        --rcfile="$REPO/.pylintrc" "$MODULE") || status=1
    rm -rf "$folder"
    return "$status"
}

# translations update|check: against a fresh export of the module, with demo data.
translations() {
    local fresh=$WORK/fresh.pot
    rm -f "$fresh"
    odoo i18n export -d "$MODULE_TEMPLATE" -o "$fresh" "$MODULE" >"$WORK/log/i18n.log" 2>&1
    [ -s "$fresh" ] || fail "the export made nothing, see $WORK/log/i18n.log"
    "$VENV/bin/python" "$REPO/tools/translations.py" "$1" "$fresh" "$REPO/i18n"
}

run_i18n() {
    setup_all lint
    ready_template
    translations update
}

run_bench() {
    local script database=${DB}_bench status=0
    setup_all lint
    ready_template
    [ $# -gt 0 ] || set -- "$REPO"/bench/bench_*.py
    [ -e "$1" ] || fail "there is no ${1#"$REPO"/}"
    db clone "$MODULE_TEMPLATE" "$database"
    for script in "$@"; do
        say "$(basename "$script"):"
        odoo shell -d "$database" --no-http --log-level=error <"$script" || status=1
    done
    db drop "$database"
    return "$status"
}

# ---- stop and clean --------------------------------------------------------------

stop_server() {
    local pid
    pid=$(cat "$WORK/server.pid" 2>/dev/null) || return 0
    if grep -q start_odoo "/proc/$pid/cmdline" 2>/dev/null; then
        kill "$pid"
        while [ -e "/proc/$pid" ]; do sleep 0.2; done
        say "the server has stopped"
    fi
    rm -f "$WORK/server.pid"
}

# PostgreSQL serves every checkout of this machine.
stop_all() {
    local others
    stop_server
    is_set_up odoo || return 0
    [ -z "${PGHOST:-}" ] || return 0
    BIN=$(postgres_bin) || return 0
    choose_cluster
    [ -e "$CLUSTER/postmaster.pid" ] || return 0
    others=$(db in-use "$DB" || true)
    if [ -n "$others" ]; then
        say "PostgreSQL goes on: in use are $others"
    else
        (cd / && as_postgres "$BIN/pg_ctl" -D "$CLUSTER" -m fast -w stop) >&2 || true
    fi
}

clean_all() {
    stop_server
    if is_set_up odoo; then
        setup_all odoo
        db drop-like "$DB"
    fi
    rm -rf "$WORK" "$CACHE"/log/step-*.log
    say "gone: $WORK and the databases $DB*. Downloads stay in $CACHE."
}
