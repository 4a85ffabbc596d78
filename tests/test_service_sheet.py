import base64
import html
import io
import json
import re
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import urlsplit

from PIL import Image, ImageDraw
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from .common import ResidentCommon, SmtpCatcher
from .test_report import HOSTILE, read_pdf
from .test_tours import TourCase

REPORT = "quality_resident.report_service_sheet"
OVER = "This link is no longer valid"
LINK = re.compile(r'href="([^"]*/quality_resident/sign/[^"]*)"')
CALL_URL = re.compile(r'props="([^"]*callUrl[^"]*)"')


def make_signature(size=(300, 100), image_format="PNG"):
    """Return a picture with a stroke in it, base64."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).line((5, 5, size[0] - 5, size[1] - 5), "navy", 3)
    stream = io.BytesIO()
    image.save(stream, image_format)
    return base64.b64encode(stream.getvalue()).decode()


SIGNATURE = make_signature()


class SheetCommon(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.complaint = cls._create_in_state("reported")
        cls.lot = cls._create_lot("L-7")
        cls.env.cr.flush()
        cls._silence_other_data()
        cls.model = cls.env["quality.service.sheet"]

    @classmethod
    def _create_sheet(cls, user=None, **values):
        """Return a sheet as the resident fills it in after two hours of sorting."""
        return (
            cls.env["quality.service.sheet"]
            .with_user(user or cls.resident)
            .create(
                {
                    "complaint_id": cls.complaint.id,
                    "contact_id": cls.contact.id,
                    "place_id": cls.place.id,
                    "method": "Light box",
                    "method_version": "WI-7 rev. C",
                    "date_from": "2026-03-10 01:00:00",
                    "date_to": "2026-03-10 03:30:00",
                    "hours_break": 0.5,
                    "engineer_ids": (cls.resident + cls.standin).ids,
                    "lot_ids": cls.lot.ids,
                    "qty_in": 100,
                    "qty_good": 90,
                    "qty_bad": 7,
                    "marking": "Green dot",
                    "remarks": "At the door line",
                    "remarks_customer": "Thanks",
                    **values,
                }
            )
        )

    @classmethod
    def _create_signed(cls, user=None, **values):
        sheet = cls._create_sheet(user, **values)
        sheet.action_sign(signature=SIGNATURE, signed_by="Li Wei")
        return sheet

    def _get_signature_attachment(self, sheet):
        return (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", sheet._name),
                    ("res_id", "=", sheet.id),
                    ("res_field", "=", "signature"),
                ]
            )
        )

    def _assert_intact(self, sheet, intact, *users):
        for user in users or (self.resident,):
            self.env.flush_all()
            self.env.invalidate_all()
            with self.subTest(user=user.login):
                self.assertIs(sheet.with_user(user).is_intact, intact)

    def _get_locked_fields(self):
        return sorted({*self.model._signed_fields, *self.model._get_protected_fields()})


@tagged("post_install", "-at_install")
class TestServiceSheet(SheetCommon):
    # === NUMBER, HOURS, QUANTITIES === #

    def test_number_is_the_company_s(self):
        number = r"^SC/\d{4}/\d{5}$"
        first, second = self._create_sheet(), self._create_sheet()
        for sheet in (first, second):
            self.assertRegex(sheet.name, number)
        self.assertEqual(int(second.name[-5:]) - int(first.name[-5:]), 1)
        self.env["ir.sequence"].create(
            {
                "name": "Sheets of Ulm",
                "code": "quality.service.sheet",
                "prefix": "ULM-",
                "padding": 3,
                "company_id": self.company_b.id,
            }
        )
        # Whoever creates it, and wherever he works: the complaint's company numbers.
        complaint_b = self._create_complaint(self.resident_b, site_id=self.site_b.id)
        values = {"complaint_id": complaint_b.id}
        (sheet_b,) = self.model.with_company(self.company_a).create([values])
        self.assertEqual(sheet_b.name, "ULM-001")
        self.assertEqual(sheet_b.company_id, self.company_b)
        self.assertRegex(self._create_sheet().name, number)

    def test_number_and_state_cannot_be_given(self):
        for values in (
            {"name": "SC/1"},
            {"state": "signed"},
            {"signed_by": "Li Wei"},
            {"signature": SIGNATURE},
            {"revision": 3},
            {"signed_hash": "0" * 64},
        ):
            with self.subTest(values=values), self._rolled_back():
                with self._assert_refused("cannot be set directly"):
                    self._create_sheet(**values)
        sheet = self.model.with_user(self.resident).with_context(
            default_state="signed", default_signed_by="Li Wei"
        )
        sheet = sheet.create({"complaint_id": self.complaint.id})
        self.assertRecordValues(sheet, [{"state": "draft", "signed_by": False}])

    def test_hours(self):
        sheet = self._create_sheet()
        self.assertEqual(sheet.hours, 4, "(2:30 - 0:30) of two engineers")
        sheet.engineer_ids = self.resident
        self.assertEqual(sheet.hours, 2)
        sheet.hours_break = 9
        self.assertEqual(sheet.hours, 0, "never negative")
        sheet.write({"hours_break": 0, "date_to": "2026-03-11 01:00:00"})
        self.assertEqual(sheet.hours, 24, "over midnight")
        sheet.date_to = False
        self.assertEqual(sheet.hours, 0)

    def test_hours_of_who_has_left(self):
        sheet = self._create_sheet()
        self.posting_standin.date_to = fields.Date.today()
        self.standin.active = False
        sheet.hours_break = 0
        self.assertEqual(sheet.hours, 5)

    def test_open_quantity(self):
        sheet = self._create_sheet()
        self.assertEqual(sheet.qty_open, 3)
        sheet.qty_bad = 10
        self.assertEqual(sheet.qty_open, 0)

    def test_method_comes_from_the_complaint(self):
        self.complaint.rework_method = "Polish with 3000"
        model = self.model.with_user(self.resident)
        sort, rework = model.create(
            [
                {"complaint_id": self.complaint.id, "work": work}
                for work in ("sort", "rework")
            ]
        )
        self.assertFalse(sort.method)
        self.assertEqual(rework.method, "Polish with 3000")
        rework.method = "Our own"
        rework.work = "sort"
        self.assertEqual(rework.method, "Our own", "what is written stays")

    def test_impossible_values(self):
        sheet = self._create_sheet()
        too_many = "Good and bad parts together"
        for values, words in (
            ({"qty_good": 94}, too_many),
            ({"qty_in": 96}, too_many),
            ({"qty_bad": -1}, too_many),
            ({"qty_good": -1}, too_many),
            ({"qty_in": -1, "qty_good": 0, "qty_bad": 0}, too_many),
            ({"date_to": "2026-03-10 00:59:59"}, "lies before"),
            ({"date_from": "2026-03-10 03:30:01"}, "lies before"),
        ):
            with self.subTest(values=values), self._rolled_back():
                with (
                    mute_logger("odoo.sql_db"),
                    self.assertRaises(IntegrityError) as refusal,
                    self.env.cr.savepoint(),
                ):
                    sheet.write(values)
                    self.env.flush_all()
                # As the service layer tells it to the web client.
                message = self.model._sql_error_to_message(refusal.exception)
                self.assertIn(words, message)
        sheet.write({"qty_good": 93, "date_to": "2026-03-10 01:00:00"})
        self.env.flush_all()

    # === WHAT BELONGS TO THE COMPLAINT === #

    def test_lot_of_another_product(self):
        other = self._create_lot("W-1", product=self.product_2)
        with self._assert_refused("Test seal", error=ValidationError):
            self._create_sheet(lot_ids=(self.lot + other).ids)
        sheet = self._create_sheet()
        with self._assert_refused(sheet.name, "Test seal", error=ValidationError):
            sheet.lot_ids = other
        sheet.lot_ids = self._create_lot("L-8")

    def test_people_and_places_of_another_site(self):
        contact_de = self.env["resident.contact"].create(
            {"site_id": self.site_de.id, "partner_id": self.sqe.id}
        )
        for values in ({"contact_id": contact_de.id}, {"place_id": self.place_de.id}):
            with self.subTest(values=values), self._rolled_back():
                with self._assert_refused(self.site_de.name, error=ValidationError):
                    self._create_sheet(**values)
            sheet = self._create_sheet()
            with self.subTest(values=values), self._rolled_back():
                with self._assert_refused(self.site_de.name, error=ValidationError):
                    sheet.write(values)

    def test_complaint_of_another_site(self):
        complaint_de = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        bare = {"contact_id": False, "place_id": False}
        with mute_logger("odoo.addons.base.models.ir_rule"):
            with self.assertRaises(AccessError), self._rolled_back():
                self._create_sheet(complaint_id=complaint_de.id, **bare)

    # === SIGNING === #

    def test_sign(self):
        sheet = self._create_sheet()
        with self._at("2026-03-10 04:00:00"):
            sheet.action_sign(signature=SIGNATURE, signed_by="  Li Wei ")
        self.assertRecordValues(
            sheet,
            [
                {
                    "state": "signed",
                    "signed_by": "Li Wei",
                    "signed_on": fields.Datetime.to_datetime("2026-03-10 04:00:00"),
                    "signed_user_id": self.resident.id,
                    "revision": 1,
                    "is_intact": True,
                }
            ],
        )
        self.assertTrue(sheet.signature)
        (event,) = self._get_events(sheet)
        self.assertEqual(event.kind, "sheet_signed")
        self.assertEqual(event.site_id, self.site)

    def test_what_is_missing_is_named(self):
        sheet = self._create_sheet()
        for signature, name, word in (
            (False, "Li Wei", "“Signature”"),
            ("", "Li Wei", "“Signature”"),
            (SIGNATURE, False, "“Signed by”"),
            (SIGNATURE, "", "“Signed by”"),
            (SIGNATURE, " \t", "“Signed by”"),
        ):
            with self.subTest(signature=bool(signature), name=name):
                with self._assert_refused(word):
                    sheet.action_sign(signature=signature, signed_by=name)
        self.assertEqual(sheet.state, "draft")
        with self._assert_refused(), self._rolled_back():
            sheet.action_sign(signature="bm8gaW1hZ2U=", signed_by="Li Wei")
        self.assertFalse(self._get_events(sheet))

    def test_sign_once(self):
        sheet = self._create_signed()
        signed_hash = sheet.signed_hash
        for user in (self.resident, self.manager, self.root):
            with self._assert_refused("Signed"):
                sheet.with_user(user).action_sign(SIGNATURE, "Somebody")
        sheet.action_revise(reason="Miscounted")
        with self._assert_refused("Void"):
            sheet.action_sign(SIGNATURE, "Somebody")
        self.assertRecordValues(
            sheet, [{"signed_by": "Li Wei", "signed_hash": signed_hash}]
        )

    def test_dialogue_signs(self):
        sheet = self._create_sheet()
        dialogue = self.env["quality.sheet.sign"].with_user(self.resident)
        form = Form(dialogue.with_context(active_model=sheet._name, active_id=sheet.id))
        self.assertEqual(form.signed_by, "Test Li Wei")
        form.signature = SIGNATURE
        form.save().action_apply()
        self.assertRecordValues(
            sheet, [{"state": "signed", "signed_by": "Test Li Wei"}]
        )

    def test_big_signature_is_made_smaller(self):
        for image_format in ("PNG", "JPEG"):
            sheet = self._create_sheet()
            big = make_signature((3000, 2000), image_format)
            sheet.action_sign(signature=big, signed_by="Li Wei")
            self._assert_intact(sheet, True)
            image = Image.open(io.BytesIO(base64.b64decode(sheet.signature)))
            self.assertEqual(image.size, (768, 512))

    # === LOCK === #

    def test_signed_is_locked(self):
        sheet = self._create_signed()
        self.env.flush_all()
        self.env.invalidate_all()
        before = sheet.sudo().read()
        people = (self.resident, self.manager, self.admin, self.root)
        for name in self._get_locked_fields():
            for user in people:
                with self.subTest(field=name, user=user.login):
                    # Not even what is there already: the client sent a change.
                    value = sheet.sudo()[name]
                    if self.model._fields[name].relational:
                        value = False
                    with self.assertRaises(UserError):
                        call_kw(
                            self.model.with_user(user),
                            "write",
                            [sheet.ids, {name: value}],
                            {},
                        )
                    with self.assertRaises(UserError):
                        call_kw(
                            self.complaint.browse().with_user(user),
                            "write",
                            [
                                self.complaint.ids,
                                {
                                    "service_sheet_ids": [
                                        Command.update(sheet.id, {name: value})
                                    ]
                                },
                            ],
                            {},
                        )
        self.env.invalidate_all()
        self.assertEqual(sheet.sudo().read(), before)
        self._assert_intact(sheet, True)

    def test_void_is_locked(self):
        sheet = self._create_signed()
        sheet.action_revise(reason="Miscounted")
        for name in self._get_locked_fields():
            with self.subTest(field=name), self.assertRaises(UserError):
                sheet.sudo().write({name: False})

    def test_context_opens_no_gate(self):
        sheet = self._create_signed()
        for key in (True, 1, "gate"):
            forged = sheet.sudo().with_context(quality_workflow_gate=key)
            with self._assert_refused("cannot be set directly"):
                forged.state = "draft"

    def test_signed_stays_on_record(self):
        sheet = self._create_signed()
        for user in (self.resident, self.manager, self.admin, self.root):
            with self.subTest(user=user.login):
                with self._assert_refused(sheet.name, "stays on record"):
                    sheet.with_user(user).unlink()
        for command in (Command.delete(sheet.id), Command.unlink(sheet.id)):
            with self.assertRaises(Exception), self._rolled_back():  # noqa: B017
                self.complaint.write({"service_sheet_ids": [command]})
                self.env.flush_all()
        sheet.action_revise(reason="Miscounted")
        with self._assert_refused("stays on record"):
            sheet.unlink()
        draft = self._create_sheet()
        draft.unlink()
        self.assertFalse(draft.exists())

    def test_complaint_with_sheets_stays(self):
        self._create_signed()
        with mute_logger("odoo.sql_db"), self.assertRaises(Exception):  # noqa: B017
            with self._rolled_back():
                self.complaint.sudo().unlink()
                self.env.flush_all()

    # === HASH === #

    def test_intact_until_changed_past_the_application(self):
        sheet = self._create_signed()
        draft = self._create_sheet()
        people = (
            self.resident,
            self.quality,
            self.sales,
            self.manager,
            self.gm,
            self.root,
        )
        self._assert_intact(sheet, True, *people)
        self.env.cr.execute(
            "UPDATE quality_service_sheet SET qty_good = 91 WHERE id IN %s",
            [(sheet.id, draft.id)],
        )
        self._assert_intact(sheet, False, *people)
        self._assert_intact(draft, True)
        self.env.cr.execute(
            "UPDATE quality_service_sheet SET qty_good = 90 WHERE id = %s", [sheet.id]
        )
        self._assert_intact(sheet, True)

    def test_every_signed_field_counts(self):
        sheet = self._create_signed()
        other = self._create_complaint()
        changes = {
            "complaint_id": other.id,
            "work": "other",
            "contact_id": None,
            "place_id": None,
            "method": "x",
            "method_version": "x",
            "date_from": "2026-03-10 01:00:01",
            "date_to": "2026-03-10 03:30:01",
            "hours_break": 0.25,
            "qty_in": 101,
            "qty_good": 90.01,
            "qty_bad": 6,
            "marking": "x",
            "remarks": None,
            "remarks_customer": "",
            "signed_by": "Wang",
        }
        # Who signed what, and when.
        printed = {"name": "SC/1", "revision": 2, "signed_on": "2026-03-10 01:00:00"}
        relations = {
            "engineer_ids": self.model._fields["engineer_ids"],
            "lot_ids": self.model._fields["lot_ids"],
        }
        self.assertEqual(
            # Files are told by their content: test_everything_that_is_printed_is_locked
            {*changes, *relations, "method_file_ids"},
            {*self.model._signed_fields, "signed_by"},
        )
        for name, value in {**changes, **printed}.items():
            with self.subTest(field=name), self._rolled_back():
                self.env.cr.execute(
                    f"UPDATE quality_service_sheet SET {name} = %s WHERE id = %s",
                    [value, sheet.id],
                )
                self._assert_intact(sheet, False)
        with self._rolled_back():
            self.env.cr.execute(
                "UPDATE quality_complaint SET name = 'QC/1' WHERE id = %s",
                [self.complaint.id],
            )
            self._assert_intact(sheet, False)
        for name, field in relations.items():
            with self.subTest(field=name), self._rolled_back():
                self.env.cr.execute(
                    f"DELETE FROM {field.relation} WHERE {field.column1} = %s",
                    [sheet.id],
                )
                self._assert_intact(sheet, False)
        self._assert_intact(sheet, True)

    def test_another_signature_shows(self):
        sheet = self._create_signed()
        attachment = self._get_signature_attachment(sheet)
        self.assertEqual(len(attachment), 1)
        attachment.datas = make_signature((300, 101))
        self._assert_intact(sheet, False, self.resident, self.root)
        attachment.datas = SIGNATURE
        self._assert_intact(sheet, True)
        attachment.unlink()
        self._assert_intact(sheet, False)

    # === CORRECTION === #

    def test_revise(self):
        sheet = self._create_signed()
        signature = sheet.signature
        action = sheet.action_revise(reason="Seven bad, not six")
        revision = self.model.with_user(self.resident).browse(action["res_id"])
        self.assertRecordValues(
            sheet, [{"state": "void", "signed_by": "Li Wei", "is_intact": True}]
        )
        self.assertEqual(sheet.signature, signature)
        self.assertRecordValues(
            revision,
            [
                {
                    "state": "draft",
                    "revision": 2,
                    "previous_id": sheet.id,
                    "complaint_id": self.complaint.id,
                    "qty_good": 90,
                    "hours": 4,
                    "lot_ids": self.lot.ids,
                    "signature": False,
                    "signed_by": False,
                    "signed_on": False,
                    "signed_user_id": False,
                    "signed_hash": False,
                    "link_until": False,
                }
            ],
        )
        for document in (sheet, revision):
            bodies = "".join(document.message_ids.mapped("body"))
            self.assertIn("Seven bad, not six", bodies)
        revision.qty_bad = 8
        revision.action_sign(signature=SIGNATURE, signed_by="Li Wei")
        revision.action_revise(reason="Once more")
        third = self.model.search([("previous_id", "=", revision.id)])
        self.assertEqual(third.revision, 3)
        self._assert_intact(sheet, True)
        self._assert_intact(revision, True)

    def test_revise_is_refused(self):
        draft, signed = self._create_sheet(), self._create_signed()
        for reason in (None, "", "  "):
            with self._assert_refused("Say why"):
                signed.action_revise(reason=reason)
        with self._assert_refused(draft.name, "just change it"):
            draft.action_revise(reason="Why not")
        signed.action_revise(reason="Miscounted")
        with self._assert_refused(signed.name):
            signed.action_revise(reason="Again")
        self.assertEqual(self.model.search_count([("previous_id", "=", signed.id)]), 1)
        for user in (self.quality, self.sales):
            with self.assertRaises(AccessError):
                self._create_signed().with_user(user).action_revise(reason="Mine")

    def test_reason_dialogue_revises(self):
        sheet = self._create_signed()
        dialogue = self.env["quality.reason"].with_user(self.resident)
        dialogue.with_context(
            active_model=sheet._name,
            active_ids=sheet.ids,
            reason_action="action_revise",
        ).create({"reason": "Miscounted"}).action_apply()
        self.assertEqual(sheet.state, "void")

    # === AROUND THE LOCK === #

    def test_everything_that_is_printed_is_locked(self):
        """A field added to the sheet belongs to the signed ones, or says why not."""
        free = {
            # Mail and to-do lists.
            *self.env["mail.thread"]._fields,
            # The link dies with the signature; it and the address are protected.
            "link_token",
            "link_until",
            # Where the method's text came from; protected, and the text is signed.
            "method_id",
        }
        editable = {
            name
            for name, field in self.model._fields.items()
            if field.store and not field.readonly
        }
        self.assertEqual(editable - free - set(self.model._signed_fields), set())

    def test_key_is_not_in_the_messages(self):
        """Who reads the sheet could else sign it in the customer's name."""
        sheet = self._create_sheet()
        sheet.action_send_link()
        token = sheet.sudo().link_token
        for user in (self.resident, self.quality, self.sales, self.manager):
            env = self.env(user=user)
            messages = env["mail.message"].search([("body", "like", token)])
            with self.subTest(user=user.login):
                self.assertFalse(messages)
                shown = str(sheet.with_user(user).message_ids.mapped("body"))
                self.assertNotIn(token, shown)

    def test_sheet_does_not_move_to_another_site(self):
        complaint_de = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        complaint_b = self._create_complaint(self.resident_b, site_id=self.site_b.id)
        for complaint in (complaint_de, complaint_b):
            sheet = self._create_sheet(contact_id=False, place_id=False)
            with (
                self.subTest(site=complaint.site_id.name),
                mute_logger("odoo.addons.base.models.ir_rule"),
                self.assertRaises(UserError),
                self._rolled_back(),
            ):
                sheet.complaint_id = complaint.id
                self.env.flush_all()

    def test_break_is_not_negative(self):
        """Else a break of -8 h adds eight hours for each engineer."""
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self._rolled_back(),
        ):
            self._create_sheet(hours_break=-8)
            self.env.flush_all()

    def test_intact_when_people_leave(self):
        sheet = self._create_signed()
        self.posting_standin.date_to = fields.Date.today()
        self.standin.active = False
        self._assert_intact(sheet, True, self.resident, self.manager, self.root)
        report = self.env["ir.actions.report"].with_user(self.quality)
        content, _kind = report._render_qweb_html(REPORT, sheet.ids)
        self.assertIn(self.standin.name, content.decode())

    def test_intact_when_people_are_renamed(self):
        sheet = self._create_signed()
        self.standin.name = "Aaron, married"
        self._assert_intact(sheet, True)

    def test_lost_hash_shows(self):
        sheet = self._create_signed()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE quality_service_sheet SET signed_hash = NULL, qty_good = 91 "
            "WHERE id = %s",
            [sheet.id],
        )
        self._assert_intact(sheet, False)

    def test_another_product_shows(self):
        """The product is printed on the sheet, so it is part of what was signed."""
        sheet = self._create_signed(lot_ids=False)
        try:
            with self.env.cr.savepoint():
                self.complaint.write(
                    {"part_id": False, "product_id": self.product_2.id}
                )
        except UserError:
            return
        self._assert_intact(sheet, False)

    def test_archived_pdf_stays(self):
        sheet = self._create_signed()
        event = self._get_events(sheet)
        pdf = sheet.sudo()._get_event_attachments(event)
        for name, change in (
            ("delete", lambda attachment: attachment.unlink()),
            ("replace", lambda attachment: attachment.write({"raw": b"mine"})),
        ):
            for user in (self.resident, self.manager):
                with self.subTest(name=name, user=user.login):
                    with self.assertRaises(UserError), self._rolled_back():
                        change(pdf.with_user(user))

    def test_planted_pdf_is_not_mailed(self):
        """The archive is found by the hash, which everybody can read."""
        sheet = self._create_signed()
        planted = (
            self.env["ir.attachment"]
            .with_user(self.resident)
            .create(
                {
                    "name": "planted.pdf",
                    "raw": b"mine",
                    "description": sheet.signed_hash,
                    "res_model": sheet._name,
                    "res_id": sheet.id,
                }
            )
        )
        event = self._get_events(sheet)
        self.assertNotEqual(sheet.sudo()._get_event_attachments(event), planted)

    def test_correction_cannot_be_deleted(self):
        """Else the signed sheet is void and nothing stands in for it."""
        sheet = self._create_signed()
        action = sheet.action_revise(reason="Miscounted")
        revision = self.model.with_user(self.resident).browse(action["res_id"])
        with self.assertRaises(UserError):
            revision.unlink()

    def test_correction_is_recognisable(self):
        sheet = self._create_signed(
            method_file_ids=self._create_photo(name="WI-7.jpg").ids
        )
        action = sheet.action_revise(reason="Miscounted")
        revision = self.model.with_user(self.resident).browse(action["res_id"])
        report = self.env["ir.actions.report"].with_user(self.quality)
        content, _kind = report._render_qweb_html(REPORT, revision.ids)
        self.assertIn(sheet.name, content.decode())
        self.assertEqual(
            revision.method_file_ids.mapped("name"),
            ["WI-7.jpg"],
            "the instruction is still that of the work",
        )

    def test_reason_dialogue_opens_the_correction(self):
        sheet = self._create_signed()
        dialogue = self.env["quality.reason"].with_user(self.resident)
        action = (
            dialogue.with_context(
                active_model=sheet._name,
                active_ids=sheet.ids,
                reason_action="action_revise",
            )
            .create({"reason": "Miscounted"})
            .action_apply()
        )
        revision = self.model.search([("previous_id", "=", sheet.id)])
        self.assertEqual(action.get("res_id"), revision.id)

    # === RIGHTS === #

    def test_who_reads_and_writes(self):
        sheet, draft = self._create_signed(), self._create_sheet()
        both = sheet + draft
        for user in (self.resident, self.standin, self.manager):
            own = draft.with_user(user)
            own.marking = user.login
            self.assertEqual(own.marking, user.login)
        for user in (self.quality, self.sales, self.gm):
            with self.subTest(user=user.login):
                self.assertEqual(self._search(user, both), both)
                self.assertEqual(
                    sheet.with_user(user).read(["qty_good"])[0]["id"], sheet.id
                )
                for forbidden in (
                    lambda s: s.write({"marking": "x"}),
                    lambda s: s.unlink(),
                    lambda s: s.action_sign(SIGNATURE, "x"),
                    lambda s: s.action_send_link(),
                    lambda s: s.copy(),
                ):
                    with self.assertRaises(AccessError):
                        forbidden(draft.with_user(user))
        for user in (
            self.resident_de,
            self.quality_de,
            self.resident_b,
            self.manager_b,
            self.gm_b,
            self.outsider,
        ):
            with (
                self.subTest(user=user.login),
                mute_logger("odoo.addons.base.models.ir_rule"),
            ):
                if user != self.outsider:
                    self.assertFalse(self._search(user, both))
                for forbidden in (
                    lambda s: s.read(["name"]),
                    lambda s: s.write({"marking": "x"}),
                    lambda s: s.unlink(),
                    lambda s: s.action_sign(SIGNATURE, "x"),
                    lambda s: s.action_send_link(),
                ):
                    with self.assertRaises(AccessError):
                        forbidden(draft.with_user(user))

    def _search(self, user, sheets):
        return self.model.with_user(user).search([("id", "in", sheets.ids)], order="id")

    def test_posting_has_ended(self):
        sheet = self._create_sheet()
        self.posting.date_to = fields.Date.today() - timedelta(days=1)
        with (
            mute_logger("odoo.addons.base.models.ir_rule"),
            self.assertRaises(AccessError),
        ):
            sheet.marking = "x"
            self.env.flush_all()

    def test_key_is_hidden(self):
        sheet = self._create_sheet()
        sheet.action_send_link()
        token = sheet.sudo().link_token
        self.assertGreaterEqual(len(token), 40)
        for user in (self.resident, self.quality, self.sales, self.gm):
            user.group_ids += self.env.ref("base.group_allow_export")
            own = sheet.with_user(user)
            with self.subTest(user=user.login):
                self.assertNotIn("link_token", own.read()[0])
                self.assertNotIn("link_token", own.fields_get())
                domain = [("link_token", "=like", token[:1] + "%")]
                path = [("service_sheet_ids.link_token", "=like", "%")]
                for forbidden in (
                    lambda own=own: own.read(["link_token"]),
                    lambda own=own: own.export_data(["link_token"]),
                    lambda own=own, domain=domain: own.search(domain),
                    lambda own=own: own.search([], order="link_token"),
                    lambda own=own: own.formatted_read_group([], ["link_token"]),
                    lambda user=user, path=path: self.complaint.with_user(user).search(
                        path
                    ),
                    lambda user=user: self.complaint.with_user(user).export_data(
                        ["service_sheet_ids/link_token"]
                    ),
                ):
                    with self.assertRaises(AccessError):
                        forbidden()


