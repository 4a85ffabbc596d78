import re
from collections import Counter

from odoo import api, models
from odoo.exceptions import UserError

SHOWN = 10
# Scanners end with a line or a tab, people and spreadsheets use all of these.
SEPARATORS = re.compile(r"[\s,;|\"'，；、]+")


class QualityScanMixin(models.AbstractModel):
    """A dialogue for many numbers, scanned or pasted: all are taken, or none."""

    _name = "quality.scan.mixin"
    _description = "Scan Many Numbers"

    @api.model
    def _split(self, text):
        """Return the numbers in ``text``.

        :raise UserError: there is none, or one comes twice
        """
        names = [name for name in SEPARATORS.split(text or "") if name]
        if not names:
            raise UserError(self.env._("There is no number in the text."))
        self._refuse(
            {name for name, times in Counter(names).items() if times > 1},
            self.env._("Entered twice"),
        )
        return names

    @api.model
    def _refuse(self, names, why):
        """Take nothing over because of ``names``, if there are any.

        :raise UserError: names them
        """
        if names:
            shown = sorted(names)[:SHOWN]
            more = len(names) - len(shown)
            raise UserError(
                self.env._(
                    "Nothing was taken over. %(why)s: %(names)s%(more)s",
                    why=why,
                    names=", ".join(shown),
                    more=f" (+{more})" if more else "",
                )
            )
