from . import import_template
from . import report_page
from . import sheet_page
