# shellcheck shell=bash
# Gets Odoo, its Python parts and PostgreSQL. Every piece is built beside its place
# and renamed when it is whole, so a call that was cut off is finished by the next.

ODOO_VERSION=19.0.0+dfsg-1
ODOO_SHA256=9d2f598b0555db17e291d48ed24df184c70823c053c4c5ed53c467ca7f629bbf
UV_VERSION=0.13.8
# Odoo's tree links to files of these; sid has a Font Awesome that no longer has them.
LINKED_STABLE="libjs-jquery libjs-underscore libjs-jquery-form fonts-font-awesome
    fonts-roboto-unhinted fonts-inconsolata fonts-ocr-b"
LINKED_SID="fonts-montserrat"
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

setup_all() {
    local purpose=$1
    if ! is_set_up "$purpose"; then
        lock "$CACHE/lock"
        setup_system "$purpose"
        setup_odoo
        setup_python
        unlock
    else
        STEP=3
    fi
    export PYTHONPATH=$ODOO_HOME
    setup_postgres
    setup_workspace
}

is_set_up() {
    choose_places && [ -e "$ODOO_HOME/odoo" ] && [ -e "$VENV/complete" ] &&
        [ -z "$(missing_packages "$1")" ]
}

# ---- Debian packages -------------------------------------------------------------

needed_packages() {
    echo python3 ca-certificates wkhtmltopdf fonts-noto-cjk libmagic1
    [ -n "${PGHOST:-}" ] || echo postgresql
    [ "$1" != test ] || echo chromium poppler-utils
}

missing_packages() {
    local name
    command -v dpkg-query >/dev/null || return 0
    for name in $(needed_packages "$1"); do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
            echo "$name"
    done
}

