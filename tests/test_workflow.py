import ast
from contextlib import contextmanager

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged

from .common import READY, ResidentCommon

STATES = (
    "new",
    "reported",
    "contained",
    "analysed",
    "verifying",
    "closed",
    "refused",
    "cancelled",
)
REASON = {"action_refuse", "action_cancel", "action_reopen"}
# The workflow as spec.md tells it: (state, action) -> next state. What is not here is
# refused; a second click on a form that has been sent is none.
EVERYBODY = {
    ("reported", "action_send_revision"): "reported",
    ("contained", "action_send_revision"): "contained",
    ("analysed", "action_send_revision"): "analysed",
    ("verifying", "action_send_revision"): "verifying",
    ("new", "action_send_feedback"): "reported",
    ("reported", "action_send_feedback"): "reported",
    ("contained", "action_send_feedback"): "contained",
    ("analysed", "action_send_feedback"): "analysed",
    ("verifying", "action_send_feedback"): "verifying",
    ("reported", "action_contain"): "contained",
    ("contained", "action_analyse"): "analysed",
    ("analysed", "action_verify"): "verifying",
    ("verifying", "action_close"): "closed",
}
MANAGER_ONLY = {
    ("new", "action_refuse"): "refused",
    ("reported", "action_refuse"): "refused",
    ("contained", "action_refuse"): "refused",
    ("new", "action_cancel"): "cancelled",
    ("reported", "action_cancel"): "cancelled",
    ("contained", "action_cancel"): "cancelled",
    ("analysed", "action_cancel"): "cancelled",
    ("verifying", "action_cancel"): "cancelled",
    ("closed", "action_reopen"): "reported",
    ("refused", "action_reopen"): "new",
    ("cancelled", "action_reopen"): "new",
}
ACTIONS = (
    "action_send_feedback",
    "action_send_revision",
    "action_contain",
    "action_analyse",
    "action_verify",
    "action_close",
    *sorted(REASON),
)
# Every field that only actions and clocks may set, with a value a client could send.
PROTECTED = {
    "name": "QC/MINE",
    "closing_reason": "Forged",
    "state": "closed",
    "arrived_at": "2020-01-01 00:00:00",
    "arrival_deadline": "2030-01-01 00:00:00",
    "arrival_status": "excused",
    "arrival_alert": 3,
    "feedback_deadline": "2030-01-01 00:00:00",
    "feedback_sent_at": "2020-01-01 00:00:00",
    "feedback_status": "on_time",
    "feedback_alert": 3,
    "feedback_revision": 9,
    "due_deadline": "2030-01-01 00:00:00",
    "due_alert": 3,
    "closed_at": "2020-01-01 00:00:00",
    "containment_opened_at": "2020-01-01 00:00:00",
    "containment_revision": 9,
    "next_alert_at": "2030-01-01 00:00:00",
}
GATE = "quality_workflow_gate"
FORGED = (True, 1, "True", "<object object>", {}, {"gate": True}, [GATE], object())


