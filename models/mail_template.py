from odoo import models


class MailTemplate(models.Model):
    _inherit = "mail.template"

    def _check_can_be_rendered(self, fnames=None, render_options=None):
        """Try templates of events on each kind of event, until one fits.

        Core tries whatever event comes first; what a template says, its own kind of
        document may have alone. Of the templates that an update brings, nothing may
        have happened yet.
        """
        of_events = self.filtered(
            # Whoever may write a template need not read the models.
            lambda template: template.sudo().model_id.model == "resident.event"
        )
        fitting = of_events.filtered(
            lambda template: (
                not self.pool.ready or template._fits_some_event(fnames, render_options)
            )
        )
        return super(MailTemplate, self - fitting)._check_can_be_rendered(
            fnames, render_options
        )

    def _fits_some_event(self, fnames, render_options):
        self.ensure_one()
        names = self._get_dynamic_field_names()
        names = names.intersection(fnames) if fnames else names
        newest = self.env["resident.event"]._read_group([], ["kind"], ["id:max"])
        for event_id in sorted((event_id for _kind, event_id in newest), reverse=True):
            try:
                for name in names:
                    self._render_field(name, [event_id], options=render_options)
            except Exception:  # pylint: disable=broad-except # as core does
                continue
            return True
        return False
