from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import FEEDBACK_FIELDS, ResidentCommon

NASTY = (
    '=HYPERLINK("http://evil.example.com","x")\n<script>alert(1)</script> & "quotes" '
    "{{ object.name }} ${object.name} %(name)s \\n 断点 𠮷 \t end"
)


@tagged("post_install", "-at_install")
class TestFeedback(ResidentCommon):
    def _get_label(self, complaint, name):
        return complaint._fields[name]._description_string(complaint.env)

    def _get_gaps(self, complaints, action="action_send_feedback"):
        """Return the lines of the refusal that name a gap."""
        with self.assertRaises(UserError) as refusal:
            getattr(complaints, action)()
        lines = str(refusal.exception).splitlines()
        return [line.strip(" –") for line in lines if line.startswith(" –")]

    def test_complete(self):
        complaint = self._create_complete()
        complaint.action_send_feedback()
        self.assertRecordValues(
            complaint,
            [
                {
                    "state": "reported",
                    "feedback_status": "on_time",
                    "feedback_revision": 1,
                }
            ],
        )
        self.assertEqual(self._get_events(complaint, "feedback").mapped("key"), ["r1"])

    def test_each_missing_field_is_named(self):
        complaint = self._create_complete()
        for name in FEEDBACK_FIELDS:
            with self.subTest(field=name), self._rolled_back():
                if name == "product_id":
                    complaint.part_id = False
                complaint[name] = False
                expected = [self._get_label(complaint, name)]
                self.assertEqual(self._get_gaps(complaint), expected)
                self.assertRecordValues(
                    complaint,
                    [
                        {
                            "state": "new",
                            "feedback_sent_at": False,
                            "feedback_revision": 0,
                            "arrival_status": "on_time",
                        }
                    ],
                )
                self.assertFalse(self._get_events(complaint, "feedback"))

    def test_all_missing_fields_are_named_at_once(self):
        complaint = self._create_complaint(
            product_id=False, called_at="2026-03-10 01:00:00"
        )
        gaps = self._get_gaps(complaint)
        labels = [self._get_label(complaint, name) for name in FEEDBACK_FIELDS]
        self.assertEqual(gaps[1:], labels)
        self.assertIn(self._get_label(complaint, "arrived_at"), gaps[0])

    def test_labels_are_the_user_s(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        field = self.env["ir.model.fields"]._get("quality.complaint", "suspect_area")
        field.with_context(lang="zh_CN").field_description = "可疑范围"
        self.resident.lang = "zh_CN"
        complaint = self._create_complete(suspect_area=False)
        complaint = complaint.with_context(lang="zh_CN")
        self.assertEqual(self._get_gaps(complaint), ["可疑范围"])

    def test_blanks_do_not_count(self):
        complaint = self._create_complete(description=" \n\t ", quantity=0)
        self.assertEqual(
            self._get_gaps(complaint),
            [self._get_label(complaint, name) for name in ("quantity", "description")],
        )

    def test_not_arrived(self):
        complaint = self._create_complaint(**self._get_feedback_values())
        gaps = self._get_gaps(complaint)
        self.assertEqual(len(gaps), 1)
        self.assertIn(self._get_label(complaint, "arrived_at"), gaps[0])

    def test_line_stop_needs_its_reason(self):
        complaint = self._create_complete(line_stop_minutes=12)
        self.assertEqual(
            self._get_gaps(complaint), [self._get_label(complaint, "line_stop_reason")]
        )
        complaint.line_stop_reason = "No parts"
        complaint.action_send_feedback()
        self.assertEqual(complaint.state, "reported")

    def test_one_incomplete_holds_both_back(self):
        ready = self._create_complete()
        gappy = self._create_complete(talk_result=False)
        with self.assertRaises(UserError) as refusal:
            (ready + gappy).action_send_feedback()
        self.assertIn(gappy.name, str(refusal.exception))
        self.assertNotIn(ready.name, str(refusal.exception))
        self.assertEqual((ready + gappy).mapped("state"), ["new", "new"])
        self.assertFalse(any((ready + gappy).mapped("feedback_sent_at")))
        self.assertFalse(self._get_events(ready + gappy, "feedback"))
        gappy.talk_result = "Agreed"
        (ready + gappy).action_send_feedback()
        self.assertEqual(len(self._get_events(ready + gappy, "feedback")), 2)

    def test_one_finished_holds_both_back(self):
        ready = self._create_complete()
        closed = self._create_in_state("closed")
        with self._assert_refused(closed.name):
            (ready + closed).action_send_feedback()
        self.assertFalse(ready.feedback_sent_at)
        self.assertEqual(closed.feedback_revision, 1)

    def test_second_click_sends_nothing(self):
        with self._at("2026-03-10 01:00:00"):
            complaint = self._create_complete(called_at="2026-03-10 01:00:00")
        with self._at("2026-03-10 01:10:00") as first:
            complaint.action_send_feedback()
        with self._at("2026-03-10 01:40:00"):
            complaint.action_send_feedback()
        self.assertRecordValues(
            complaint,
            [
                {
                    "feedback_revision": 1,
                    "feedback_sent_at": first,
                    "feedback_status": "on_time",
                }
            ],
        )
        self.assertEqual(self._get_events(complaint, "feedback").mapped("key"), ["r1"])

    def test_next_revision(self):
        with self._at("2026-03-10 01:00:00"):
            complaint = self._create_complete(called_at="2026-03-10 01:00:00")
        with self._at("2026-03-10 01:10:00") as first:
            complaint.action_send_feedback()
        with self._at("2026-03-10 09:00:00"):
            complaint.quantity = 40
            complaint.action_send_revision()
        self.assertRecordValues(
            complaint,
            [
                {
                    "state": "reported",
                    "feedback_revision": 2,
                    "feedback_sent_at": first,
                    "feedback_status": "on_time",
                }
            ],
        )
        self.assertEqual(
            self._get_events(complaint, "feedback").mapped("key"), ["r1", "r2"]
        )
        self.assertFalse(self._get_events(complaint, "late"))

    def test_revision_is_complete_too(self):
        complaint = self._create_in_state("reported")
        complaint.talk_result = False
        self.assertEqual(
            self._get_gaps(complaint, "action_send_revision"),
            [self._get_label(complaint, "talk_result")],
        )
        self.assertEqual(complaint.feedback_revision, 1)

    def test_revisions_of_two(self):
        first, second = self._create_complete(), self._create_complete()
        first.action_send_feedback()
        both = first + second
        with self._assert_refused(second.name):
            both.action_send_revision()
        self.assertEqual(both.mapped("feedback_revision"), [1, 0])
        both.action_send_feedback()
        self.assertEqual(both.mapped("feedback_revision"), [1, 1])
        first.action_send_revision()
        both.action_send_revision()
        self.assertEqual(both.mapped("feedback_revision"), [3, 2])
        self.assertEqual(
            sorted(self._get_events(both, "feedback").mapped("key")),
            ["r1", "r1", "r2", "r2", "r3"],
        )

    def test_long_and_hostile_text_is_kept_word_for_word(self):
        text = (NASTY * 200)[:10000]
        self.assertEqual(len(text), 10000)
        complaint = self._create_complete(description=text)
        complaint.action_send_feedback()
        complaint.invalidate_recordset()
        self.assertEqual(complaint.description, text)

    def test_imported_text_is_kept_word_for_word(self):
        model = self.env["quality.complaint"].with_user(self.resident)
        result = model.load(
            ["site_id", "description"], [[self.site.name, NASTY], [self.site.name, "x"]]
        )
        self.assertFalse(result["messages"])
        complaints = model.browse(result["ids"])
        self.assertEqual(complaints.mapped("description"), [NASTY, "x"])
        self.assertEqual(complaints.site_id, self.site)

    # === WHAT IS FILLED IN BY ITSELF === #

    def test_site_of_the_posting_is_the_default(self):
        model = self.env["quality.complaint"]
        for user, site in (
            (self.resident, self.site),
            (self.resident_de, self.site_de),
            (self.resident_b, self.site_b),
            (self.manager, self.env["resident.site"]),
        ):
            with self.subTest(user=user.login):
                values = model.with_user(user).default_get(["site_id"])
                self.assertEqual(values.get("site_id", False), site.id)

    def test_part_fills_product_and_place(self):
        complaint = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .create({"site_id": self.site.id, "part_id": self.part.id})
        )
        self.assertEqual(complaint.product_id, self.product)
        self.assertEqual(complaint.place_id, self.place)
        self.assertEqual(complaint.drawing_no, "D-4711")

    def test_product_finds_its_part(self):
        both = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .create(
                [
                    {"site_id": self.site.id, "product_id": self.product.id},
                    {"site_id": self.site.id, "product_id": self.product_2.id},
                ]
            )
        )
        self.assertEqual(both[0].part_id, self.part)
        self.assertEqual(both[0].place_id, self.place)
        self.assertFalse(both[1].part_id)
        self.assertEqual(both[1].product_id, self.product_2)

    def test_masters_of_another_site_are_refused(self):
        complaint = self._create_complaint(product_id=False)
        boss = complaint.with_user(self.manager)
        contact_de = self.env["resident.contact"].create(
            {"site_id": self.site_de.id, "partner_id": self.sqe.id}
        )
        for name, master in (
            ("part_id", self.part_de),
            ("place_id", self.place_de),
            ("contact_id", contact_de),
        ):
            label = self._get_label(complaint, name)
            with (
                self.subTest(field=name),
                self._assert_refused(label),
            ):
                boss[name] = master
        with self._assert_refused(self.product_2.name):
            boss.write({"part_id": self.part.id, "product_id": self.product_2.id})

    # === PHOTOS === #

    def test_photos_belong_to_the_complaint(self):
        photo, later = self._create_photo(), self._create_photo(name="later.jpg")
        complaint = self._create_complaint(photo_ids=photo.ids)
        complaint.photo_ids = [Command.link(later.id)]
        self.assertEqual((photo + later).mapped("res_id"), [complaint.id] * 2)
        self.assertEqual(
            set((photo + later).mapped("res_model")), {"quality.complaint"}
        )
        # Who may read the complaint may see its photos; nobody else.
        self.assertTrue(photo.with_user(self.quality).raw)
        self.assertFalse(photo.with_user(self.resident_de).has_access("read"))
        self.assertFalse(photo.with_user(self.outsider).has_access("read"))
