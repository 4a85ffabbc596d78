from . import test_install
from . import test_workflow
from . import test_clocks