@tagged("post_install", "-at_install")
class TestWorkflow(ResidentCommon):
    def _call(self, complaint, action):
        kwargs = {"reason": "Because"} if action in REASON else {}
        return getattr(complaint, action)(**kwargs)

    def _get_outcome(self, complaint, action):
        """Return the state that ``action`` leads to, or the type of its refusal."""
        with self._rolled_back():
            try:
                self._call(complaint, action)
            except UserError as error:
                return type(error)
            return complaint.state

    def _create_ready(self, state):
        """Return a complaint in ``state`` that lacks nothing for the next one."""
        complaint = self._create_in_state(state)
        for action, prepare in READY.items():
            if (state, action) in EVERYBODY:
                getattr(self, prepare)(complaint)
        return complaint

    # === TRANSITIONS === #

    def test_resident_moves(self):
        for state in STATES:
            complaint = self._create_ready(state)
            for action in ACTIONS:
                if (state, action) in MANAGER_ONLY:
                    expected = AccessError
                else:
                    expected = EVERYBODY.get((state, action), UserError)
                with self.subTest(state=state, action=action):
                    self.assertEqual(self._get_outcome(complaint, action), expected)

    def test_manager_moves(self):
        allowed = {**EVERYBODY, **MANAGER_ONLY}
        for state in STATES:
            complaint = self._create_ready(state).with_user(self.manager)
            for action in ACTIONS:
                with self.subTest(state=state, action=action):
                    self.assertEqual(
                        self._get_outcome(complaint, action),
                        allowed.get((state, action), UserError),
                    )

    def test_readers_move_nothing(self):
        complaint = self._create_in_state("reported")
        for user in (self.quality, self.sales, self.gm, self.outsider):
            for action in (*ACTIONS, "action_arrive"):
                with self.subTest(user=user.login, action=action):
                    self.assertEqual(
                        self._get_outcome(complaint.with_user(user), action),
                        AccessError,
                    )

    def test_other_sites_move_nothing(self):
        complaint = self._create_in_state("reported")
        for user in (self.resident_de, self.manager_b, self.resident_b):
            for action in (*ACTIONS, "action_arrive"):
                with self.subTest(user=user.login, action=action):
                    self.assertEqual(
                        self._get_outcome(complaint.with_user(user), action),
                        AccessError,
                    )
        self.assertEqual(complaint.state, "reported")

    def test_own_and_other_site_together(self):
        own = self._create_in_state("reported")
        other = self._create_in_state(
            "reported", user=self.resident_de, site_id=self.site_de.id
        )
        with self.assertRaises(AccessError):
            (own + other.with_user(self.resident)).action_contain()
        self.assertEqual((own + other).sudo().mapped("state"), ["reported"] * 2)

    def test_two_records_at_once(self):
        both = self._create_complete() + self._create_complete()
        for action, state in (
            ("action_send_feedback", "reported"),
            ("action_contain", "contained"),
        ):
            if action == "action_contain":
                self._screen(both)
            getattr(both, action)()
            self.assertEqual(both.mapped("state"), [state, state])
        both.root_cause = "Worn die"
        both.action_analyse()
        both.action_verify()
        self._prove(both)
        both.action_close()
        self.assertEqual(both.mapped("state"), ["closed", "closed"])
        self.assertTrue(all(both.mapped("closed_at")))
        boss = both.with_user(self.manager)
        boss.action_reopen(reason="Not proven")
        self.assertEqual(both.mapped("state"), ["reported", "reported"])
        self.assertFalse(any(both.mapped("closed_at")))
        boss.action_cancel(reason="Twice")
        self.assertEqual(both.mapped("state"), ["cancelled", "cancelled"])
        self.assertEqual(both.mapped("closing_reason"), ["Twice", "Twice"])

    def test_one_of_two_cannot_move(self):
        ready, early = self._create_ready("reported"), self._create_complete()
        with self._assert_refused(early.name):
            (ready + early).action_contain()
        self.assertEqual(ready.state, "reported")

    def test_arrive_on_finished(self):
        complaint = self._create_complaint()
        complaint.with_user(self.manager).action_cancel(reason="Wrong number")
        with self._assert_refused(complaint.name):
            complaint.action_arrive()
        self.assertFalse(complaint.arrived_at)

    def test_arrive_twice_keeps_the_first(self):
        complaint = self._create_complaint(called_at="2026-03-10 01:00:00")
        with self._at("2026-03-10 01:04:00") as first:
            complaint.action_arrive()
        with self._at("2026-03-10 02:00:00"):
            complaint.action_arrive()
        self.assertEqual(complaint.arrived_at, first)

    def test_analyse_needs_the_cause(self):
        complaint = self._create_in_state("contained")
        complaint.root_cause = "  "
        label = complaint._fields["root_cause"].string
        with self._assert_refused(label):
            complaint.action_analyse()
        self.assertEqual(complaint.state, "contained")

    def test_next_states_follow_the_user(self):
        complaint = self._create_in_state("reported")
        self.assertEqual(complaint.next_states, "contained")
        self.assertEqual(
            set(complaint.with_user(self.manager).next_states.split(",")),
            {"contained", "refused", "cancelled"},
        )

    # === REASONS === #

    def test_reason_needed(self):
        complaint = self._create_in_state("reported").with_user(self.manager)
        for reason in (None, "", "  \n"):
            for action in ("action_refuse", "action_cancel"):
                with (
                    self.subTest(action=action, reason=reason),
                    self._assert_refused(complaint.name),
                ):
                    getattr(complaint, action)(reason=reason)
        self.assertEqual(complaint.state, "reported")
        closed = self._create_in_state("closed").with_user(self.manager)
        with self.assertRaises(UserError):
            closed.action_reopen()
        self.assertEqual(closed.state, "closed")

    def test_reason_is_kept_and_logged(self):
        complaint = self._create_in_state("reported").with_user(self.manager)
        complaint.action_refuse(reason="Not <b>our</b> part")
        self.assertEqual(complaint.closing_reason, "Not <b>our</b> part")
        logged = complaint.message_ids.mapped("body")
        self.assertTrue(any("Not &lt;b&gt;our&lt;/b&gt; part" in b for b in logged))

    def test_reopened_where_the_form_left_it(self):
        unsent = self._create_in_state("cancelled")
        sent = self._create_in_state("contained")
        sent.with_user(self.manager).action_cancel(reason="Wrong")
        both = (unsent + sent).with_user(self.manager)
        both.action_reopen(reason="Right after all")
        self.assertEqual(both.mapped("state"), ["new", "reported"])

    def _open_dialogue(self, user, records, action, reason="Because"):
        return (
            self.env["quality.reason"]
            .with_user(user)
            .with_context(
                active_model=records._name,
                active_ids=records.ids,
                reason_action=action,
            )
            .create({"reason": reason})
        )

    def test_dialogue(self):
        both = self._create_complete() + self._create_complete()
        self._open_dialogue(self.manager, both, "action_cancel").action_apply()
        self.assertEqual(both.mapped("state"), ["cancelled", "cancelled"])
        self.assertEqual(both.mapped("closing_reason"), ["Because", "Because"])

    def test_calendar_says_what_it_is_about(self):
        complaints = self._create_complaint(defect_id=self.defect.id)
        complaints += self._create_complaint(product_id=False)
        view = self.env.ref("quality_resident.quality_complaint_view_calendar")
        field = etree.fromstring(view.arch).get("create_name_field")
        names = complaints.mapped("name")
        self.assertEqual(
            [row[field] for row in complaints.read([field])],
            [f"Test seal · Test scratch · {names[0]}", names[1]],
        )

    def test_dialogue_is_named_after_what_it_does(self):
        actions = self.env["ir.actions.act_window"].search(
            [("res_model", "=", "quality.reason")]
        )
        by_id = {str(action.id): action for action in actions}
        found = {}
        for view in self.env["ir.ui.view"].search([("type", "=", "form")]):
            for button in etree.fromstring(view.arch).iter("button"):
                action = by_id.get(button.get("name"))
                if action and button.get("type") == "action":
                    method = ast.literal_eval(action.context)["reason_action"]
                    self.assertIn(method, self.env[view.model]._reason_actions)
                    found[action] = action.name
        self.assertEqual(set(found), set(actions))
        self.assertEqual(len(set(found.values())), len(actions), "each its own title")
        cancel = self.env.ref("quality_resident.quality_reason_action_cancel")
        self.assertEqual(found[cancel], "Cancel Complaint")

    def test_dialogue_calls_nothing_else(self):
        complaint = self._create_complaint()
        for action in (
            "unlink",
            "write",
            "action_close",
            "_write_protected",
            "_move_with_reason",
            "",
            False,
        ):
            dialogue = self._open_dialogue(self.manager, complaint, action)
            with self.subTest(action=action), self.assertRaises(UserError):
                dialogue.action_apply()
        self.assertEqual(complaint.exists().state, "new")
        dialogue = self._open_dialogue(self.manager, self.outsider, "action_cancel")
        with self.assertRaises(UserError):
            dialogue.action_apply()
        bare = self.env["quality.reason"].with_user(self.manager)
        with self.assertRaises(UserError):
            bare.create({"reason": "Because"}).action_apply()

    def test_dialogue_gives_no_right(self):
        complaint = self._create_complaint()
        for user in (self.resident, self.manager_b):
            dialogue = self._open_dialogue(user, complaint, "action_cancel")
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                dialogue.action_apply()
        self.assertEqual(complaint.state, "new")

    # === PROTECTED FIELDS === #

    def _create_eightd(self, complaint):
        complaint.action_create_8d()
        return complaint.eightd_id

    def _get_protected(self):
        earlier = self._create_in_state("closed")
        return {
            **PROTECTED,
            "recurrence_of_id": earlier.id,
            "eightd_id": self._create_eightd(earlier).id,
            "origin_complaint_id": earlier.id,
            "company_id": self.company_b.id,
            "partner_id": self.sqe.id,
        }

    def _get_people(self):
        """Everybody who may write at all, up to the superuser."""
        return self.resident, self.manager, self.admin, self.root

    @contextmanager
    def _assert_guarded(self):
        """The workflow refuses, not a missing right to write at all."""
        with self.assertRaises(UserError) as refusal:
            yield
        self.assertIs(type(refusal.exception), UserError)

    def test_table_covers_the_model(self):
        model = self.env["quality.complaint"]
        self.assertEqual(set(self._get_protected()), model._get_protected_fields())

    def test_write_refused(self):
        complaint = self._create_in_state("reported")
        protected = self._get_protected()
        before = complaint.read(list(protected))
        for user in self._get_people():
            record = complaint.with_user(user)
            for name, value in protected.items():
                with self.subTest(user=user.login, field=name), self._assert_guarded():
                    record.write({name: value})
        for user in (self.quality, self.sales, self.gm, self.outsider):
            with self.subTest(user=user.login), self.assertRaises(UserError):
                complaint.with_user(user).write({"state": "closed"})
        self.assertEqual(complaint.read(list(protected)), before)

    def test_sudo_write_refused(self):
        complaint = self._create_in_state("reported").sudo()
        for name, value in self._get_protected().items():
            with self.subTest(field=name), self.assertRaises(UserError):
                complaint.write({name: value})
            with self.subTest(field=name), self.assertRaises(UserError):
                complaint[name] = value

    def test_refusal_names_the_field(self):
        complaint = self._create_complaint()
        label = complaint._fields["feedback_sent_at"].string
        with self._assert_refused(label):
            complaint.write({"description": "x", "feedback_sent_at": "2020-01-01"})
        self.assertFalse(complaint.description)

    def test_create_refused(self):
        for user in self._get_people():
            for name, value in self._get_protected().items():
                with self.subTest(user=user.login, field=name), self._assert_guarded():
                    self._create_complaint(user, **{name: value})

    def test_create_with_the_default_state(self):
        # A client sends every field of its form, the read-only ones too.
        complaint = self._create_complaint(state="new", arrived_at=False)
        self.assertEqual(complaint.state, "new")

    def test_default_context_ignored(self):
        protected = self._get_protected()
        plain = self._create_complaint(called_at="2026-03-10 01:00:00")
        for user in self._get_people():
            context = {f"default_{name}": value for name, value in protected.items()}
            forged = (
                self.env["quality.complaint"]
                .with_user(user)
                .with_context(**context)
                .create(
                    {
                        "site_id": self.site.id,
                        "product_id": self.product.id,
                        "called_at": "2026-03-10 01:00:00",
                    }
                )
            )
            with self.subTest(user=user.login):
                self.assertNotEqual(forged.name, protected["name"])
                self.assertEqual(
                    {name: forged[name] for name in protected if name != "name"},
                    {name: plain[name] for name in protected if name != "name"},
                )

    def test_import_refused(self):
        model = self.env["quality.complaint"].with_user(self.resident)
        complaint = self._create_complaint()
        for name, value in PROTECTED.items():
            value = str(value)
            with self.subTest(field=name, way="new record"):
                result = model.load(
                    ["site_id/.id", "product_id/.id", name],
                    [[str(self.site.id), str(self.product.id), value]],
                )
                self.assertFalse(result["ids"])
                self.assertTrue(result["messages"])
            with self.subTest(field=name, way="same record"):
                result = model.load([".id", name], [[str(complaint.id), value]])
                self.assertFalse(result["ids"])
                self.assertTrue(result["messages"])
        self.assertEqual(complaint.state, "new")

    def test_forged_gate(self):
        complaint = self._create_complaint()
        for forged in FORGED:
            model = complaint.with_context(**{GATE: forged})
            with self.subTest(forged=forged):
                with self._assert_guarded():
                    model.write({"state": "closed"})
                with self._assert_guarded():
                    model.create({"site_id": self.site.id, "state": "closed"})
        self.assertEqual(complaint.state, "new")

    def test_rpc_reaches_no_private_method(self):
        complaint = self._create_complaint()
        for method, args in (
            ("_write_protected", [{"state": "closed"}]),
            ("_create_protected", [[{"site_id": self.site.id, "state": "closed"}]]),
            ("_move_to", ["closed"]),
            ("_move_with_reason", ["refused", "Because"]),
            ("_emit_event", ["late"]),
            ("_raise_clock_alerts", []),
        ):
            with self.subTest(method=method), self.assertRaises(AccessError):
                call_kw(complaint, method, [complaint.ids, *args], {})
        with self.assertRaises(UserError):
            call_kw(
                complaint,
                "write",
                [complaint.ids, {"state": "closed"}],
                {"context": {GATE: True}},
            )
        with self.assertRaises(UserError):
            call_kw(
                complaint,
                "web_save",
                [complaint.ids, {"state": "closed"}],
                {"specification": {"state": {}}},
            )
        self.assertEqual(complaint.state, "new")

    def test_no_way_through_the_part(self):
        complaint = self._create_complaint()
        part = self.part.with_user(self.resident)
        self.assertEqual(complaint.part_id, part)
        with self.assertRaises(UserError):
            part.complaint_ids = [Command.update(complaint.id, {"state": "closed"})]
        with self.assertRaises(UserError):
            part.complaint_ids = [
                Command.create({"site_id": self.site.id, "state": "closed"})
            ]

    def test_company_of_the_site_may_be_named(self):
        """Other software names a company with every record it makes."""
        complaint = self._create_complaint(company_id=self.company_a.id)
        self.assertEqual(complaint.company_id, self.company_a)

    def test_defaults_of_a_user_ignored(self):
        for name, value in (("state", "closed"), ("feedback_revision", 7)):
            self.env["ir.default"].set("quality.complaint", name, value)
        complaint = self._create_complaint()
        self.assertEqual((complaint.state, complaint.feedback_revision), ("new", 0))

    # === DELETE AND COPY === #

    def test_unlink(self):
        complaint = self._create_complaint()
        for user in (self.resident, self.quality, self.sales, self.gm, self.outsider):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                complaint.with_user(user).unlink()
        complaint.with_user(self.manager).unlink()
        self.assertFalse(complaint.exists())

    def test_unlink_after_reporting(self):
        draft = self._create_complaint()
        for state in STATES[1:]:
            complaint = self._create_in_state(state)
            for user in (self.manager, self.root):
                with (
                    self.subTest(state=state, user=user.login),
                    self._assert_refused(complaint.name),
                ):
                    (complaint + draft).with_user(user).unlink()
        self.assertTrue(draft.exists())

    def test_copy_is_a_clean_draft(self):
        lot = self.env["stock.lot"].create(
            {"name": "L7", "product_id": self.product.id}
        )
        complaint = self._create_in_state(
            "closed",
            lot_ids=lot.ids,
            customer_due_date="2099-04-01",
            late_reason="Traffic",
        )
        complaint.with_user(self.manager).action_reopen(reason="Not proven")
        duplicate = complaint.copy()
        self.assertRecordValues(
            duplicate,
            [
                {
                    "state": "new",
                    "arrived_at": False,
                    "arrival_status": "pending",
                    "late_reason": False,
                    "feedback_sent_at": False,
                    "feedback_revision": 0,
                    "customer_due_date": False,
                    "closed_at": False,
                    "root_cause": False,
                    "closing_reason": False,
                    "photo_ids": [],
                    "lot_ids": [],
                    "site_id": self.site.id,
                    "product_id": self.product.id,
                    "defect_id": self.defect.id,
                    "description": complaint.description,
                }
            ],
        )
        self.assertNotEqual(duplicate.name, complaint.name)
        with self.assertRaises(UserError):
            complaint.copy({"state": "closed"})

    # === NUMBERS === #

    def test_numbers_are_distinct(self):
        many = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .create([{"site_id": self.site.id} for _number in range(12)])
        )
        names = many.mapped("name")
        self.assertEqual(len(set(names)), 12)
        self.assertEqual(names, sorted(names))

    def test_company_has_its_own_numbers(self):
        self.env["ir.sequence"].create(
            {
                "name": "Complaints of B",
                "code": "quality.complaint",
                "prefix": "B-",
                "padding": 3,
                "company_id": self.company_b.id,
            }
        )
        ours = self._create_complaint()
        theirs = self._create_complaint(self.resident_b, site_id=self.site_b.id)
        self.assertEqual(theirs.name, "B-001")
        self.assertFalse(ours.name.startswith("B-"))
