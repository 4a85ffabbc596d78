from . import import_template
from . import report_page
from . import sign_page
