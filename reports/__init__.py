from . import claim_ledger_xlsx
from . import scorecard_xlsx
from . import resident_report_xlsx
from . import figures_xlsx
