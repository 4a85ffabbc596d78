from . import quality_breakpoint_fail
from . import quality_reason
from . import quality_sheet_sign
from . import quality_sorting_scan
