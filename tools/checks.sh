# shellcheck shell=bash
# What ./dev test and ./dev lint do besides pytest.

# A customer installs, updates, removes and installs again, without demo data.
lifecycle() {
    local database=${DB}_lifecycle
    db clone "$DEPS_TEMPLATE" "$database"
    logged lifecycle-install -d "$database" -i "$MODULE"
    logged lifecycle-update -d "$database" -u "$MODULE"
    logged lifecycle-update-again -d "$database" -u "$MODULE"
    odoo module uninstall -d "$database" "$MODULE"
    logged lifecycle-install-again -d "$database" -i "$MODULE"
    db drop "$database"
}
