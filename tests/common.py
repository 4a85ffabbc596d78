"""Fixtures: two companies, three sites, and one user for each role.

``site`` is ours and in China, ``site_de`` ours and in Germany, ``site_b`` belongs to
another company of the same database. Everybody is a real user: act through
``with_user`` or :meth:`ResidentCommon._as`.
"""

import email
import email.policy
import io
import socket
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from unittest.mock import patch

from aiosmtpd.controller import Controller
from PIL import Image

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user
from odoo.tests.common import freeze_time

from odoo.addons.base.tests.common import BaseCommon

MODULE = "quality_resident"
GROUP = f"{MODULE}.group_"
CRON_EVENTS = f"{MODULE}.ir_cron_process_events"
CRON_CLOCKS = f"{MODULE}.ir_cron_clock_alerts"
CRON_8D = f"{MODULE}.ir_cron_8d_alerts"
CRON_MEASURES = f"{MODULE}.ir_cron_measure_alerts"
CRON_POSTINGS = f"{MODULE}.ir_cron_end_postings"
# What must be there before a state, and who makes it.
READY = {"action_contain": "_screen", "action_close": "_prove"}
# What spec.md C1 wants in the feedback form.
FEEDBACK_FIELDS = (
    "place_id",
    "product_id",
    "defect_id",
    "problem_type",
    "quantity",
    "description",
    "suspect_area",
    "interim_measure",
    "breakpoint_note",
    "talk_result",
    "photo_ids",
)


def make_jpeg(color=(200, 30, 30), size=(64, 48)):
    """Return the bytes of a small photo."""
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "JPEG")
    return stream.getvalue()


class _Mailbox:
    """What an SMTP server does with the mails that come: keep or refuse them."""

    def __init__(self):
        self.mails = []
        # {address: answer}, such as "550 No such user"
        self.refused = {}

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if answer := self.refused.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((tuple(envelope.rcpt_tos), mail))
        return "250 OK"


