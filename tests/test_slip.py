import html
import threading
from urllib.parse import urlsplit

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.registry import Registry
from odoo.service.model import call_kw
from odoo.tests import BaseCase, Form, HttpCase, get_db_name, tagged
from odoo.tools import mute_logger

from .common import SmtpCatcher
from .test_containment import ContainmentCommon
from .test_report import HOSTILE, read_pdf
from .test_service_sheet import LINK, SIGNATURE, RenderPdf
from .test_tours import TourCase

REPORT = "quality_resident.report_suspect_slip"
LABEL = "quality_resident.report_label"
MM = 72 / 25.4
SLIPS_EACH = 0.1


class SlipCommon(ContainmentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.complaint = cls._open()
        cls.env.cr.flush()
        cls._silence_other_data()
        cls.model = cls.env["quality.suspect.slip"]

    @classmethod
    def _create_slip(cls, user=None, **values):
        return (
            cls.env["quality.suspect.slip"]
            .with_user(user or cls.resident)
            .create(
                {
                    "complaint_id": cls.complaint.id,
                    "contact_id": cls.contact.id,
                    "lot_id": cls.lot.id,
                    "quantity": 40,
                    "package_ref": "KLT-1",
                    "note": "Left rack",
                    **values,
                }
            )
        )

    @classmethod
    def _sign(cls, slip):
        slip.action_sign(signature=SIGNATURE, signed_by="Li Wei")
        return slip

    def _print_labels(self, documents, user=None, **values):
        dialogue = self.env["quality.label.print"].with_user(user or self.resident)
        return dialogue.with_context(
            active_model=documents._name, active_ids=documents.ids
        ).create(values)


@tagged("post_install", "-at_install")
class TestSlip(SlipCommon):
    def test_new_slip_is_prefilled(self):
        slips = self.model.with_user(self.resident).create(
            [{"complaint_id": self.complaint.id}] * 2
        )
        for slip in slips:
            self.assertRegex(slip.name, r"^SP/\d{4}/\d{5}$")
        self.assertNotEqual(*slips.mapped("name"))
        self.assertRecordValues(
            slips[:1],
            [
                {
                    "state": "suspect",
                    "disposition": "pending",
                    "site_id": self.site.id,
                    "company_id": self.company_a.id,
                    "product_id": self.in_lots.id,
                    "defect_id": self.defect.id,
                    "place_id": self.place.id,
                    "found_by_id": self.resident.id,
                    "uom_id": self.in_lots.uom_id.id,
                }
            ],
        )

    def test_impossible_values(self):
        serial = self._create_lot("S1", self.in_serials)
        for values, words in (
            ({"lot_id": serial.id}, "Test lot"),
            (
                {
                    "product_id": self.in_serials.id,
                    "lot_id": serial.id,
                    "quantity": 2,
                },
                "is a serial number",
            ),
            ({"place_id": self.place_de.id}, self.site_de.name),
        ):
            with self.subTest(values=values):
                with self._assert_refused(words, error=ValidationError):
                    self._create_slip(**values)
        for quantity in (0, -3):
            with mute_logger("odoo.sql_db"), self._rolled_back():
                with self.assertRaises(psycopg2.IntegrityError):
                    self._create_slip(quantity=quantity)
                    self.env.flush_all()

    # === DECIDING === #

    def test_decide(self):
        for disposition, state in (
            ("rework", "rework"),
            ("scrap", "bad"),
            ("return", "bad"),
            ("sort", "suspect"),
            ("pending", "suspect"),
        ):
            slips = self._create_slip() + self._create_slip()
            with self._at("2026-03-10 04:00:00") as moment:
                slips.action_decide(disposition=disposition)
            self.assertRecordValues(
                slips,
                [
                    {
                        "state": state,
                        "disposition": disposition,
                        "decided_by_id": self.resident.id,
                        "decided_at": moment,
                    }
                ]
                * 2,
            )

    def test_use_as_is_needs_the_customer_s_leave(self):
        slip = self._create_slip()
        for number in (None, "", "  "):
            with self._assert_refused("“Concession Number”"):
                slip.action_decide(disposition="use_as_is", concession_no=number)
        slip.action_decide(disposition="use_as_is", concession_no=" DEV-4711 ")
        self.assertEqual(slip.concession_no, "DEV-4711")
        slip.action_decide(disposition="rework", concession_no="DEV-4712")
        self.assertFalse(slip.concession_no)
        for wrong in (None, "eat"):
            with self._assert_refused("“Disposition”"):
                slip.action_decide(disposition=wrong)

    def test_dialogue_decides_for_many(self):
        slips = self._create_slip() + self._create_slip()
        form = Form(
            self.env["quality.slip.decide"]
            .with_user(self.resident)
            .with_context(active_ids=slips.ids)
        )
        form.disposition = "rework"
        form.save().action_apply()
        self.assertEqual(slips.mapped("state"), ["rework"] * 2)

    def test_release(self):
        slips = self._create_slip() + self._create_slip()
        slips[0].action_decide(disposition="rework")
        with self._assert_refused(slips[1].name, "decide first"):
            slips.action_release()
        slips[1].action_decide(disposition="scrap")
        with self._assert_refused(slips[1].name, "decide first"):
            slips[1].action_release()
        slips[1].action_decide(disposition="sort")
        with self._at("2026-03-10 04:00:00") as moment:
            slips.with_user(self.standin).action_release()
        self.assertRecordValues(
            slips,
            [
                {
                    "state": "released",
                    "released_by_id": self.standin.id,
                    "released_at": moment,
                }
            ]
            * 2,
        )
        for forbidden in (
            lambda: slips.action_decide(disposition="scrap"),
            lambda: slips.write({"quantity": 41}),
            lambda: slips[0].action_split(parts=[{"quantity": 20}] * 2),
        ):
            with self._assert_refused(slips[0].name):
                forbidden()

    def test_release_taken_back(self):
        slip = self._create_slip()
        slip.action_decide(disposition="sort")
        slip.action_release()
        with self._assert_refused("“Reason”"):
            slip.with_user(self.manager).action_block(reason=" ")
        with self.assertRaises(AccessError):
            slip.action_block(reason="Two bad ones found")
        slip.with_user(self.manager).action_block(reason="Two bad ones found")
        self.assertRecordValues(
            slip,
            [{"state": "suspect", "disposition": "pending", "released_at": False}],
        )
        self.assertIn("Two bad ones", "".join(slip.message_ids.mapped("body")))

    # === SPLITTING === #

    def test_split(self):
        slip = self._sign(self._create_slip())
        slip.action_decide(disposition="rework")
        action = slip.action_split(
            parts=[
                {"quantity": 25, "package_ref": "KLT-2", "state": "released"},
                {"quantity": 15},
            ]
        )
        self.assertEqual(self.model.search(action["domain"]), slip.child_ids)
        self.assertRecordValues(
            slip.child_ids.sorted("quantity"),
            [
                {
                    "quantity": quantity,
                    "package_ref": package,
                    "state": "rework",
                    "disposition": "rework",
                    "lot_id": self.lot.id,
                    "signed_by": False,
                    "decided_by_id": self.resident.id,
                }
                for quantity, package in ((15, False), (25, "KLT-2"))
            ],
        )
        self.assertRecordValues(slip, [{"state": "split", "is_intact": True}])
        child = slip.child_ids[0]
        for forbidden in (
            lambda: child.write({"quantity": 26}),
            lambda: child.unlink(),
            lambda: slip.action_split(parts=[{"quantity": 20}] * 2),
            lambda: slip.action_decide(disposition="scrap"),
        ):
            with self.assertRaises(UserError), self._rolled_back():
                forbidden()
        with self._assert_refused(slip.name):
            slip.action_send_link()

    def test_split_makes_up_the_whole(self):
        slip = self._create_slip()
        for quantities in ((), (40,), (20, 19), (20, 21), (0, 40), (-1, 41)):
            with (
                self.subTest(quantities=quantities),
                self._assert_refused(slip.name, "divide all of it"),
            ):
                slip.action_split(parts=[{"quantity": q} for q in quantities])
        self.assertFalse(slip.child_ids)
        self.assertEqual(slip.state, "suspect")

    def test_dialogue_splits(self):
        slip = self._create_slip()
        form = Form(
            self.env["quality.slip.split"]
            .with_user(self.resident)
            .with_context(active_id=slip.id)
        )
        for quantity in (30, 10):
            with form.line_ids.new() as line:
                line.quantity = quantity
        self.assertEqual(form.quantity_left, 0)
        form.save().action_apply()
        self.assertEqual(sorted(slip.child_ids.mapped("quantity")), [10, 30])

    # === SIGNING === #

    def test_signed_is_locked(self):
        slip = self._sign(self._create_slip())
        self.assertRecordValues(
            slip,
            [
                {
                    "signed_by": "Li Wei",
                    "signed_user_id": self.resident.id,
                    "is_intact": True,
                    "state": "suspect",
                }
            ],
        )
        self.env.flush_all()
        people = (self.resident, self.manager, self.root)
        for name in {*self.model._signed_fields, *self.model._get_protected_fields()}:
            value = slip.sudo()[name]
            if self.model._fields[name].relational:
                value = False
            for user in people:
                with self.subTest(field=name, user=user.login):
                    with self.assertRaises(UserError):
                        call_kw(
                            self.model.with_user(user),
                            "write",
                            [slip.ids, {name: value}],
                            {},
                        )
        for user in people:
            with self._assert_refused("stays on record"):
                slip.with_user(user).unlink()
        with self._assert_refused("not waiting to be signed"):
            self._sign(slip)
        # What becomes of the parts is not what he has signed.
        slip.action_decide(disposition="rework")
        slip.action_release()
        self.assertTrue(slip.is_intact)

    def test_every_signed_field_counts(self):
        slip = self._sign(self._create_slip())
        self.env.flush_all()
        other = self._create_complaint()
        for name, value in {
            "name": "SP/1",
            "complaint_id": other.id,
            "contact_id": None,
            "product_id": self.product.id,
            "lot_id": None,
            "quantity": 41,
            "defect_id": None,
            "place_id": None,
            "found_by_id": self.standin.id,
            "found_at": "2026-03-10 01:00:01",
            "package_ref": "x",
            "note": None,
            "signed_by": "x",
            "signed_on": "2026-03-10 01:00:01",
        }.items():
            with self.subTest(field=name), self._rolled_back():
                self.env.cr.execute(
                    f"UPDATE quality_suspect_slip SET {name} = %s WHERE id = %s",
                    [value, slip.id],
                )
                self.env.invalidate_all()
                self.assertFalse(slip.is_intact)
        self.assertTrue(slip.is_intact)

    def test_only_drafts_go(self):
        draft, decided = self._create_slip(), self._create_slip()
        decided.action_decide(disposition="scrap")
        with self._assert_refused(decided.name, "stays on record"):
            (draft + decided).unlink()
        draft.unlink()

    # === WHO MAY === #

    def test_protected_fields(self):
        slip = self._create_slip()
        for values in (
            {"state": "released"},
            {"disposition": "use_as_is"},
            {"concession_no": "x"},
            {"decided_by_id": self.standin.id},
            {"released_by_id": self.standin.id},
            {"parent_id": slip.id},
            {"inspection_id": self.complaint.inspection_ids[0].id},
            {"signed_by": "x"},
            {"name": "x"},
        ):
            for user in (self.resident, self.manager, self.root):
                with self.subTest(values=values, user=user.login):
                    with self._assert_refused("cannot be set directly"):
                        slip.with_user(user).write(values)
                    with self._assert_refused("cannot be set directly"):
                        self._create_slip(user, **values)

    def test_who_works_on_slips(self):
        slip = self._create_slip()
        for user in (self.quality, self.sales, self.gm, self.resident_de):
            with (
                self.subTest(user=user.login),
                mute_logger("odoo.addons.base.models.ir_rule"),
            ):
                for forbidden in (
                    lambda s: s.action_decide(disposition="scrap"),
                    lambda s: s.action_release(),
                    lambda s: s.action_split(parts=[{"quantity": 20}] * 2),
                    lambda s: s.action_sign(SIGNATURE, "x"),
                    lambda s: s.action_send_link(),
                    lambda s: s.write({"note": "x"}),
                    lambda s: s.unlink(),
                ):
                    with self.assertRaises(AccessError), self._rolled_back():
                        forbidden(slip.with_user(user))

    def test_number_is_the_company_s(self):
        self.env["ir.sequence"].create(
            {
                "name": "Slips of Ulm",
                "code": "quality.suspect.slip",
                "prefix": "ULM-",
                "padding": 3,
                "company_id": self.company_b.id,
            }
        )
        complaint_b = self._create_complaint(
            self.resident_b, site_id=self.site_b.id, product_id=self.product.id
        )
        slip = self.model.create({"complaint_id": complaint_b.id})
        self.assertRecordValues(
            slip, [{"name": "ULM-001", "company_id": self.company_b.id}]
        )

    def test_finished_complaint_takes_no_slips(self):
        self.complaint.with_user(self.manager).action_cancel(reason="Not ours")
        with self._assert_refused(self.complaint.name):
            self._create_slip()


@tagged("post_install", "-at_install")
class TestSlipsOfSorting(SlipCommon):
    def setUp(self):
        super().setUp()
        self.sorting = self._get_sorting(self.complaint, self.assembly)

    def _make_slips(self, user=None):
        return self.sorting.with_user(user or self.resident).action_make_slips()

    def test_one_press(self):
        other = self._create_lot("L8", self.in_lots)
        for lot, bad, suspect in ((self.lot, 2, 3), (self.lot, 1, 0), (other, 0, 4)):
            self._count(
                self.sorting,
                lot_id=lot.id,
                qty_good=5,
                qty_bad=bad,
                qty_suspect=suspect,
            )
        wrong = self._count(self.sorting, lot_id=other.id, qty_bad=9)
        wrong.action_undo()
        action = self._make_slips()
        slips = self.model.search(action["domain"], order="quantity")
        self.assertRecordValues(
            slips,
            [
                {
                    "state": state,
                    "quantity": quantity,
                    "lot_id": lot.id,
                    "place_id": self.assembly.id,
                    "complaint_id": self.complaint.id,
                    "defect_id": self.defect.id,
                    "found_by_id": self.resident.id,
                    "disposition": "pending",
                }
                for state, quantity, lot in (
                    ("bad", 3, self.lot),
                    ("suspect", 3, self.lot),
                    ("suspect", 4, other),
                )
            ],
        )
        # Again: nothing new, then only what was counted since.
        self._make_slips()
        self.assertEqual(self.sorting.slip_ids, slips)
        self._count(self.sorting, lot_id=other.id, qty_suspect=6)
        self._make_slips()
        self.assertEqual((self.sorting.slip_ids - slips).quantity, 6)

    def test_box_that_is_smaller(self):
        self._count(self.sorting, lot_id=self.lot.id, qty_suspect=10)
        self._make_slips()
        first = self.sorting.slip_ids
        with self._assert_refused(first.name):
            first.lot_id = False
        first.quantity = 7
        self._make_slips()
        self.assertEqual(sorted(self.sorting.slip_ids.mapped("quantity")), [3, 7])
        first.action_split(parts=[{"quantity": 3}, {"quantity": 4}])
        self._make_slips()
        self.assertEqual(sorted(self.sorting.slip_ids.mapped("quantity")), [3, 7])

    def test_found_in_an_earlier_round(self):
        self._count(self.sorting, lot_id=self.lot.id, qty_bad=4)
        self.sorting._start_round()
        self._count(self.sorting, lot_id=self.lot.id, qty_bad=2)
        self._make_slips()
        self.assertEqual(self.sorting.slip_ids.quantity, 6)

    def test_who_makes_slips(self):
        self._count(self.sorting, lot_id=self.lot.id, qty_bad=4)
        for user in (self.quality, self.sales, self.gm, self.resident_de):
            with (
                self.subTest(user=user.login),
                mute_logger("odoo.addons.base.models.ir_rule"),
                self.assertRaises(AccessError),
            ):
                self._make_slips(user)
        self.assertFalse(self.sorting.slip_ids)

    def test_many_lots(self):
        def count(lots):
            self.env["quality.sorting"].with_user(self.resident).create(
                [
                    {"inspection_id": self.sorting.id, "lot_id": lot.id, "qty_bad": 1}
                    for lot in lots
                ]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._make_slips()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        lots = self.env["stock.lot"].create(
            [
                {"name": f"M{number}", "product_id": self.in_lots.id}
                for number in range(220)
            ]
        )
        count(lots[:10])
        few, many = count(lots[10:20]), count(lots[20:])
        self.assertEqual(len(self.sorting.slip_ids), 220)
        self.assertLessEqual((many - few) / 190, SLIPS_EACH)


@tagged("post_install", "-at_install")
class TestSlipPrint(RenderPdf, SmtpCatcher, SlipCommon, HttpCase):
    def _render(self, report, record, **context):
        reports = self.env["ir.actions.report"].with_user(self.resident)
        content, kind = reports.with_context(**context)._render_qweb_pdf(
            report, record.ids
        )
        self.assertEqual(kind, "pdf")
        return read_pdf(content)

    def _activate_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["quality_resident"], ["zh_CN"])

    def test_slip_fits_a_box(self):
        slip = self._sign(self._create_slip(note=HOSTILE))
        slip.action_decide(disposition="use_as_is", concession_no="DEV-4711")
        pages, text = self._render(REPORT, slip)
        self.assertEqual(len(pages), 1)
        width, height = (float(side) for side in pages[0]["/MediaBox"][2:])
        self.assertAlmostEqual(width / MM, 210, delta=1)
        self.assertAlmostEqual(height / MM, 148, delta=1)
        for expected in (
            slip.name,
            "Suspect",
            "YELLOW",
            "Test lot",
            "L7",
            "40",
            "KLT-1",
            self.complaint.name,
            "DEV-4711",
            "Li Wei",
            self.resident.name,
            slip.signed_hash[:16],
        ):
            with self.subTest(expected=expected):
                self.assertIn(expected, text)

    def test_slip_in_chinese(self):
        self._activate_chinese()
        slip = self._create_slip()
        _pages, text = self._render(REPORT, slip, document_lang="zh_CN")
        for expected in ("可疑品单", "发现地点", slip.name):
            self.assertIn(expected, text)
        self.assertNotIn("YELLOW", text)
        self.customer.lang = "zh_CN"
        _pages, text = self._render(REPORT, slip)
        self.assertIn("可疑品单", text)

    def test_labels_of_slips(self):
        slips = self._create_slip() + self._create_slip(quantity=7)
        slips[1].action_decide(disposition="scrap")
        dialogue = self._print_labels(slips, copies=2)
        self.assertFalse(dialogue.has_choice)
        self.assertEqual(dialogue.action_print()["report_name"], LABEL)
        pages, text = self._render(LABEL, dialogue)
        self.assertEqual(len(pages), 4)
        width, height = (float(side) for side in pages[0]["/MediaBox"][2:])
        self.assertAlmostEqual(width / MM, 100, delta=1)
        self.assertAlmostEqual(height / MM, 50, delta=1)
        for expected in ("YELLOW", "RED", "L7", slips[0].name, slips[1].name):
            self.assertEqual(text.count(expected), 4 if expected == "L7" else 2)
        # A label has no margin for page numbers.
        self.assertNotIn("1 / 4", text)

    def test_labels_in_chinese(self):
        self._activate_chinese()
        self.customer.lang = "zh_CN"
        slip = self._create_slip()
        _pages, text = self._render(LABEL, self._print_labels(slip))
        self.assertIn("可疑品", text)
        self.assertNotIn("YELLOW", text)

    def test_labels_of_a_sorting(self):
        sorting = self._get_sorting(self.complaint, self.assembly)
        self._count(sorting, lot_id=self.lot.id, qty_good=90)
        dialogue = self._print_labels(sorting)
        self.assertRecordValues(
            dialogue,
            [
                {
                    "has_choice": True,
                    "status": "good",
                    "quantity": 90,
                    "lot_id": self.lot.id,
                    "copies": 1,
                }
            ],
        )
        dialogue.write({"copies": 3, "quantity": 30, "status": "reworked"})
        pages, text = self._render(LABEL, dialogue)
        self.assertEqual(len(pages), 3)
        for expected in ("Reworked, Good", "GREEN", "30", sorting.name):
            self.assertIn(expected, text)
        for status in ("bad", "suspect", "rework"):
            dialogue.status = status
            with self._assert_refused("have their slips"):
                dialogue.action_print()

    def test_labels_of_a_sheet(self):
        sheet = (
            self.env["quality.service.sheet"]
            .with_user(self.resident)
            .create(
                {
                    "complaint_id": self.complaint.id,
                    "work": "rework",
                    "qty_in": 20,
                    "qty_good": 18,
                }
            )
        )
        dialogue = self._print_labels(sheet, user=self.quality)
        self.assertRecordValues(dialogue, [{"status": "reworked", "quantity": 18}])
        _pages, text = self._render(LABEL, dialogue.with_user(self.resident))
        self.assertIn("Reworked, Good", text)

    def test_labels_that_make_no_sense(self):
        slip = self._create_slip()
        for copies in (0, -1, 501):
            with self._assert_refused("“Labels Each”"):
                self._print_labels(slip, copies=copies).action_print()
        slip.action_split(parts=[{"quantity": 20}] * 2)
        with self._assert_refused(slip.name, "split"):
            self._print_labels(slip).action_print()
        for documents in (self.complaint, self.env.user):
            with self._assert_refused("from a document's button"):
                self._print_labels(documents)
        with (
            mute_logger("odoo.addons.base.models.ir_rule"),
            self.assertRaises(AccessError),
        ):
            self._print_labels(slip.child_ids, user=self.resident_de)

    # === THE LINK === #

    def test_sqe_signs_through_the_link(self):
        slip = self._create_slip(note=HOSTILE)
        slip.action_send_link()
        self._run_cron("mail.ir_cron_mail_scheduler_action")
        (mail,) = self._get_received(self.sqe)
        self.assertIn(slip.name, mail["Subject"])
        (url,) = LINK.findall(mail.get_body(("html",)).get_content())
        path = urlsplit(html.unescape(url)).path
        self.env.flush_all()
        page = self.url_open(path).text
        for expected in (slip.name, "L7", "KLT-1", self.complaint.name, "&lt;script"):
            self.assertIn(expected, page)
        self.assertNotIn("<script>alert", page)
        shown = slip._get_content_hash()
        answer = self.make_jsonrpc_request(
            f"{path}/sign/{shown}", {"name": "Li Wei", "signature": SIGNATURE}
        )
        self.assertTrue(answer["success"])
        self.env.invalidate_all()
        self.assertRecordValues(
            slip, [{"signed_by": "Li Wei", "signed_user_id": False, "is_intact": True}]
        )
        self.assertIn("no longer valid", self.url_open(path).text)
        self.mailbox.mails.clear()
        self._send_mails()
        self.assertEqual(self._get_addresses(), [self.quality.email])
        self.assertEqual(slip.sudo().pdf_id.mimetype, "application/pdf")
        with self._assert_refused(slip.name):
            slip.sudo().pdf_id.unlink()

    def test_link_of_another_model(self):
        slip = self._create_slip()
        slip.action_send_link()
        token = slip.sudo().link_token
        self.env.flush_all()
        for model in ("quality.service.sheet", "res.users", "quality.signature.mixin"):
            path = f"/quality_resident/sign/{model}/{slip.id}/{token}"
            self.assertIn("no longer valid", self.url_open(path).text)


@tagged("post_install", "-at_install")
class TestTwoMakeSlips(BaseCase):
    """Two residents press at once: each part gets one slip."""

    def setUp(self):
        super().setUp()
        self.pool = Registry(get_db_name())
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            customer = env["res.partner"].create({"name": "Two Slips"})
            site = env["resident.site"].create(
                {"name": "Slips", "code": "SLIPS", "partner_id": customer.id}
            )
            place = env["resident.place"].create(
                {"name": "Line", "site_id": site.id, "must_screen": True}
            )
            product = env["product.product"].create({"name": "Slipped"})
            complaint = env["quality.complaint"].create(
                {"site_id": site.id, "product_id": product.id}
            )
            complaint.action_open_containment()
            sorting = complaint.inspection_ids
            env["quality.sorting"].create(
                {"inspection_id": sorting.id, "qty_suspect": 5}
            )
            self.sorting_id = sorting.id
            self.leftovers = (complaint, place, site, product, customer)
        self.addCleanup(self._remove_leftovers)

    def _remove_leftovers(self):
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            for table in ("quality_suspect_slip", "quality_sorting"):
                cr.execute(
                    f"DELETE FROM {table} WHERE inspection_id = %s", [self.sorting_id]
                )
            cr.execute("DELETE FROM qc_inspection WHERE id = %s", [self.sorting_id])
            for record in self.leftovers:
                record.with_env(env).unlink()

    def _press(self, cr):
        env = api.Environment(cr, SUPERUSER_ID, {})
        env["qc.inspection"].browse(self.sorting_id).action_make_slips()
        env.flush_all()

    def _press_as_a_request(self, outcome):
        """Press in a request of its own, tried again as Odoo does."""
        for _attempt in range(3):
            with self.pool.cursor() as cr:
                try:
                    self._press(cr)
                    cr.commit()  # pylint: disable=invalid-commit
                    outcome.append("done")
                    return
                except psycopg2.OperationalError:
                    cr.rollback()

    def test_two_at_once(self):
        outcome = []
        second = threading.Thread(target=self._press_as_a_request, args=(outcome,))
        with mute_logger("odoo.sql_db"):
            with self.pool.cursor() as cr:
                self._press(cr)
                second.start()
                # It waits for the first, or has not begun yet.
                second.join(1)
                cr.commit()  # pylint: disable=invalid-commit
            second.join(20)
        self.assertEqual(outcome, ["done"])
        with self.pool.cursor() as cr:
            cr.execute(
                "SELECT quantity FROM quality_suspect_slip WHERE inspection_id = %s",
                [self.sorting_id],
            )
            self.assertEqual(cr.fetchall(), [(5,)])


@tagged("post_install", "-at_install")
class TestSlipTour(TourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_sqe_signs_a_slip(self):
        partner = self.env["res.partner"].create({"name": "Tour Li Wei"})
        contact = self.env["resident.contact"].create(
            {"site_id": self.site.id, "partner_id": partner.id}
        )
        complaint = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .create({"part_id": self.part.id, "defect_id": self.defect.id})
        )
        slip = (
            self.env["quality.suspect.slip"]
            .with_user(self.resident)
            .create(
                {
                    "complaint_id": complaint.id,
                    "quantity": 12,
                    "contact_id": contact.id,
                }
            )
        )
        self.start_tour(
            f"/odoo/suspect-slips/{slip.id}",
            "quality_resident_sign_slip_on_phone",
            login="tour_resident",
        )
        self.assertRecordValues(
            slip,
            [
                {
                    "signed_by": "Tour Li Wei",
                    "signed_user_id": self.resident.id,
                    "disposition": "rework",
                    "state": "rework",
                    "is_intact": True,
                }
            ],
        )