class RenderPdf:
    """Mixin: Odoo renders PDFs, which it does not while a test runs."""

    def setUp(self):
        super().setUp()
        report_class = type(self.env["ir.actions.report"])
        render = report_class._render_qweb_pdf

        def render_pdf(report, *args, **kwargs):
            return render(
                report.with_context(force_report_rendering=True), *args, **kwargs
            )

        self.startPatcher(patch.object(report_class, "_render_qweb_pdf", render_pdf))


@tagged("post_install", "-at_install")
class TestServiceSheetPdf(RenderPdf, SmtpCatcher, SheetCommon, HttpCase):
    def _render(self, sheet, user=None):
        report = self.env["ir.actions.report"].with_user(user or self.quality)
        content, kind = report._render_qweb_pdf(REPORT, sheet.ids)
        self.assertEqual(kind, "pdf")
        pages, text = read_pdf(content)
        return pages, text

    def _render_html(self, sheet, **context):
        report = self.env["ir.actions.report"].with_user(self.quality)
        content, _kind = report.with_context(**context)._render_qweb_html(
            REPORT, sheet.ids
        )
        return content.decode()

    def _count_signatures(self, pages):
        """Return how many pictures have the signature's shape."""
        objects = [
            image.get_object()
            for page in pages
            for image in page["/Resources"].get("/XObject", {}).values()
        ]
        return sum(
            image["/Subtype"] == "/Image"
            and (image["/Width"], image["/Height"]) == (300, 100)
            for image in objects
        )

    def _translate(self, record, name, text):
        self.env["res.lang"]._activate_lang("zh_CN")
        record.with_context(lang="zh_CN")[name] = text

    # === PDF === #

    def test_pdf(self):
        with self._at("2026-03-10 04:00:00"):
            sheet = self._create_signed()
        pages, text = self._render(sheet)
        self.assertEqual(len(pages), 1)
        self.assertEqual(self._count_signatures(pages), 1)
        for expected in (
            sheet.name,
            "Revision 1",
            self.complaint.name,
            self.customer.name,
            self.site.name,
            self.company_a.name,
            "Test Li Wei",
            "Test Resident, Test Standin",
            "Sorting",
            "4.00",
            "Test seal",
            "6L0 837 911",
            "L-7",
            "Green dot",
            "100",
            "90",
            "Light box (WI-7 rev. C)",
            "At the door line",
            "Thanks",
            # The site's time.
            "9:00 AM",
            "11:30 AM",
            "12:00 PM",
            "Asia/Shanghai",
            sheet.signed_hash[:16],
        ):
            with self.subTest(expected=expected):
                self.assertIn(expected, text)
        for absent in ("VOID", "NOT INTACT"):
            self.assertNotIn(absent, text)

    def test_draft_has_no_signature(self):
        content = self._render_html(self._create_sheet())
        self.assertNotIn('alt="Signature"', content)
        self.assertNotIn("SHA-256", content)
        self.assertIn('alt="Signature"', self._render_html(self._create_signed()))
        bare = self.model.create({"complaint_id": self.complaint.id})
        self.assertNotIn(">False<", self._render_html(bare))

    def test_void_and_not_intact_are_marked(self):
        sheet = self._create_signed()
        sheet.action_revise(reason="Miscounted")
        pages, text = self._render(sheet)
        self.assertIn("VOID", text)
        self.assertNotIn("NOT INTACT", text)
        self.assertEqual(self._count_signatures(pages), 1)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE quality_service_sheet SET qty_bad = 1 WHERE id = %s", [sheet.id]
        )
        self.env.invalidate_all()
        self.assertIn("NOT INTACT", self._render_html(sheet))

    def test_customer_s_language(self):
        field = self.env["ir.model.fields"]._get("quality.service.sheet", "work")
        selection = field.selection_ids.filtered(lambda s: s.value == "sort")
        self._translate(selection, "name", "现场挑选")
        view = self.env.ref("quality_resident.report_service_sheet_document")
        view.update_field_translations(
            "arch_db", {"zh_CN": {"Service Confirmation Sheet": "质量问题服务确认单"}}
        )
        sheet = self._create_signed(remarks="密封条表面划伤")
        expected = ("现场挑选", "质量问题服务确认单")
        content = self._render_html(sheet)
        self.assertIn("Sorting", content)
        for word in expected:
            self.assertNotIn(word, content)
        self.customer.lang = "zh_CN"
        _pages, text = self._render(sheet)
        for word in (*expected, "密封条表面划伤"):
            self.assertIn(word, text)
        self.assertIn("Sorting", self._render_html(sheet, document_lang="en_US"))

    def test_hostile_text(self):
        names = ("method", "method_version", "marking", "remarks", "remarks_customer")
        sheet = self._create_sheet(**dict.fromkeys(names, HOSTILE))
        sheet.action_sign(signature=SIGNATURE, signed_by=HOSTILE)
        content = self._render_html(sheet)
        self.assertNotIn("<script>alert", content)
        self.assertEqual(content.count("&lt;script&gt;alert"), len(names) + 1)

    def test_who_may_not_read_may_not_print(self):
        sheet = self._create_signed()
        self.authenticate(self.quality_de.login, "quality_de")
        with mute_logger("odoo.http"):
            response = self.url_open(f"/report/html/{REPORT}/{sheet.id}")
        self.assertNotIn(sheet.name, response.text)
        self.authenticate(self.quality.login, "qualityx")
        response = self.url_open(f"/report/html/{REPORT}/{sheet.id}")
        self.assertIn(sheet.name, response.text)

    # === MAIL OF THE SIGNED SHEET === #

    def _get_pdfs(self, mail):
        return [
            part
            for part in mail.iter_attachments()
            if part.get_content_type() == "application/pdf"
        ]

    def _get_archived(self, sheet):
        return self.env["ir.attachment"].search(
            [("res_model", "=", sheet._name), ("res_id", "=", sheet.id)]
        )

    def test_signed_sheet_is_mailed_and_archived_once(self):
        template = self.env.ref("quality_resident.mail_template_sheet_signed")
        self._translate(template, "subject", "已签字 {{ object.document.name }}")
        self.quality.lang = "zh_CN"
        sheet = self._create_signed()
        self._send_mails()
        self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.quality.email, self.manager.email])
        )
        (quality_mail,) = self._get_received(self.quality)
        (manager_mail,) = self._get_received(self.manager)
        self.assertEqual(quality_mail["Subject"], f"已签字 {sheet.name}")
        self.assertIn(f"service sheet {sheet.name} signed", manager_mail["Subject"])
        self.assertIn(self.complaint.name, manager_mail["Subject"])
        archived = self._get_archived(sheet)
        self.assertEqual(len(archived), 1)
        self.assertEqual(archived.mimetype, "application/pdf")
        self.assertIn(sheet.name.replace("/", "-"), archived.name)
        for mail in (quality_mail, manager_mail):
            (pdf,) = self._get_pdfs(mail)
            self.assertEqual(pdf.get_content(), archived.raw)
            self.assertTrue(pdf.get_filename().endswith(".pdf"))
        pages, text = read_pdf(archived.raw)
        self.assertIn(sheet.name, text)
        self.assertIn("Revision 1", text)
        self.assertEqual(self._count_signatures(pages), 1)

    def test_correction_is_mailed_too(self):
        sheet = self._create_signed()
        self._send_mails()
        action = sheet.action_revise(reason="Miscounted")
        revision = self.model.with_user(self.resident).browse(action["res_id"])
        revision.write({"qty_good": 89, "qty_bad": 8})
        revision.action_sign(signature=SIGNATURE, signed_by="Li Wei")
        self._send_mails()
        self.assertEqual(len(self._get_received(self.manager)), 2)
        self.assertEqual(len(self._get_archived(sheet)), 1)
        self.assertEqual(len(self._get_archived(revision)), 1)
        _pages, text = read_pdf(self._get_archived(revision).raw)
        self.assertIn("Revision 2", text)
        self.assertIn("89", text)