class SmtpCatcher:
    """Mixin: mails leave by SMTP and arrive in ``self.mailbox``.

    Odoo sends nothing while a test runs; that is switched off here.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        cls.mailbox = _Mailbox()
        server = Controller(cls.mailbox, hostname="127.0.0.1", port=port)
        server.start()
        cls.addClassCleanup(server.stop)
        servers = cls.env["ir.mail_server"]
        cls.startClassPatcher(
            patch.object(type(servers), "_disable_send", lambda *_args: False)
        )
        servers.search([]).active = False
        servers.create({"name": "Catcher", "smtp_host": "127.0.0.1", "smtp_port": port})

    def setUp(self):
        super().setUp()
        self.mailbox.mails.clear()
        self.mailbox.refused.clear()

    def _send_mails(self):
        """Run the job that mails events, then the one that empties the queue."""
        self._run_cron(CRON_EVENTS)
        self._run_cron("mail.ir_cron_mail_scheduler_action")

    def _get_received(self, *users):
        """Return the mails that came for ``users``, or for anybody."""
        wanted = {user.email for user in users}
        return [
            mail
            for addresses, mail in self.mailbox.mails
            if not wanted or wanted & set(addresses)
        ]

    def _get_addresses(self):
        """Return the receivers of all mails, one entry for each mail to each."""
        return sorted(
            address for addresses, _mail in self.mailbox.mails for address in addresses
        )


class ResidentCommon(BaseCommon):
    @classmethod
    def default_env_context(cls):
        # Tracking, logging and subscribing as in production: a mail too many is
        # what these tests look for.
        return {"no_reset_password": True}

    @classmethod
    def setup_independent_company(cls, **kwargs):
        return cls.env["res.company"].create({"name": "Parts of Suzhou"})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._silence_other_data()
        cls.company_a = cls.company
        cls.company_a.email = "service@parts.example.com"
        cls.company_b = cls.env["res.company"].create({"name": "Parts of Ulm"})
        cls._create_users()
        cls.calendar = cls._create_calendar("Test shift CN", "Asia/Shanghai")
        cls.calendar_de = cls._create_calendar("Test shift DE", "Europe/Berlin")
        cls.customer = cls.env["res.partner"].create(
            {"name": "Test Auto Works", "is_company": True, "lang": "en_US"}
        )
        cls.site = cls._create_site("TSTCN", calendar_id=cls.calendar.id)
        cls.site_de = cls._create_site("TSTDE", calendar_id=cls.calendar_de.id)
        cls.site_b = cls._create_site(
            "TSTCN",
            company_id=cls.company_b.id,
            calendar_id=cls._create_calendar(
                "Test shift B", "Asia/Shanghai", company=cls.company_b
            ).id,
            warehouse_id=False,
        )
        cls._fill_people()
        cls._fill_masters()
        # As at the end of a request: what a test changes is tracked as a change.
        cls.env.cr.flush()
        # The engineers have been told of their postings.
        cls.env["mail.mail"].search([("state", "=", "outgoing")]).cancel()

    @classmethod
    def _silence_other_data(cls):
        """What demo data left to do would only disturb the jobs under test."""
        cls.env.cr.execute("UPDATE resident_event SET state = 'done'")
        cls.env.cr.execute("UPDATE quality_complaint SET next_alert_at = NULL")
        cls.env.cr.execute("UPDATE quality_measure SET next_alert_at = NULL")
        cls.env.cr.execute("UPDATE quality_8d SET next_alert_at = NULL")
        cls.env.invalidate_all()

    @classmethod
    def _create_users(cls):
        def user(login, *groups, company=cls.company_a):
            xml_ids = [GROUP + group for group in groups] or ["base.group_user"]
            return new_test_user(
                cls.env,
                login=login,
                name=f"Test {login.replace('_', ' ').title()}",
                email=f"{login}@ours.example.com",
                groups=",".join(xml_ids),
                company_id=company.id,
                tz="UTC",
                context={"no_reset_password": True},
            )

        cls.resident = user("resident", "resident")
        cls.resident_de = user("resident_de", "resident")
        cls.standin = user("standin", "resident")
        cls.quality = user("quality", "quality")
        cls.quality_de = user("quality_de", "quality")
        cls.sales = user("sales", "sales")
        cls.manager = user("manager", "manager")
        cls.gm = user("gm", "gm")
        cls.outsider = user("outsider")
        cls.manager_b = user("manager_b", "manager", company=cls.company_b)
        cls.resident_b = user("resident_b", "resident", company=cls.company_b)
        cls.gm_b = user("gm_b", "gm", company=cls.company_b)
        cls.admin = user("admin_a", "manager")
        cls.admin.group_ids += cls.env.ref("base.group_system")
        cls.root = cls.env.ref("base.user_root")

    @classmethod
    def _fill_people(cls):
        own = {"sales_user_ids": cls.sales.ids, "quality_user_ids": cls.quality.ids}
        cls.site.write({"manager_id": cls.manager.id, **own})
        cls.site_de.write(
            {"manager_id": cls.manager.id, "quality_user_ids": cls.quality_de.ids}
        )
        cls.site_b.manager_id = cls.manager_b
        cls.posting = cls._create_posting(cls.site, cls.resident)
        cls.posting_standin = cls._create_posting(cls.site, cls.standin, role="standin")
        cls.posting_de = cls._create_posting(cls.site_de, cls.resident_de)
        cls.posting_b = cls._create_posting(cls.site_b, cls.resident_b)

    @classmethod
    def _fill_masters(cls):
        cls.product, cls.product_2 = cls.env["product.product"].create(
            [
                {"name": name, "is_storable": True, "default_code": code}
                for name, code in (
                    ("Test seal", "TST-SEAL"),
                    ("Test wiper", "TST-WIPER"),
                )
            ]
        )
        cls.defect, cls.defect_2 = cls.env["quality.defect"].create(
            [
                {"code": "TST-1", "name": "Test scratch"},
                {"code": "TST-2", "name": "Test burr"},
            ]
        )
        cls.place, cls.place_de, cls.place_b = cls.env["resident.place"].create(
            [
                {"site_id": site.id, "name": "Door line", "kind": "station"}
                for site in (cls.site, cls.site_de, cls.site_b)
            ]
        )
        cls.part, cls.part_de, cls.part_b = cls.env["resident.part"].create(
            [
                {
                    "site_id": place.site_id.id,
                    "product_id": cls.product.id,
                    "customer_ref": "6L0 837 911",
                    "drawing_no": "D-4711",
                    "place_id": place.id,
                }
                for place in (cls.place, cls.place_de, cls.place_b)
            ]
        )
        cls.sqe = cls.env["res.partner"].create(
            {"name": "Test Li Wei", "email": "li.wei@north.example.com"}
        )
        cls.contact = cls.env["resident.contact"].create(
            {"site_id": cls.site.id, "partner_id": cls.sqe.id, "role": "sqe"}
        )

    # === FACTORIES === #

    @classmethod
    def _create_calendar(cls, name, tz, hours=((8, 17),), days="01234", company=None):
        return cls.env["resource.calendar"].create(
            {
                "name": name,
                "tz": tz,
                "company_id": (company or cls.company_a).id,
                "attendance_ids": [
                    Command.create(
                        {
                            "name": f"{day} {start}",
                            "dayofweek": day,
                            "hour_from": start,
                            "hour_to": stop,
                            "day_period": "morning",
                        }
                    )
                    for day in days
                    for start, stop in hours
                ],
            }
        )

    @classmethod
    def _create_site(cls, code, **values):
        return cls.env["resident.site"].create(
            {
                "name": f"Plant {code}",
                "code": code,
                "partner_id": cls.customer.id,
                "company_id": cls.company_a.id,
                **values,
            }
        )

    @classmethod
    def _create_posting(cls, site, user, **values):
        return cls.env["resident.posting"].create(
            {
                "site_id": site.id,
                "user_id": user.id,
                "date_from": "2020-01-01",
                **values,
            }
        )

    @classmethod
    def _create_complaint(cls, user=None, **values):
        """Return a new complaint of the resident's, as he enters it on the phone."""
        user = user or cls.resident
        return (
            cls.env["quality.complaint"]
            .with_user(user)
            .create({"site_id": cls.site.id, "product_id": cls.product.id, **values})
        )

    @classmethod
    def _create_photo(cls, user=None, name="photo.jpg", raw=None, **values):
        """Return a photo as the web client uploads it before the first save."""
        return (
            cls.env["ir.attachment"]
            .with_user(user or cls.resident)
            .create(
                {
                    "name": name,
                    "raw": raw or make_jpeg(),
                    "res_model": "quality.complaint",
                    "res_id": 0,
                    **values,
                }
            )
        )

    @classmethod
    def _get_feedback_values(cls, user=None):
        """Return what makes the feedback form complete, photos included."""
        return {
            "defect_id": cls.defect.id,
            "problem_type": "quality",
            "quantity": 3,
            "description": "Scratch on the visible side",
            "suspect_area": "All of lot 7",
            "interim_measure": "Sorted at the line",
            "breakpoint_note": "First good part 0815",
            "talk_result": "SQE agrees to sort",
            "photo_ids": cls._create_photo(user).ids,
        }

    @classmethod
    def _create_complete(cls, user=None, **values):
        """Return a complaint on the spot, with its form filled in."""
        complaint = cls._create_complaint(
            user, **{**cls._get_feedback_values(user), **values}
        )
        complaint.action_arrive()
        return complaint

    @classmethod
    def _create_in_state(cls, state, user=None, **values):
        """Return a complaint brought to ``state`` by the actions, as a user would."""
        complaint = cls._create_complete(user, root_cause="Worn die", **values)
        if state in ("refused", "cancelled"):
            boss = complaint.with_user(cls.manager)
            action = "action_refuse" if state == "refused" else "action_cancel"
            getattr(boss, action)(reason="Entered in error")
            return complaint
        for target, action in (
            ("new", None),
            ("reported", "action_send_feedback"),
            ("contained", "action_contain"),
            ("analysed", "action_analyse"),
            ("verifying", "action_verify"),
            ("closed", "action_close"),
        ):
            if action:
                if action in READY:
                    getattr(cls, READY[action])(complaint)
                getattr(complaint, action)()
            if target == state:
                break
        return complaint

    @classmethod
    def _screen(cls, complaints):
        """Sort every place of the containment: all good, nothing left."""
        complaints.action_open_containment()
        sortings = complaints.inspection_ids.filtered(lambda s: s.state == "ready")
        sortings.filtered(lambda s: not s.is_ours).qty_expected = 4
        complaints.sorting_ids.create(
            [
                {"inspection_id": sorting.id, "qty_good": sorting.qty_left}
                for sorting in sortings
                if sorting.qty_left
            ]
        )
        sortings.action_confirm()

    @classmethod
    def _prove(cls, complaints):
        """Give what closing asks for: a verified measure, a breakpoint that held.

        The tests of breakpoints and measures go the way there.
        """
        cls.env["quality.measure"].with_env(complaints.env)._create_protected(
            [
                {
                    "complaint_id": complaint.id,
                    "kind": "permanent",
                    "name": "New die",
                    "state": "verified",
                }
                for complaint in complaints
            ]
        )
        cls.env["quality.breakpoint"].with_env(complaints.env)._create_protected(
            [
                {"complaint_id": complaint.id, "value": "L8", "state": "holds"}
                for complaint in complaints
            ]
        )

    @classmethod
    def _set_up_stock(cls, site=None):
        """Give ``site`` its stock locations and usual places; nothing lies there."""
        site = site or cls.site
        site.action_set_up()
        return site.buffer_location_id

    @classmethod
    def _create_lot(cls, name, product=None, **values):
        product = product or cls.product
        return cls.env["stock.lot"].create(
            {"name": name, "product_id": product.id, **values}
        )

    @classmethod
    def _put(cls, location, quantity, lot=None, product=None, **values):
        """Let ``quantity`` lie at ``location``."""
        product = product or cls.product
        cls.env["stock.quant"]._update_available_quantity(
            product, location, quantity, lot_id=lot, **values
        )

    def _get_stock(self, location, lot=None, product=None):
        """Return what lies at ``location``, as the database knows it."""
        self.env.flush_all()
        quants = self.env["stock.quant"].search(
            [
                ("location_id", "=", location.id),
                ("product_id", "=", (product or self.product).id),
                *([("lot_id", "=", lot.id)] if lot else []),
            ]
        )
        return sum(quants.mapped("quantity"))

    # === HELPERS === #

    @contextmanager
    def _at(self, moment):
        """Let it be ``moment`` (UTC) for Python and for the cursor."""
        moment = fields.Datetime.to_datetime(moment)
        with (
            freeze_time(moment),
            patch("odoo.sql_db.BaseCursor.now", lambda _cursor: moment),
        ):
            yield moment

    def _run_cron(self, xml_id):
        """Run a scheduled action by the scheduler's own code."""
        # An HttpCase is in that mode from the start, and says so as a warning.
        mode = (
            nullcontext() if self._registry_patched else self.enter_registry_test_mode()
        )
        with mode:
            self.env.ref(xml_id).method_direct_trigger()
        self.env.invalidate_all()

    def _get_events(self, records, kind=None):
        domain = [("res_model", "=", records._name), ("res_id", "in", records.ids)]
        if kind:
            domain.append(("kind", "=", kind))
        return self.env["resident.event"].search(domain, order="id")

    def _get_mails(self, records):
        """Return the mails queued about ``records``."""
        return self.env["mail.mail"].search(
            [("model", "=", records._name), ("res_id", "in", records.ids)], order="id"
        )

    @contextmanager
    def _rolled_back(self):
        """Undo what happens inside, so that one fixture serves many cases."""
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            try:
                yield
            finally:
                savepoint.rollback()
                self.env.invalidate_all()

    @contextmanager
    def _assert_refused(self, *words, error=UserError):
        """Expect a refusal that says ``words``, and undo what it left behind."""
        with self.assertRaises(error) as refusal:
            yield
        for word in words:
            self.assertIn(word, str(refusal.exception))

    @staticmethod
    def _later(moment, **delta):
        return fields.Datetime.to_datetime(moment) + timedelta(**delta)
