# shellcheck shell=bash disable=SC2034 # variables for the files beside this one
# PostgreSQL, the workspace of this checkout and its databases.

postgres_bin() {
    local bin
    bin=$(find /usr/lib/postgresql/*/bin -name initdb 2>/dev/null | sort -V | tail -n 1)
    [ -n "$bin" ] && dirname "$bin"
}

setup_postgres() {
    STEP=4
    if [ -n "${PGHOST:-}" ]; then
        export PGPORT=${PGPORT:-5432} PGUSER=${PGUSER:-$(id -un)}
        [ "$PGUSER" != postgres ] || fail "Odoo refuses to work as the role postgres; make one:" \
            "createuser --createdb odoo   and then   export PGUSER=odoo"
        db ping || exit 1
        return 0
    fi
    BIN=$(postgres_bin) || fail "no PostgreSQL: apt-get install postgresql, or set PGHOST"
    choose_cluster
    db ping quiet && return 0
    lock "$CACHE/lock"
    db ping quiet || step "PostgreSQL of its own" start_cluster
    unlock
}

choose_cluster() {
    CLUSTER=$CACHE/postgresql-$(basename "$(dirname "$BIN")")
    unset PGPASSWORD
    export PGHOST=$CACHE/run PGPORT=5432 PGUSER=odoo
    # The path of a socket has at most 107 bytes.
    [ ${#PGHOST} -le 80 ] || PGHOST=/tmp/$MODULE-$(id -u)
}

# As root the server runs as postgres, which refuses to be started by root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

start_cluster() {
    local owner new=$CLUSTER.new
    owner=$(as_postgres id -un)
    mkdir -p "$PGHOST"
    chmod 700 "$PGHOST"
    chown "$owner" "$PGHOST"
    if ! [ -e "$CLUSTER" ]; then
        rm -rf "$new"
        mkdir "$new"
        chown "$owner" "$new"
        (cd / && as_postgres "$BIN/initdb" -D "$new" -U odoo --encoding=UTF8 --locale=C.UTF-8 --auth=trust)
        cat >>"$new/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$PGHOST'
unix_socket_permissions = 0700
port = $PGPORT
max_connections = 100
# A development database: after a power cut it is made anew.
fsync = off
full_page_writes = off
synchronous_commit = off
shared_buffers = 256MB
CONF
        mv "$new" "$CLUSTER"
    fi
    (cd / && as_postgres "$BIN/pg_ctl" -D "$CLUSTER" -l "$CLUSTER/server.log" -w -t 60 start 9>&-)
}

# ---- workspace and databases -----------------------------------------------------

setup_workspace() {
    mkdir -p "$WORK/addons" "$WORK/data" "$WORK/log"
    [ "$(readlink "$WORK/addons/$MODULE" || true)" = "$REPO" ] ||
        ln -sfn "$REPO" "$WORK/addons/$MODULE"
    # shellcheck disable=SC2153 # not a misspelt ODOO_SRC
    cat >"$ODOO_RC.new" <<CONF
[options]
addons_path = $WORK/addons${ODOO_ADDONS:+,$ODOO_ADDONS},$(oca_addons)
data_dir = $WORK/data
CONF
    mv "$ODOO_RC.new" "$ODOO_RC"
    DEPS_TEMPLATE=${DB}_deps_$(db key deps "$REPO" "$ODOO_HOME")
    MODULE_TEMPLATE=${DB}_module_$(db key module "$REPO" "$ODOO_HOME")
}

oca_addons() { find "$VENV"/lib/python3*/site-packages/odoo -maxdepth 1 -name addons; }

# Databases carry a comment when they are whole: one without it was cut off and goes.
ensure_deps_template() {
    STEP=5
    db ready "$DEPS_TEMPLATE" && return 0
    db drop-like "${DB}_deps_"
    step "Database of what the module depends on, with demo data" make_deps_template
}

make_deps_template() {
    odoo -d "$DEPS_TEMPLATE" --with-demo -i "$(db depends "$REPO")" --stop-after-init --no-http
    db verify "$DEPS_TEMPLATE"
    db stamp "$DEPS_TEMPLATE" whole
}

ready_template() {
    lock "$WORK/lock"
    ensure_deps_template
    db drop-dead "$DB"
    if ! db ready "$MODULE_TEMPLATE"; then
        STEP=6
        db drop-like "${DB}_module_"
        step "The module on a copy of it" make_module_template
    fi
    unlock
}

make_module_template() {
    db clone "$DEPS_TEMPLATE" "$MODULE_TEMPLATE"
    logged install -d "$MODULE_TEMPLATE" --with-demo -i "$MODULE" --stop-after-init --no-http
    db verify "$MODULE_TEMPLATE" installed
    make_bundles "$MODULE_TEMPLATE"
    db stamp "$MODULE_TEMPLATE" whole
}

make_bundles() { odoo shell -d "$1" --no-http --log-level=error <"$REPO/tools/bundles.py"; }

# logged NAME ARGS...: runs Odoo once, and fails when it warns of anything.
logged() {
    local log=$WORK/log/$1.log
    shift
    odoo "$@" >"$log" 2>&1 || { tail -n 30 "$log"; return 1; }
    if grep -A 15 -E '^[0-9-]+ [0-9:,]+ [0-9]+ (WARNING|ERROR|CRITICAL) ' "$log"; then
        echo "Odoo must have nothing to warn of here; the whole log: $log"
        return 1
    fi
}

ensure_run_database() {
    local key=${MODULE_TEMPLATE##*_}
    if ! db ready "$DB"; then
        ensure_deps_template
        STEP=6
        step "Database $DB with demo data" make_run_database "$key"
    elif [ "$(db stamp "$DB")" != "$key" ]; then
        STEP=6
        step "The module has changed: update $DB" change_run_database -u "$key"
    fi
    db seturl "$DB" "$1"
}

make_run_database() {
    db clone "$DEPS_TEMPLATE" "$DB"
    change_run_database -i "$1"
}

change_run_database() {
    odoo -d "$DB" --with-demo "$1" "$MODULE" --stop-after-init --no-http
    db verify "$DB" installed
    make_bundles "$DB"
    db stamp "$DB" "$2"
}
