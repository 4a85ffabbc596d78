from odoo import fields


class OptionalFloat(fields.Float):
    """A number that may be missing: NULL in the database, False in Python.

    Odoo's own turns “not known” into 0, and a PPM of 0 is the best there is
    (design.md, "delivered 0 → empty, not 0").
    """

    falsy_value = None

    def convert_to_column(self, value, record, values=None, validate=True):
        if self._is_missing(value):
            return None
        return super().convert_to_column(value, record, values, validate)

    def convert_to_cache(self, value, record, validate=True):
        if self._is_missing(value):
            return None
        return super().convert_to_cache(value, record, validate)

    def convert_to_record(self, value, record):
        return False if value is None else value

    def convert_to_export(self, value, record):
        return "" if self._is_missing(value) else value

    @staticmethod
    def _is_missing(value):
        # Not by ==: 0.0 equals False.
        return value is None or value is False
