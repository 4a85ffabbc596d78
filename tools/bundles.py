# Run by odoo shell on the template that test databases are copied from: the first
# page of each browser test would otherwise wait for the bundles to be made again.
qweb = env["ir.qweb"]  # noqa: F821
for bundle, css, js in (
    ("web.assets_web", True, True),
    ("web.assets_web_print", True, False),
    ("web.assets_tests", False, True),
    ("web.assets_frontend", True, True),
    ("web.report_assets_common", True, False),
):
    qweb._get_asset_nodes(bundle, css=css, js=js)
# The shell rolls back what is not committed: no transaction of Odoo's own is cut.
env.cr.commit()  # noqa: F821