@tagged("post_install", "-at_install")
class TestServiceSheetLink(SmtpCatcher, SheetCommon, HttpCase):
    def _send_link(self, sheet):
        """Return the path of the link that the SQE gets by mail."""
        self.mailbox.mails.clear()
        sheet.action_send_link()
        self._run_cron("mail.ir_cron_mail_scheduler_action")
        (mail,) = self._get_received(self.sqe)
        (url,) = LINK.findall(mail.get_body(("html",)).get_content())
        return urlsplit(html.unescape(url)).path

    def _open(self, path):
        self.env.flush_all()
        return self.url_open(path)

    def _get_sign_path(self, path):
        """Return where the page's signature form sends to."""
        (props,) = CALL_URL.findall(self._open(path).text)
        return json.loads(html.unescape(props))["callUrl"]

    def _sign(self, sign_path, **params):
        """Send what portal's signature form sends."""
        params = {"name": "Li Wei", "signature": SIGNATURE, **params}
        self.env.flush_all()
        answer = self.make_jsonrpc_request(sign_path, params)
        self.env.invalidate_all()
        return answer

    def _assert_over(self, path, sheet):
        page = self._open(path)
        self.assertIn(OVER, page.text)
        for secret in (sheet.exists().name, self.site.name, "Light box"):
            if secret:
                self.assertNotIn(secret, page.text)
        self.assertNotIn("signature_form", page.text)

    # === THE MAIL === #

    def test_link_needs_an_address(self):
        self.sqe.email = False
        for contact in (self.contact, self.contact.browse()):
            sheet = self._create_sheet(contact_id=contact.id)
            with self._assert_refused(sheet.name, "“Customer's SQE”"):
                sheet.action_send_link()
            self.assertFalse(sheet.link_until)
        self.assertFalse(self._get_mails(sheet))

    def test_link_is_for_drafts(self):
        sheet = self._create_signed()
        with self._assert_refused(sheet.name):
            sheet.action_send_link()
        sheet.action_revise(reason="Miscounted")
        with self._assert_refused(sheet.name):
            sheet.action_send_link()

    def test_mail_in_the_sqe_s_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        template = self.env.ref("quality_resident.mail_template_sheet_link")
        template.with_context(lang="zh_CN").subject = "请签字 {{ object.name }}"
        sheet = self._create_sheet()
        self._send_link(sheet)
        (mail,) = self._get_received()
        self.assertEqual(self._get_addresses(), [self.sqe.email])
        self.assertIn(f"{sheet.name}: please sign", mail["Subject"])
        self.assertIn(self.company_a.name, mail["From"])
        self.assertIn("Test Li Wei", mail.get_body(("html",)).get_content())
        self.sqe.lang = "zh_CN"
        self._send_link(sheet)
        (mail,) = self._get_received()
        self.assertEqual(mail["Subject"], f"请签字 {sheet.name}")

    def test_mail_says_until_when_in_the_site_s_time(self):
        sheet = self._create_sheet()
        with self._at("2026-03-10 01:00:00"):
            sheet.action_send_link()
        (mail,) = self._get_mails(sheet)
        self.assertRegex(mail.body_html, r"3/17/26, 9:00\sAM")

    # === THE PAGE === #

    def test_page_shows_the_sheet(self):
        sheet = self._create_sheet(remarks=HOSTILE)
        path = self._send_link(sheet)
        page = self._open(path)
        self.assertEqual(page.status_code, 200)
        for expected in (
            sheet.name,
            self.site.name,
            "Sorting",
            "Test seal",
            "Light box",
            "(4.00 h)",
            "100 / 90 / 7 / 3",
            "Test Resident, Test Standin",
            "&lt;script&gt;alert",
        ):
            with self.subTest(expected=expected):
                self.assertIn(expected, page.text)
        self.assertRegex(page.text, r"9:00\sAM")
        self.assertNotIn("<script>alert", page.text)
        self.assertNotIn(OVER, page.text)
        self.assertEqual(page.headers["Referrer-Policy"], "no-referrer")
        self.assertIn("noindex", page.headers["X-Robots-Tag"])

    def test_page_in_the_sqe_s_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env.ref("quality_resident.sheet_page").update_field_translations(
            "arch_db", {"zh_CN": {"Service Confirmation Sheet": "质量问题服务确认单"}}
        )
        path = self._send_link(self._create_sheet())
        self.assertNotIn("质量问题服务确认单", self._open(path).text)
        self.sqe.lang = "zh_CN"
        self.assertIn("质量问题服务确认单", self._open(path).text)

    def test_wrong_links(self):
        sheet, other = self._create_sheet(), self._create_sheet()
        path, other_path = self._send_link(sheet), self._send_link(other)
        start, token = path.rsplit("/", 1)
        other_start = other_path.rsplit("/", 1)[0]
        for wrong in (
            f"{start}/{token[:-1]}",
            f"{start}/{token}x",
            f"{start}/False",
            f"{start}/None",
            f"{other_start}/{token}",
            f"{start[: -len(str(sheet.id))]}{other.id + 1000}/{token}",
        ):
            with self.subTest(path=wrong):
                self._assert_over(wrong, sheet)
                answer = self._sign(f"{wrong}/sign/{sheet._get_content_hash()}")
                self.assertIn(OVER, answer["error"])
        # No link was ever sent: nothing opens it.
        bare = self._create_sheet()
        self._assert_over(f"{start[: -len(str(sheet.id))]}{bare.id}/False", bare)
        self.assertEqual({*(sheet + other + bare).mapped("state")}, {"draft"})

    def test_expired(self):
        sheet = self._create_sheet()
        path = self._send_link(sheet)
        sign_path = self._get_sign_path(path)
        days = sheet.link_until - fields.Datetime.now()
        self.assertAlmostEqual(days.total_seconds(), 7 * 86400, delta=60)
        sheet.sudo()._write_protected(
            {"link_until": fields.Datetime.now() - timedelta(seconds=1)}
        )
        self._assert_over(path, sheet)
        self.assertIn(OVER, self._sign(sign_path)["error"])
        self.assertEqual(sheet.state, "draft")

    def test_signed_on_the_phone_meanwhile(self):
        sheet = self._create_sheet()
        path = self._send_link(sheet)
        sign_path = self._get_sign_path(path)
        sheet.action_sign(signature=SIGNATURE, signed_by="On the phone")
        self._assert_over(path, sheet)
        self.assertIn(OVER, self._sign(sign_path)["error"])
        self.assertEqual(sheet.signed_by, "On the phone")

    def test_deleted_sheet(self):
        sheet = self._create_sheet()
        path = self._send_link(sheet)
        sign_path = self._get_sign_path(path)
        name = sheet.name
        sheet.unlink()
        self._assert_over(path, sheet)
        self.assertNotIn(name, self._open(path).text)
        self.assertIn(OVER, self._sign(sign_path)["error"])

    def test_second_link_replaces_the_first(self):
        sheet = self._create_sheet()
        first = self._send_link(sheet)
        first_sign = self._get_sign_path(first)
        second = self._send_link(sheet)
        self.assertNotEqual(first, second)
        self._assert_over(first, sheet)
        self.assertIn(OVER, self._sign(first_sign)["error"])
        self.assertTrue(self._sign(self._get_sign_path(second))["success"])

    # === SIGNING THROUGH THE PAGE === #

    def test_customer_signs(self):
        sheet = self._create_sheet()
        path = self._send_link(sheet)
        sign_path = self._get_sign_path(path)
        answer = self._sign(sign_path, name=" Wang Fang ")
        self.assertTrue(answer["success"])
        self.assertRecordValues(
            sheet.sudo(),
            [
                {
                    "state": "signed",
                    "signed_by": "Wang Fang",
                    "signed_user_id": False,
                    "link_token": False,
                    "link_until": False,
                }
            ],
        )
        self.assertTrue(sheet.signed_on)
        self._assert_intact(sheet, True, self.resident, self.manager)
        self.assertEqual(self._get_events(sheet).kind, "sheet_signed")
        self._assert_over(path, sheet)
        answer = self._sign(sign_path, name="Somebody")
        self.assertIn(OVER, answer["error"])
        self.assertNotIn("success", answer)
        self.assertEqual(sheet.signed_by, "Wang Fang")
        self.mailbox.mails.clear()
        self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.quality.email, self.manager.email])
        )

    def test_what_is_no_signature_is_refused(self):
        sheet = self._create_sheet()
        sign_path = self._get_sign_path(self._send_link(sheet))
        for params in (
            {"signature": None},
            {"signature": ""},
            {"signature": False},
            {"name": None},
            {"name": ""},
            {"name": "   "},
            {"signature": "no base64 %%%"},
            {"signature": "A"},
            {"signature": "密"},
            {"signature": base64.b64encode(b"%PDF-1.7 no picture").decode()},
            {"signature": SIGNATURE[:60]},
        ):
            with self.subTest(params=params):
                answer = self._sign(sign_path, **params)
                self.assertTrue(answer["error"])
                self.assertNotIn("success", answer)
                self.assertRecordValues(
                    sheet, [{"state": "draft", "signature": False, "signed_by": False}]
                )
        self.assertFalse(self._get_events(sheet))
        self.assertTrue(self._sign(sign_path)["success"], "the link still works")

    def test_picture_without_a_stroke_is_refused(self):
        empty = io.BytesIO()
        Image.new("RGBA", (300, 100), (0, 0, 0, 0)).save(empty, "PNG")
        sheet = self._create_sheet()
        sign_path = self._get_sign_path(self._send_link(sheet))
        for name, content in (
            ("markup", b"<"),
            ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
            ("empty", empty.getvalue()),
        ):
            signature = base64.b64encode(content).decode()
            with self.subTest(name=name), self._rolled_back():
                answer = self._sign(sign_path, signature=signature)
                self.assertNotIn("success", answer)
                self.assertEqual(sheet.state, "draft")

    def test_strange_addresses_are_no_errors(self):
        sheet = self._create_sheet()
        path = self._send_link(sheet)
        start, token = path.rsplit("/", 1)
        for wrong in (
            f"{start}/%E5%AF%86%E9%92%A5",
            f"{start[: -len(str(sheet.id))]}{2**31}/{token}",
            f"{start[: -len(str(sheet.id))]}{10**30}/{token}",
        ):
            with (
                self.subTest(path=wrong),
                mute_logger("odoo.http", "odoo.sql_db"),
            ):
                page = self._open(wrong)
                self.assertIn(page.status_code, (200, 404))
                self.assertNotIn(sheet.name, page.text)

    def test_strange_parameters_are_no_errors(self):
        sheet = self._create_sheet()
        sign_path = self._get_sign_path(self._send_link(sheet))
        for params in ({"name": ["x"]}, {"name": 5}, {"signature": {"a": 1}}):
            with self.subTest(params=params), mute_logger("odoo.http"):
                with self._rolled_back():
                    self.assertIn("error", self._sign(sign_path, **params))
                    self.assertEqual(sheet.state, "draft")

    def test_another_sqe_makes_the_link_useless(self):
        sheet = self._create_sheet()
        path = self._send_link(sheet)
        sheet.contact_id = self.env["resident.contact"].create(
            {
                "site_id": self.site.id,
                "partner_id": self.env["res.partner"]
                .create({"name": "Wang Fang", "email": "wang@north.example.com"})
                .id,
            }
        )
        self._assert_over(path, sheet)

    def test_page_shows_all_that_is_signed(self):
        sheet = self._create_sheet()
        page = self._open(self._send_link(sheet)).text
        for expected in ("L-7", "Green dot", "Door line", "WI-7 rev. C", "Thanks"):
            with self.subTest(expected=expected):
                self.assertIn(expected, page)

    def test_long_and_hostile_names(self):
        for name in ("x" * 10_000, HOSTILE, "李伟\n\x0b"):
            sheet = self._create_sheet()
            sign_path = self._get_sign_path(self._send_link(sheet))
            with self.subTest(name=name[:20]):
                self.assertTrue(self._sign(sign_path, name=name)["success"])
                self.assertEqual(sheet.signed_by, name.strip()[:120])
                self._assert_intact(sheet, True)

    def test_changed_while_he_reads(self):
        sheet = self._create_sheet()
        path = self._send_link(sheet)
        sign_path = self._get_sign_path(path)
        sheet.qty_bad = 8
        answer = self._sign(sign_path)
        self.assertIn("changed while you read it", answer["error"])
        self.assertEqual(sheet.state, "draft")
        # He loads the page again, as he is told.
        self.assertIn("100 / 90 / 8 / 2", self._open(path).text)
        self.assertTrue(self._sign(self._get_sign_path(path))["success"])
        self.assertEqual(sheet.qty_bad, 8)

    def test_get_does_not_sign(self):
        """A mail scanner that opens every link changes nothing."""
        sheet = self._create_sheet()
        path = self._send_link(sheet)
        sign_path = self._get_sign_path(path)
        with mute_logger("odoo.http"):
            self._open(sign_path)
        self.assertEqual(sheet.state, "draft")
        self.assertTrue(self._sign(sign_path)["success"])


