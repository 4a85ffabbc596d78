from . import claim_ledger_xlsx
