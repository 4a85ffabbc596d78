from . import controllers
from . import models
from . import reports
from . import wizard


def uninstall_hook(env):
    """Open the claim ledger, so that it can go with the module, and drop our index."""
    env.cr.execute("DROP FUNCTION IF EXISTS quality_append_only() CASCADE")
    env.cr.execute("DROP INDEX IF EXISTS stock_move_figure_idx")
