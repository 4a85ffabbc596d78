from . import claim_ledger_xlsx
from . import scorecard_xlsx
