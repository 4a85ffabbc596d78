from . import test_install
from . import test_workflow
from . import test_clocks
from . import test_report_page
