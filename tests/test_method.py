from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_containment import ContainmentCommon


class MethodCommon(ContainmentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site_method = {"site_id": cls.site.id}
        cls.category = cls.env["product.category"].create({"name": "Seals"})
        cls.product.categ_id = cls.env["product.category"].create(
            {"name": "Door seals", "parent_id": cls.category.id}
        )
        # Only what a test makes is in use.
        cls.env["quality.method"].search([("state", "=", "active")])._write_protected(
            {"state": "superseded"}
        )
        cls.env.cr.flush()

    @classmethod
    def _create_method(cls, name, user=None, release=True, **values):
        method = (
            cls.env["quality.method"]
            .with_user(user or cls.manager)
            .create(
                {
                    "name": name,
                    "kind": "rework",
                    "product_id": cls.product.id,
                    "instruction": f"How to {name}",
                    **values,
                }
            )
        )
        if release:
            method.action_release()
        return method

    def _new_version(self, method, **values):
        action = method.action_new_version()
        version = method.browse(action["res_id"])
        version.write(values)
        version.action_release()
        return version

    def _create_sheet(self, **values):
        complaint = self._create_complaint()
        return (
            self.env["quality.service.sheet"]
            .with_user(self.resident)
            .create({"complaint_id": complaint.id, "work": "rework", **values})
        )

    def _find(self, kind="rework", product=None, site=None):
        key = (kind, product or self.product, site or self.site)
        return self.env["quality.method"]._find_current([key])[key]


@tagged("post_install", "-at_install")
class TestMethodVersions(MethodCommon):
    def test_release(self):
        draft = self._create_method("Polish", release=False)
        self.assertFalse(self._find())
        draft.action_release()
        self.assertRecordValues(
            draft,
            [
                {
                    "state": "active",
                    "version": 1,
                    "display_name": "Polish V1",
                    "valid_from": fields.Date.context_today(draft),
                    "released_by_id": self.manager.id,
                    "company_id": self.company_a.id,
                }
            ],
        )
        with self._assert_refused("Polish V1", "Active"):
            draft.action_release()

    def test_empty_method_is_not_released(self):
        draft = self._create_method("Polish", release=False, instruction=" ")
        with self._assert_refused("“Instruction”"):
            draft.action_release()
        draft.file_ids = self._create_photo(self.manager, res_model="quality.method")
        draft.action_release()

    def test_new_version_supersedes(self):
        photo = self._create_photo(self.manager, res_model="quality.method")
        first = self._create_method("Polish", file_ids=photo.ids)
        action = first.action_new_version()
        second = first.browse(action["res_id"])
        self.assertRecordValues(
            second,
            [
                {
                    "state": "draft",
                    "name": "Polish",
                    "version": 2,
                    "previous_id": first.id,
                    "instruction": "How to Polish",
                    "file_ids": photo.ids,
                    "product_id": self.product.id,
                    "valid_from": False,
                }
            ],
        )
        self.assertEqual(self._find(), first, "until the new one is released")
        # Pressed again: the same draft.
        self.assertEqual(first.action_new_version()["res_id"], second.id)
        second.instruction = "Finer"
        second.action_release()
        self.assertEqual((first + second).mapped("state"), ["superseded", "active"])
        self.assertEqual(self._find(), second)
        self.assertEqual(first.instruction, "How to Polish")
        third = self._new_version(second)
        self.assertEqual(third.version, 3)
        draft = self._create_method("Other", release=False, kind="sort")
        with self._assert_refused("not in use"):
            draft.action_new_version()

    def test_released_is_never_changed(self):
        method = self._create_method("Polish")
        superseded = self._create_method("Sort", kind="sort")
        self._new_version(superseded)
        for name in method._content_fields:
            for record in (method, superseded):
                for user in (self.manager, self.root):
                    with self.subTest(field=name, user=user.login):
                        with self._assert_refused(record.display_name, "New Version"):
                            record.with_user(user).write({name: False})
        for values in ({"state": "draft"}, {"version": 9}, {"valid_from": False}):
            with self._assert_refused("cannot be set directly"):
                method.sudo().write(values)
        for user in (self.manager, self.root):
            with self._assert_refused("stays on record"):
                (method + superseded).with_user(user).unlink()
        self._create_method("Draft", release=False).unlink()

    def test_released_documents_stay(self):
        photo = self._create_photo(self.manager, res_model="quality.method")
        draft = self._create_method("Polish", release=False, file_ids=photo.ids)
        self.assertEqual(photo.res_id, draft.id)
        photo.name = "WI-7.jpg"
        draft.action_release()
        for user in (self.manager, self.root):
            for change in (
                lambda f: f.write({"raw": b"mine"}),
                lambda f: f.write({"name": "x.jpg"}),
                lambda f: f.unlink(),
            ):
                with self._assert_refused("Polish V1", "stays as it is"):
                    change(photo.with_user(user))
        # Residents open what they work by.
        self.assertTrue(photo.with_user(self.resident).raw)

    def test_one_in_use_for_the_same(self):
        self._create_method("Polish")
        twin = self._create_method("Polish too", release=False)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError) as refusal,
            self._rolled_back(),
        ):
            twin.action_release()
            self.env.flush_all()
        message = twin._sql_error_to_message(refusal.exception)
        self.assertIn("make a new version", message)
        twin.site_id = self.site
        twin.action_release()

    def test_what_it_is_for(self):
        target = {"product_id": False, "product_tmpl_id": False, "categ_id": False}
        template = self.product.product_tmpl_id
        for values in (
            target,
            {"product_id": self.product.id, "categ_id": self.category.id},
            {"product_id": self.product.id, "product_tmpl_id": template.id},
        ):
            with (
                self.subTest(values=values),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self._rolled_back(),
            ):
                self._create_method("x", release=False, **values)
                self.env.flush_all()

    def test_new_version_stays_the_same_method(self):
        first = self._create_method("Polish")
        version = first.browse(first.action_new_version()["res_id"])
        with self._assert_refused("Polish V1", error=ValidationError):
            version.kind = "sort"

    # === WHICH ONE APPLIES === #

    def test_most_particular_first(self):
        template = self.product.product_tmpl_id
        by = {"product_id": False}
        general = self._create_method("a", **by, categ_id=self.category.id)
        self.assertEqual(self._find(), general)
        nearer = self._create_method("b", **by, categ_id=self.product.categ_id.id)
        self.assertEqual(self._find(), nearer)
        variants = self._create_method("c", **by, product_tmpl_id=template.id)
        self.assertEqual(self._find(), variants)
        own = self._create_method("d")
        self.assertEqual(self._find(), own)
        self.assertFalse(self._find(kind="sort"))
        self.assertFalse(self._find(product=self.product_2))

    def test_customer_s_own_first(self):
        general = self._create_method("a")
        customer_s = self._create_method(
            "b", product_id=False, categ_id=self.category.id, site_id=self.site.id
        )
        self.assertEqual(self._find(), customer_s)
        self.assertEqual(self._find(site=self.site_de), general)
        self.assertFalse(self._find(site=self.site_b), "of another company")

    # === TAKEN OVER === #

    def test_sheet_takes_the_current_version(self):
        photo = self._create_photo(self.manager, res_model="quality.method")
        method = self._create_method("Polish", file_ids=photo.ids)
        sorting = self._create_method("Look", kind="sort")
        sheet = self._create_sheet()
        taken = {
            "method": "How to Polish",
            "method_version": "Polish V1",
            "method_file_ids": photo.ids,
            "method_id": method.id,
        }
        self.assertRecordValues(sheet, [taken])
        # A snapshot: the next version is for the next sheet.
        version = self._new_version(method, instruction="Finer")
        self.assertRecordValues(sheet, [taken])
        self.assertEqual(self._create_sheet().method_id, version)
        sheet.work = "sort"
        self.assertRecordValues(
            sheet,
            [
                {
                    "method": "How to Look",
                    "method_version": "Look V1",
                    "method_file_ids": [],
                    "method_id": sorting.id,
                }
            ],
        )
        sheet.work = "line_support"
        self.assertRecordValues(
            sheet, [{"method": False, "method_version": False, "method_id": False}]
        )

    def test_what_somebody_wrote_stays(self):
        self._create_method("Polish")
        sheet = self._create_sheet(method="Our own", method_version="WI-7")
        self.assertRecordValues(
            sheet, [{"method": "Our own", "method_version": "WI-7", "method_id": False}]
        )
        other = self._create_sheet()
        other.method = "A little different"
        other.work = "sort"
        self.assertEqual(other.method, "A little different")

    def test_customer_s_wish_in_this_case_goes_first(self):
        self._create_method("Polish")
        complaint = self._create_complaint(rework_method="Replace the lip")
        sheet = self._create_sheet(complaint_id=complaint.id)
        self.assertRecordValues(
            sheet,
            [
                {
                    "method": "Replace the lip",
                    "method_version": False,
                    "method_id": False,
                }
            ],
        )

    def test_correction_keeps_the_version(self):
        method = self._create_method("Polish")
        sheet = self._create_sheet()
        sheet._move_to("signed")
        self._new_version(method, instruction="Finer")
        action = sheet.action_revise(reason="Miscounted")
        revision = sheet.browse(action["res_id"])
        self.assertRecordValues(
            revision,
            [
                {
                    "method": "How to Polish",
                    "method_version": "Polish V1",
                    "method_id": method.id,
                }
            ],
        )

    def test_copy_of_a_sheet(self):
        method = self._create_method("Polish")
        sheet = self._create_sheet()
        self._new_version(method, instruction="Finer")
        self.assertEqual(sheet.copy().method, "How to Polish")

    def test_counting_screen(self):
        photo = self._create_photo(self.manager, res_model="quality.method")
        method = self._create_method(
            "Look", kind="sort", product_id=self.in_lots.id, file_ids=photo.ids
        )
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.assembly)
        mine = sorting.with_user(self.resident)
        self.assertRecordValues(
            mine,
            [
                {
                    "method_id": method.id,
                    "method_text": "How to Look",
                    "method_file_ids": photo.ids,
                }
            ],
        )
        version = self._new_version(method, instruction="Look twice")
        self.env.invalidate_all()
        self.assertEqual(mine.method_id, version, "the work goes on by the new one")
        sorting.qty_expected = 3
        self._count(sorting, lot_id=self.lot.id, qty_good=3)
        mine.action_confirm()
        self.assertEqual(sorting.used_method_id, version)
        self._new_version(version, instruction="Look thrice")
        self.env.invalidate_all()
        self.assertEqual(mine.method_id, version, "by which it was screened")
        with self._assert_refused("cannot be set directly"):
            mine.used_method_id = method

    # === WHO MAY === #

    def test_who_writes_methods(self):
        method = self._create_method("Polish", user=self.quality)
        self._new_version(method.with_user(self.quality))
        for user in (self.resident, self.sales, self.gm):
            self.assertTrue(method.with_user(user).instruction)
            for forbidden in (
                lambda user=user: self._create_method("x", user=user, release=False),
                lambda user=user: method.with_user(user).action_new_version(),
                lambda user=user: method.with_user(user).action_release(),
                lambda user=user: method.with_user(user).unlink(),
            ):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    forbidden()
        with self.assertRaises(AccessError):
            _name = method.with_user(self.outsider).name

    def test_customer_s_method_is_for_his_site(self):
        method = self._create_method("Polish", **self.site_method)
        everything = self.env["quality.method"]
        for user, expected in (
            (self.resident, method),
            (self.quality, method),
            (self.resident_de, everything),
            (self.quality_de, everything),
            (self.manager_b, everything),
        ):
            with self.subTest(user=user.login):
                found = everything.with_user(user).search([("id", "=", method.id)])
                self.assertEqual(found, expected)
        with (
            mute_logger("odoo.addons.base.models.ir_rule"),
            self.assertRaises(AccessError),
        ):
            self._create_method("x", user=self.quality_de, **self.site_method)

    def test_company_follows_the_site(self):
        method = self._create_method(
            "Polish", user=self.manager_b, site_id=self.site_b.id
        )
        self.assertEqual(method.company_id, self.company_b)
        with self.assertRaises(UserError):
            self._create_method(
                "x",
                user=self.root,
                release=False,
                company_id=self.company_b.id,
                **self.site_method,
            )

    def test_documents_of_somebody_else(self):
        foreign = self._create_photo(self.resident_de)
        elsewhere = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        elsewhere.photo_ids = foreign
        with self.assertRaises(AccessError):
            self._create_method(
                "x", user=self.quality, file_ids=[Command.link(foreign.id)]
            )