setup_system() {
    local missing
    STEP=1
    missing=$(missing_packages "$1" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        step "Debian packages: $missing" install_packages "$missing"
    elif without_root "$1"; then
        say "note: not installed: $missing"
        say "      (without wkhtmltopdf there are no PDFs, without fonts-noto-cjk no Chinese in them)"
    else
        fail "packages are missing and only root can install them:" \
            "apt-get install --no-install-recommends $missing"
    fi
}

# Odoo runs without the PDF and font packages; without the rest it does not.
without_root() {
    [ "$1" != test ] && find_python >/dev/null &&
        { [ -n "${PGHOST:-}" ] || postgres_bin >/dev/null; }
}

install_packages() {
    # Our cluster is our own; the package must not start another one at every boot.
    if ! [ -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    fi
    apt-get update
    # shellcheck disable=SC2086 # a list of names
    apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold $1 9>&-
}

# ---- Odoo ------------------------------------------------------------------------

choose_places() {
    local python
    ODOO_HOME=$CACHE/odoo-19/usr/lib/python3/dist-packages
    ODOO_ADDONS=
    if [ -n "${ODOO_SRC:-}" ]; then
        [ -e "$ODOO_SRC/odoo/release.py" ] || fail "ODOO_SRC=$ODOO_SRC holds no Odoo (odoo/release.py)"
        ODOO_HOME=$(cd "$ODOO_SRC" && pwd -P)
        ODOO_ADDONS=$ODOO_HOME/addons
    fi
    python=$(find_python) || return 1
    VENV=$CACHE/venv-$(cat "$REPO"/requirements*.txt <("$python" -VV) | sha256sum | cut -c1-10)
}

setup_odoo() {
    STEP=2
    choose_places || fail "Odoo 19 needs Python 3.10 to 3.13: apt-get install python3"
    [ -e "$ODOO_HOME/odoo" ] ||
        step "Odoo 19 from Debian (123 MB)" fetch_odoo
}

fetch_odoo() {
    local new=$CACHE/odoo-19.new
    command -v apt-get >/dev/null || {
        echo "no apt-get here: give an Odoo 19 checkout in ODOO_SRC"; return 1; }
    [ -e "$KEYRING" ] || { echo "apt-get install debian-archive-keyring"; return 1; }
    rm -rf "$new"
    mkdir -p "$new/apt/lists/partial" "$new/apt/cache/archives/partial" "$new/deb" "$new/tree"
    apt_lists "$new/apt"
    (cd "$new/deb" && download_odoo "$new/apt")
    local deb
    for deb in "$new"/deb/*.deb; do dpkg-deb -x "$deb" "$new/tree"; done
    add_stub "$new/tree/usr/lib/python3/dist-packages/odoo/addons"
    check_links "$new/tree"
    rm -rf "$CACHE/odoo-19"
    mv "$new/tree" "$CACHE/odoo-19"
    rm -rf "$new"
}

# An apt of its own: the machine's sources and lists are left as they are.
isolated_apt() {
    local tool=$1 dir=$2
    shift 2
    "$tool" -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" \
        -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any "$@"
}

# The mirror that this machine uses, for it may be the only one it reaches.
debian_mirrors() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 2>/dev/null |
        awk '$2 !~ /security|updates|backports/ && $3 == "main" && !seen[$1]++ {print $1}'
    echo http://deb.debian.org/debian
}

apt_lists() {
    local dir=$1 mirror
    for mirror in $(debian_mirrors); do
        printf "deb [signed-by=$KEYRING] %s %s main\n" "$mirror" bookworm "$mirror" sid \
            >"$dir/sources.list"
        isolated_apt apt-get "$dir" update && return 0
        echo "$mirror does not serve bookworm and sid"
    done
    return 1
}

download_odoo() {
    local dir=$1 name
    if isolated_apt apt-get "$dir" download "odoo-19=$ODOO_VERSION"; then
        echo "$ODOO_SHA256  $(ls odoo-19_*.deb)" | sha256sum -c -
    else
        echo "Debian no longer has odoo-19 $ODOO_VERSION: taking the newest one"
        isolated_apt apt-get "$dir" download odoo-19/sid
        echo "note: Odoo $(ls odoo-19_*.deb) instead of the tested $ODOO_VERSION" >"$CACHE/odoo-version-note"
    fi
    for name in $LINKED_STABLE; do set -- "$@" "$name/bookworm"; done
    for name in $LINKED_SID; do set -- "$@" "$name/sid"; done
    shift
    isolated_apt apt-get "$dir" download "$@"
    # pip for a python3 without ensurepip (Debian keeps that in python3-venv).
    isolated_apt apt-get "$dir" download python3-pip-whl/bookworm
}

# Debian leaves this non-free file out; without it the web client logs an error,
# and an error in the console fails every browser test.
add_stub() {
    local file=$1/mail/static/lib/selfie_segmentation/selfie_segmentation.js
    [ -e "$file" ] && return 0
    mkdir -p "$(dirname "$file")"
    echo "/* not in Debian: only blurs the background of video calls */" >"$file"
}

check_links() {
    local broken
    broken=$(find "$1" -xtype l)
    [ -z "$broken" ] || { echo "files that Odoo's tree links to are missing:"; echo "$broken"; return 1; }
}

# ---- Python ----------------------------------------------------------------------

find_python() {
    local python
    for python in /usr/bin/python3 python3 python3.13 python3.12 python3.11 python3.10; do
        "$python" -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
            2>/dev/null && { command -v "$python"; return 0; }
    done
    return 1
}

setup_python() {
    STEP=3
    [ -e "$VENV/complete" ] ||
        step "Python parts (uv $UV_VERSION, requirements*.txt)" make_venv
}

# A venv knows its own path: it is made in its place, and "complete" is its last file.
make_venv() {
    local python wheel
    python=$(find_python)
    rm -rf "$VENV"
    "$python" -m venv "$VENV" 2>/dev/null || "$python" -m venv --clear --without-pip "$VENV"
    if ! [ -e "$VENV/bin/pip" ]; then
        wheel=$(ls "$CACHE"/odoo-19/usr/share/python-wheels/pip-*.whl) ||
            { echo "no pip: apt-get install python3-venv"; return 1; }
        "$VENV/bin/python" "$wheel/pip" install --no-index "$wheel"
    fi
    "$VENV/bin/pip" install "uv==$UV_VERSION" || true # pip alone does it too, slower
    install_python -r "$REPO/requirements.txt" -r "$REPO/requirements-test.txt"
    install_python --no-deps -r "$REPO/requirements-oca.txt"
    touch "$VENV/complete"
}

# uv does not read pip's configuration (an index of one's own): pip is the way then.
install_python() {
    VIRTUAL_ENV=$VENV "$VENV/bin/uv" pip install --link-mode=copy "$@" ||
        "$VENV/bin/pip" install "$@"
}

# ---- PostgreSQL ------------------------------------------------------------------

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
    CLUSTER=$CACHE/postgresql-$(basename "$(dirname "$BIN")")
    unset PGPASSWORD
    export PGHOST=$CACHE/run PGPORT=5432 PGUSER=odoo
    # The path of a socket has at most 107 bytes.
    [ ${#PGHOST} -le 80 ] || PGHOST=/tmp/$MODULE-$(id -u)
    db ping quiet && return 0
    lock "$CACHE/lock"
    db ping quiet || step "PostgreSQL of its own" start_cluster
    unlock
}

# As root the server runs as postgres, which refuses to be started by root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

start_cluster() {
    local owner new=$CLUSTER.new
    owner=$([ "$(id -u)" = 0 ] && echo postgres || id -un)
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
    db ready "$DEPS_TEMPLATE" && return 0
    db drop-like "${DB}_deps_"
    step "Database of what the module depends on, with demo data" make_deps_template
}

make_deps_template() {
    odoo -d "$DEPS_TEMPLATE" --with-demo -i "$(db depends "$REPO")" --stop-after-init --no-http
    db stamp "$DEPS_TEMPLATE" whole
}

ensure_module_template() {
    db ready "$MODULE_TEMPLATE" && return 0
    STEP=5
    ensure_deps_template
    STEP=6
    db drop-like "${DB}_module_"
    step "The module on a copy of it" make_module_template
}

make_module_template() {
    db clone "$DEPS_TEMPLATE" "$MODULE_TEMPLATE"
    logged install -d "$MODULE_TEMPLATE" --with-demo -i "$MODULE"
    odoo shell -d "$MODULE_TEMPLATE" --no-http --log-level=error <"$REPO/tools/bundles.py"
    db stamp "$MODULE_TEMPLATE" whole
}

# logged NAME ARGS...: runs Odoo once, and fails when it warns of anything.
logged() {
    local log=$WORK/log/$1.log
    shift
    odoo "$@" --stop-after-init --no-http --logfile="$log.new" || { tail -n 30 "$log.new"; return 1; }
    mv "$log.new" "$log"
    ! grep -E '^[0-9-]+ [0-9:,]+ [0-9]+ (WARNING|ERROR|CRITICAL) ' "$log"
}

ensure_run_database() {
    local key
    key=$(db key module "$REPO" "$ODOO_HOME")
    STEP=5
    if ! db ready "$RUN_DB"; then
        ensure_deps_template
        STEP=6
        db drop "$RUN_DB"
        step "Database $RUN_DB with demo data" make_run_database "$key"
    elif [ "$(db stamp "$RUN_DB")" != "$key" ]; then
        STEP=6
        step "The module has changed: update" update_run_database "$key"
    fi
    db seturl "$RUN_DB" "$1"
}

make_run_database() {
    db clone "$DEPS_TEMPLATE" "$RUN_DB"
    odoo -d "$RUN_DB" --with-demo -i "$MODULE" --stop-after-init --no-http
    db stamp "$RUN_DB" "$1"
}

update_run_database() {
    odoo -d "$RUN_DB" --with-demo -u "$MODULE" --stop-after-init --no-http
    db stamp "$RUN_DB" "$1"
}
