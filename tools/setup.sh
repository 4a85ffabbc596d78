# shellcheck shell=bash disable=SC2034 # variables for the files beside this one
# Gets the Debian packages, Odoo and its Python parts. Every piece is built beside its
# place and renamed when it is whole, so a call that was cut off is finished by the next.

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
            "apt-get install --no-install-recommends $missing" \
            "(without postgresql where PGHOST names a server)"
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
    apt_install "$1" && return 0
    # An installation that was killed before.
    dpkg --configure -a
    apt-get install -y --fix-broken
    apt_install "$1"
}

# 9>&-: a service that a package starts must not keep our lock.
apt_install() {
    # shellcheck disable=SC2086 # a list of names
    apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold \
        -o DPkg::Lock::Timeout=300 $1 9>&-
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
    if [ -e "$CACHE/odoo-19/version-note" ]; then say "note: $(cat "$CACHE/odoo-19/version-note")"; fi
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
    # shellcheck disable=SC2016 # apt-get fills these in
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
        echo "$(ls odoo-19_*.deb) instead of $ODOO_VERSION, which was tested" >../tree/version-note
    fi
    set --
    for name in $LINKED_STABLE; do set -- "$@" "$name/bookworm"; done
    for name in $LINKED_SID; do set -- "$@" "$name/sid"; done
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
    "$VENV/bin/python" -m pip install "uv==$UV_VERSION" || true # pip alone does it too, slower
    install_python -r "$REPO/requirements.txt" -r "$REPO/requirements-test.txt"
    install_python --no-deps -r "$REPO/requirements-oca.txt"
    touch "$VENV/complete"
}

# uv does not read pip's configuration (an index of one's own): pip is the way then.
install_python() {
    VIRTUAL_ENV=$VENV "$VENV/bin/uv" pip install --link-mode=copy "$@" ||
        "$VENV/bin/python" -m pip install "$@"
}
