"""Odoo's command line.

A script and not ``python -m odoo``: with workers, Odoo starts itself anew from
sys.argv[0], which has to be a file that can be run.
"""

import odoo.cli

if __name__ == "__main__":
    odoo.cli.main()
