from . import test_install
from . import test_workflow
from . import test_clocks
from . import test_feedback
from . import test_recurrence
from . import test_events
from . import test_mail
