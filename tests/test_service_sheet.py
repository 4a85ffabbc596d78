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
from odoo.exceptions import AccessError, MissingError, UserError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from .common import ResidentCommon, SmtpCatcher
from .test_report import HOSTILE, read_pdf
from .test_tours import TourCase

REPORT = "quality_resident.report_service_sheet"
OVER = "This link is no longer valid"
LINK = re.compile(r'href="([^"]*/quality_resident/sheet/[^"]*)"')
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
        return sorted(
            {*self.model._signed_fields, *self.model._get_protected_fields()}
        )


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
        complaint_de = self._create_complaint(
            self.resident_de, site_id=self.site_de.id
        )
        bare = {"contact_id": False, "place_id": False}
        with mute_logger("odoo.addons.base.models.ir_rule"):
            with self.assertRaises(AccessError), self._rolled_back():
                self._create_sheet(complaint_id=complaint_de.id, **bare)
            sheet = self._create_sheet(**bare)
            with self.assertRaises(AccessError), self._rolled_back():
                sheet.complaint_id = complaint_de
                self.env.flush_all()
        self.assertEqual(sheet.site_id, self.site)

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
        form = Form(dialogue.with_context(active_id=sheet.id))
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
                    print(name,user.login,sheet.sudo().write_uid.login)
        self.env.invalidate_all()
        self.assertEqual(sheet.sudo().read(), before)
        self._assert_intact(sheet, True)

    def test_everything_that_is_printed_is_locked(self):
        """A field added to the sheet belongs to the signed ones, or says why not."""
        free = {
            # Mail and to-do lists.
            *self.env["mail.thread"]._fields,
            # The link dies with the signature; it and the address are protected.
            "link_token",
            "link_until",
        }
        editable = {
            name
            for name, field in self.model._fields.items()
            if field.store and not field.readonly
        }
        self.assertEqual(editable - free - set(self.model._signed_fields), set())

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
        relations = {
            "engineer_ids": self.model._fields["engineer_ids"],
            "lot_ids": self.model._fields["lot_ids"],
        }
        self.assertEqual(
            {*changes, *relations}, {*self.model._signed_fields, "signed_by"}
        )
        for name, value in changes.items():
            with self.subTest(field=name), self._rolled_back():
                self.env.cr.execute(
                    f"UPDATE quality_service_sheet SET {name} = %s WHERE id = %s",
                    [value, sheet.id],
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
        self.assertEqual(
            self.model.search_count([("previous_id", "=", signed.id)]), 1
        )
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
                self.assertEqual(sheet.with_user(user).read(["qty_good"])[0]["id"], sheet.id)
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
        return self.model.with_user(user).search(
            [("id", "in", sheets.ids)], order="id"
        )

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
