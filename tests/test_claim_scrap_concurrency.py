"""A claim entered while its part is being scrapped, in real transactions."""

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

# What these tests leave behind, children first; %s is the test's company.
LEFTOVERS = (
    "DELETE FROM mail_activity WHERE res_model = 'quality.scrap.request'",
    "DELETE FROM resident_event WHERE company_id = %s",
    "DELETE FROM stock_move_line WHERE company_id = %s",
    "DELETE FROM stock_move WHERE company_id = %s",
    "DELETE FROM quality_scrap_signature WHERE company_id = %s",
    "DELETE FROM quality_scrap_line WHERE company_id = %s",
    "DELETE FROM quality_scrap_request WHERE company_id = %s",
    "DELETE FROM stock_quant WHERE company_id = %s",
    "ALTER TABLE quality_claim_entry DISABLE TRIGGER USER",
    "DELETE FROM quality_claim_entry WHERE company_id = %s",
    "ALTER TABLE quality_claim_entry ENABLE TRIGGER USER",
    "DELETE FROM quality_claim_line WHERE company_id = %s",
    "DELETE FROM quality_claim WHERE company_id = %s",
)


@tagged("post_install", "-at_install")
class TestClaimedWhileScrapped(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = Registry(get_db_name())
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].create({"name": "Claimed at Once"})
            users = [
                new_test_user(
                    env,
                    login=f"claimed_{group}",
                    groups=f"quality_resident.group_{group}",
                    company_id=company.id,
                    company_ids=[Command.set(company.ids)],
                    context={"no_reset_password": True},
                )
                for group in ("resident", "quality", "sales")
            ]
            resident, quality, sales = users
            site = (
                env["resident.site"]
                .with_company(company)
                .create(
                    {
                        "name": "Claimed at Once",
                        "code": "CLAIMED",
                        "company_id": company.id,
                        "partner_id": env["res.partner"].create({"name": "C"}).id,
                        "quality_user_ids": quality.ids,
                        "sales_user_ids": sales.ids,
                        "posting_ids": [
                            Command.create(
                                {"user_id": resident.id, "date_from": "2020-01-01"}
                            )
                        ],
                    }
                )
            )
            site._create_locations()
            product = env["product.product"].create(
                {
                    "name": "Claimed at Once",
                    "is_storable": True,
                    "tracking": "serial",
                }
            )
            lots = env["stock.lot"].create(
                [{"name": f"C-{n}", "product_id": product.id} for n in range(4)]
            )
            for lot in lots:
                env["stock.quant"]._update_available_quantity(
                    product, site.suspect_location_id, 1, lot_id=lot
                )
            company._get_approved_scrap_location()
            cls.company_id, cls.site_id = company.id, site.id
            cls.product_id, cls.lot_ids = product.id, lots.ids
            cls.resident_id, cls.quality_id, cls.sales_id = (u.id for u in users)
        cls.addClassCleanup(cls._remove_leftovers)

    @classmethod
    def _remove_leftovers(cls):
        with cls.pool.cursor() as cr:
            for query in LEFTOVERS:
                cr.execute(query, [cls.company_id] if "%s" in query else None)
            env = api.Environment(cr, SUPERUSER_ID, {})
            users = (cls.resident_id, cls.quality_id, cls.sales_id)
            env["res.users"].browse(users).active = False
            env["resident.site"].browse(cls.site_id).active = False
            env["product.product"].browse(cls.product_id).active = False

    def _env(self, cr, user_id):
        return api.Environment(cr, user_id, {})

    def _create_request(self, lot_id):
        """Return a request that waits for its last signature."""
        with self.pool.cursor() as cr:
            request = self._env(cr, self.resident_id)["quality.scrap.request"].create(
                {
                    "site_id": self.site_id,
                    "reason": "x",
                    "line_ids": [
                        Command.create(
                            {"product_id": self.product_id, "lot_id": lot_id}
                        )
                    ],
                }
            )
            request.action_submit()
            request.with_user(self.quality_id).action_sign()
            return request.id

    def _claim(self, env, lot_id, **values):
        claim = env["quality.claim"].create(
            {
                "site_id": self.site_id,
                "line_ids": [
                    Command.create(
                        {
                            "product_id": self.product_id,
                            "lot_id": lot_id,
                            "price_unit": 1,
                            **values,
                        }
                    )
                ],
            }
        )
        env.flush_all()
        return claim

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_claim_is_entered_while_the_last_one_signs(self):
        """The signer began before the claim was there: he is told all the same."""
        request_id = self._create_request(self.lot_ids[0])
        with self.pool.cursor() as signing, self.pool.cursor() as claiming:
            request = self._env(signing, self.sales_id)["quality.scrap.request"].browse(
                request_id
            )
            self.assertEqual(request.state, "signing")
            self._claim(self._env(claiming, self.resident_id), self.lot_ids[0])
            claiming.commit()
            with self.assertRaises(UserError):
                retrying(request.action_sign, request.env)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_claim_is_reopened_while_the_last_one_signs(self):
        request_id = self._create_request(self.lot_ids[1])
        with self.pool.cursor() as cr:
            claim = self._claim(
                self._env(cr, self.quality_id), self.lot_ids[1], responsibility="ours"
            )
            claim.action_judge()
            claim.action_agree()
            claim_id = claim.id
        with self.pool.cursor() as signing, self.pool.cursor() as reopening:
            request = self._env(signing, self.sales_id)["quality.scrap.request"].browse(
                request_id
            )
            self.assertEqual(request.state, "signing")
            env = self._env(reopening, self.quality_id)
            env["quality.claim"].browse(claim_id).action_reopen("New evidence")
            env.flush_all()
            reopening.commit()
            with self.assertRaises(UserError):
                retrying(request.action_sign, request.env)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_judged_while_the_customer_signs(self):
        """Whoever judges began before the sheet was signed: it is void all the same."""
        with self.pool.cursor() as cr:
            claim = self._claim(
                self._env(cr, self.quality_id), self.lot_ids[2], responsibility="ours"
            )
            claim.action_judge()
            sheet_id = claim.sheet_ids.create({"claim_id": claim.id}).id
            line_id = claim.line_ids.id
        with self.pool.cursor() as signing, self.pool.cursor() as judging:
            line = self._env(judging, self.quality_id)["quality.claim.line"].browse(
                line_id
            )
            self.assertEqual(line.claim_id.sheet_ids.state, "draft")
            sheets = self._env(signing, self.quality_id)["quality.claim.sheet"]
            sheet = sheets.browse(sheet_id)
            sheet._set_signed({"signed_by": "Li Wei"})
            sheet.env.flush_all()
            signing.commit()
            retrying(
                lambda: line.write({"responsibility": "theirs"}),
                line.env,
            )
            self.assertEqual(
                line.claim_id.sheet_ids.sorted("id").mapped("state"), ["void", "draft"]
            )
            judging.commit()
        with self.pool.cursor() as cr:
            cr.execute(
                "DELETE FROM quality_claim_sheet WHERE company_id = %s",
                [self.company_id],
            )

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_sheet_is_made_while_a_line_is_judged(self):
        """The sheet keeps what the line says when both are through."""
        with self.pool.cursor() as cr:
            claim = self._claim(
                self._env(cr, self.quality_id), self.lot_ids[3], responsibility="ours"
            )
            claim.action_judge()
            claim_id, line_id = claim.id, claim.line_ids.id
        with self.pool.cursor() as making, self.pool.cursor() as judging:
            sheets = self._env(making, self.quality_id)["quality.claim.sheet"]
            self.assertFalse(sheets.search([("claim_id", "=", claim_id)]))
            line = self._env(judging, self.quality_id)["quality.claim.line"].browse(
                line_id
            )
            line.responsibility = "theirs"
            line.env.flush_all()
            judging.commit()
            sheet = retrying(lambda: sheets.create({"claim_id": claim_id}), sheets.env)
            self.assertEqual(sheet.snapshot[0]["responsibility"], "theirs")
            making.rollback()