@tagged("post_install", "-at_install")
class TestServiceSheetTours(TourCase):
    browser_size = "390x844"
    touch_enabled = True

    def setUp(self):
        super().setUp()
        self.contact = self.env["resident.contact"].create(
            {
                "site_id": self.site.id,
                "partner_id": self.env["res.partner"]
                .create({"name": "Tour Li Wei", "email": "li.wei@example.com"})
                .id,
            }
        )
        self.complaint = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .create({"part_id": self.part.id, "defect_id": self.defect.id})
        )

    def test_sqe_signs_on_the_phone(self):
        self.start_tour(
            "/odoo/service-sheets",
            "quality_resident_sign_on_phone",
            login="tour_resident",
        )
        sheet = self.complaint.service_sheet_ids
        self.assertRecordValues(
            sheet,
            [
                {
                    "state": "signed",
                    "signed_by": "Tour Li Wei",
                    "signed_user_id": self.resident.id,
                    "qty_in": 20,
                    "qty_good": 18,
                    "qty_bad": 2,
                    "is_intact": True,
                }
            ],
        )
        self._assert_drawn(sheet)

    def test_sqe_signs_through_the_link(self):
        sheet = self.env["quality.service.sheet"].create(
            {
                "complaint_id": self.complaint.id,
                "contact_id": self.contact.id,
                "qty_in": 20,
                "qty_good": 18,
            }
        )
        sheet.action_send_link()
        path = urlsplit(sheet._get_link_url()).path
        self.start_tour(path, "quality_resident_sign_through_link")
        self.assertRecordValues(
            sheet,
            [
                {
                    "state": "signed",
                    "signed_by": "Tour Li Wei",
                    "signed_user_id": False,
                    "is_intact": True,
                }
            ],
        )
        self._assert_drawn(sheet)

    def _assert_drawn(self, sheet):
        """The picture is a stroke on a transparent ground, not an empty one."""
        image = Image.open(io.BytesIO(base64.b64decode(sheet.signature)))
        self.assertGreater(image.width, 200)
        self.assertEqual(image.getchannel("A").getextrema(), (0, 255))
