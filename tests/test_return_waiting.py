from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import SmtpCatcher
from .test_return import ReturnCommon

CRON_DIGEST = "quality_resident.ir_cron_digest"


@tagged("post_install", "-at_install")
class TestReturnWaiting(SmtpCatcher, ReturnCommon):
    def _get_for(self, user):
        return (
            self.env["quality.return"].with_user(user).search([("can_sign", "=", True)])
        )

    def test_waits_for_the_site_s_own(self):
        document = self._create_return()
        self.assertFalse(self._get_for(self.quality))
        document.action_request()
        for user in (self.quality, self.manager):
            self.assertEqual(self._get_for(user), document)
            self.assertTrue(document.with_user(user).can_sign)
        for user in (self.resident, self.sales, self.gm, self.quality_de, self.admin):
            self.assertFalse(self._get_for(user))
            self.assertFalse(document.with_user(self.sales).can_sign)
        # Nobody decides on his own request.
        own = self._create_return(
            self.manager,
            [{"product_id": self.in_lots.id, "lot_id": self.lot_2.id, "quantity": 1}],
        )
        own.action_request()
        self.assertEqual(self._get_for(self.manager), document)
        self.assertEqual(self._get_for(self.quality), document + own)
        document.with_user(self.quality).action_approve()
        self.assertEqual(self._get_for(self.quality), own)

    def test_morning_mail(self):
        document = self._create_return()
        document.action_request()
        self._send_mails()
        self.mailbox.mails.clear()
        morning = fields.Datetime.now().replace(hour=9, minute=0) + timedelta(days=1)
        for _run in range(2):
            with self._at(morning):
                self._run_cron(CRON_DIGEST)
                self._send_mails()
        for user in (self.quality, self.manager):
            (mail,) = self._get_received(user)
            body = mail.get_body(("html",)).get_content()
            self.assertIn(document.name, body)
            self.assertIn(f"/odoo/returns/{document.id}", body)
            self.assertIn("L7 × 10", body)
        self.assertFalse(self._get_received(self.sales, self.resident, self.gm))
        document.with_user(self.quality).action_approve()
        self.mailbox.mails.clear()
        with self._at(morning + timedelta(days=1)):
            self._run_cron(CRON_DIGEST)
            self._send_mails()
        self.assertFalse(self._get_received(self.quality, self.manager))
