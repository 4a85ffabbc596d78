from . import import_template
from . import report_page
