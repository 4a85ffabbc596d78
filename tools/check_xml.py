"""Every XML file of the repository can be read: check_xml.py REPOSITORY."""

import sys
from pathlib import Path

from lxml import etree

failed = False
for path in sorted(Path(sys.argv[1]).rglob("*.xml")):
    if any(part.startswith(".") for part in path.relative_to(sys.argv[1]).parts):
        continue
    try:
        etree.parse(str(path))
    except etree.XMLSyntaxError as error:
        print(f"{path.relative_to(sys.argv[1])}: {error}")
        failed = True
sys.exit(failed)
