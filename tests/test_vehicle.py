from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ResidentCommon
from .test_tours import TourCase

VINS = ("LFV2A21K3P4000001", "LFV2A21K3P4000002", "LFV2A21K3P4000003")
SCANNED = 500
# What core's tracking and logging cost for each vehicle, with room for noise.
SCAN_EACH = 0.1
MOVE_EACH = 2.1


class VehicleCommon(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.complaint = cls._create_in_state("reported")
        cls.env.cr.flush()
        cls._silence_other_data()

    def _create(self, *vins, user=None, **values):
        return (
            self.env["quality.vehicle"]
            .with_user(user or self.resident)
            .create(
                [
                    {"complaint_id": self.complaint.id, "vin": vin, **values}
                    for vin in vins
                ]
            )
        )

    def _scan(self, text, user=None, **values):
        dialogue = self.env["quality.vehicle.scan"].with_user(user or self.resident)
        return (
            dialogue.with_context(active_id=self.complaint.id)
            .create({"vins": text, **values})
            .action_apply()
        )


@tagged("post_install", "-at_install")
class TestVehicle(VehicleCommon):
    # === NUMBERS === #

    def test_vin_is_kept_in_one_form(self):
        vehicle = self._create(" lfv2a21k3 p4000001\n")
        self.assertEqual(vehicle.vin, VINS[0])
        vehicle.vin = VINS[1].lower()
        self.assertEqual(vehicle.vin, VINS[1])

    def test_what_is_no_vin(self):
        for vin in (
            "LFV2A21K3P400000",
            "LFV2A21K3P40000011",
            "IFV2A21K3P4000001",
            "LFV2A21K3P400000O",
            "LFV2A21K3P400000Q",
            "LFV2A21K3P400000-",
            "密封条",
            "",
            False,
        ):
            with self.subTest(vin=vin):
                with self._assert_refused("VIN", error=ValidationError):
                    self._create(vin)
        vehicle = self._create(VINS[0])
        with self._assert_refused("“Body Number”", error=ValidationError):
            vehicle.vin = "B-4711"

    def test_body_number_before_there_is_a_vin(self):
        vehicle = self._create("b-4711", is_body_number=True)
        self.assertRecordValues(vehicle, [{"vin": "B-4711", "is_body_number": True}])
        for number in ("B1", "-47", "47-", "X" * 18, "B 4711;x", ""):
            with self.subTest(number=number):
                with self._assert_refused("no VIN", error=ValidationError):
                    self._create(number, is_body_number=True)
        # The vehicle gets its VIN at the end of the line.
        vehicle.vin = VINS[0]
        self.assertRecordValues(vehicle, [{"vin": VINS[0], "is_body_number": False}])

    def test_once_on_a_complaint(self):
        self._create(VINS[0])
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self._rolled_back(),
        ):
            self._create(VINS[0].lower())
        other = self._create_complaint()
        self._create(VINS[0], complaint_id=other.id)

    def test_what_belongs_to_the_complaint(self):
        lot = self._create_lot("S1", product=self.product_2)
        with self._assert_refused("Test seal", error=ValidationError):
            self._create(VINS[0], lot_id=lot.id)
        with self._assert_refused(self.site_de.name, error=ValidationError):
            self._create(VINS[0], place_id=self.place_de.id)
        self._create(VINS[0], lot_id=self._create_lot("S2").id, place_id=self.place.id)

    def test_photos(self):
        photo = self._create_photo(res_model="quality.vehicle")
        vehicle = self._create(VINS[0], photo_ids=photo.ids)
        self.assertEqual(photo.res_id, vehicle.id)
        self.assertTrue(photo.with_user(self.quality).raw, "who reads it sees it")
        foreign = self._create_photo(self.resident_de)
        elsewhere = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        elsewhere.photo_ids = foreign
        with self.assertRaises(AccessError):
            vehicle.photo_ids = [Command.link(foreign.id)]

    # === SCANNING === #

    def test_scan_with_any_separator(self):
        self._scan(
            f"{VINS[0].lower()}\r\n\t{VINS[1]}；,{VINS[2]};",
            fitted="off_line",
            place_id=self.place.id,
        )
        self.assertRecordValues(
            self.complaint.vehicle_ids.sorted("vin"),
            [
                {
                    "vin": vin,
                    "fitted": "off_line",
                    "place_id": self.place.id,
                    "state": "open",
                    "is_body_number": False,
                    "company_id": self.company_a.id,
                }
                for vin in VINS
            ],
        )

    def test_scan_is_all_or_nothing(self):
        self._create(VINS[0])
        for text, words in (
            (f"{VINS[1]} B-4711 LFVO", ("B-4711, LFVO", "Not a VIN")),
            (f"{VINS[1]} {VINS[1].lower()}", ("Entered twice", VINS[1])),
            (f"{VINS[1]} {VINS[0]}", ("On the complaint already", VINS[0])),
            (" ;, ", ("no number",)),
        ):
            with self.subTest(text=text):
                with self._assert_refused(*words):
                    self._scan(text)
                self.assertEqual(self.complaint.vehicle_ids.mapped("vin"), [VINS[0]])
        with self._assert_refused("(+15)"):
            self._scan(" ".join(f"X{number}" for number in range(25)))

    def test_scan_body_numbers(self):
        self._scan(f"B-4711 {VINS[0]} B-4712", with_body_numbers=True)
        self.assertRecordValues(
            self.complaint.vehicle_ids.sorted("vin"),
            [
                {"vin": "B-4711", "is_body_number": True},
                {"vin": "B-4712", "is_body_number": True},
                {"vin": VINS[0], "is_body_number": False},
            ],
        )

    def test_scan_of_another_site(self):
        elsewhere = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        dialogue = self.env["quality.vehicle.scan"].with_user(self.resident)
        with (
            mute_logger("odoo.addons.base.models.ir_rule"),
            self.assertRaises(AccessError),
        ):
            dialogue.create(
                {"complaint_id": elsewhere.id, "vins": VINS[0]}
            ).action_apply()

    def _count_queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_500_vehicles(self):
        vins = [f"LFV2A21K3P4{number:06}" for number in range(SCANNED + 20)]
        few, many = vins[:20], vins[20:]
        self._scan(" ".join(few[:10]))
        base = self._count_queries(lambda: self._scan(" ".join(few[10:])))
        queries = self._count_queries(lambda: self._scan("\n".join(many)))
        self.assertLessEqual((queries - base) / (len(many) - 10), SCAN_EACH)
        vehicles = self.complaint.vehicle_ids
        first, rest = vehicles[:20], vehicles[20:]
        for action in ("action_repair", "action_verify"):
            base = self._count_queries(lambda a=action: getattr(first, a)())
            queries = self._count_queries(lambda a=action: getattr(rest, a)())
            with self.subTest(action=action):
                growth = (queries - base) / (len(rest) - len(first))
                self.assertLessEqual(growth, MOVE_EACH)
        self.assertEqual(set(vehicles.mapped("state")), {"verified"})

    # === REPAIRED, VERIFIED, FAILED AGAIN === #

    def test_repaired_then_verified(self):
        vehicles = self._create(*VINS)
        with self._at("2026-03-10 04:00:00") as repaired:
            vehicles.action_repair()
        with self._at("2026-03-10 05:00:00") as verified:
            vehicles[:2].with_user(self.standin).action_verify()
        self.assertRecordValues(
            vehicles,
            [
                {
                    "state": "verified",
                    "repaired_at": repaired,
                    "repaired_by_id": self.resident.id,
                    "verified_at": verified,
                    "verified_by_id": self.standin.id,
                }
            ]
            * 2
            + [
                {
                    "state": "repaired",
                    "repaired_at": repaired,
                    "repaired_by_id": self.resident.id,
                    "verified_at": False,
                    "verified_by_id": False,
                }
            ],
        )
        # Pressed again for all of them: who was first stays.
        vehicles.with_user(self.manager).action_repair()
        vehicles.with_user(self.manager).action_verify()
        self.assertEqual(vehicles[0].repaired_by_id, self.resident)
        self.assertEqual(vehicles[0].verified_by_id, self.standin)
        self.assertEqual(vehicles[2].verified_by_id, self.manager)

    def test_not_verified_before_it_is_repaired(self):
        vehicles = self._create(*VINS)
        vehicles[0].action_repair()
        with self._assert_refused(VINS[1], "Verified"):
            vehicles.action_verify()

    def test_fails_again(self):
        vehicles = self._create(*VINS[:2])
        vehicles.action_repair()
        vehicles[0].action_verify()
        for reason in (None, "", "  "):
            with self._assert_refused("“Reason”"):
                vehicles.action_reopen(reason=reason)
        vehicles.action_reopen(reason="Leaks in the shower test")
        self.assertRecordValues(
            vehicles,
            [
                {
                    "state": "open",
                    "repaired_at": False,
                    "verified_by_id": False,
                    "times_failed": 1,
                }
            ]
            * 2,
        )
        for vehicle in vehicles:
            said = "".join(vehicle.message_ids.mapped("body"))
            self.assertIn("Leaks in the shower test", said)
        with self._assert_refused("stays on record"):
            vehicles.unlink()
        vehicles[0].action_repair()
        vehicles[0].action_reopen(reason="Again")
        self.assertEqual(vehicles.mapped("times_failed"), [2, 1])

    def test_reason_dialogue_reopens(self):
        vehicles = self._create(*VINS)
        vehicles.action_repair()
        self.env["quality.reason"].with_user(self.resident).with_context(
            active_model=vehicles._name,
            active_ids=vehicles.ids,
            reason_action="action_reopen",
        ).create({"reason": "Leaks"}).action_apply()
        self.assertEqual(set(vehicles.mapped("state")), {"open"})

    def test_only_drafts_go(self):
        vehicles = self._create(*VINS[:2])
        vehicles[0].action_repair()
        for user in (self.resident, self.manager, self.root):
            with self._assert_refused(VINS[0], "stays on record"):
                vehicles.with_user(user).unlink()
        vehicles[1].unlink()

    # === CLOSING THE COMPLAINT === #

    def test_complaint_waits_for_its_vehicles(self):
        complaint = self._create_in_state("verifying")
        self._prove(complaint)
        vins = [f"LFV2A21K3P4{number:06}" for number in range(8)]
        vehicles = self._create(*vins, complaint_id=complaint.id)
        vehicles[:6].action_repair()
        vehicles[0].action_verify()
        with self._assert_refused("(7)", vins[5], "(+2)"):
            complaint.action_close()
        vehicles[1:].action_repair()
        vehicles[1:].action_verify()
        complaint.action_close()
        self.assertEqual(complaint.state, "closed")
        for forbidden in (
            lambda: vehicles[0].action_reopen(reason="Leaks"),
            lambda: self._create("LFV2A21K3P4999999", complaint_id=complaint.id),
        ):
            with self._assert_refused(complaint.name, "Open it again"):
                forbidden()

    # === WHO MAY === #

    def test_state_moves_only_through_its_actions(self):
        vehicle = self._create(VINS[0])
        for values in (
            {"state": "verified"},
            {"repaired_at": "2026-03-10 04:00:00"},
            {"repaired_by_id": self.standin.id},
            {"verified_by_id": self.standin.id},
            {"times_failed": 3},
            {"site_id": self.site_de.id},
        ):
            for user in (self.resident, self.manager, self.root):
                with self.subTest(values=values, user=user.login):
                    with self._assert_refused("cannot be set directly"):
                        vehicle.with_user(user).write(values)
                    with self._assert_refused("cannot be set directly"):
                        self._create(VINS[1], user=user, **values)
        with self._assert_refused("Complaint"):
            vehicle.complaint_id = self._create_complaint()

    def test_verified_is_locked(self):
        vehicle = self._create(VINS[0])
        vehicle.action_repair()
        vehicle.action_verify()
        for values in ({"vin": VINS[1]}, {"fitted": "welded"}, {"place_id": False}):
            with self.subTest(values=values), self._assert_refused(VINS[0]):
                vehicle.write(values)
        vehicle.note = "Seen by the SQE"

    def test_who_works_on_vehicles(self):
        vehicle = self._create(VINS[0])
        for user in (self.quality, self.sales, self.gm, self.resident_de):
            with (
                self.subTest(user=user.login),
                mute_logger("odoo.addons.base.models.ir_rule"),
            ):
                for forbidden in (
                    lambda v: v.action_repair(),
                    lambda v: v.action_verify(),
                    lambda v: v.action_reopen(reason="x"),
                    lambda v: v.write({"note": "x"}),
                    lambda v: v.unlink(),
                ):
                    with self.assertRaises(AccessError):
                        forbidden(vehicle.with_user(user))
                with self.assertRaises(AccessError):
                    self._scan(VINS[1], user=user)

    def test_complaints_of_two_companies(self):
        complaint_b = self._create_complaint(self.resident_b, site_id=self.site_b.id)
        vehicle = self._create(VINS[0])
        theirs = self._create(
            VINS[0], user=self.resident_b, complaint_id=complaint_b.id
        )
        self.assertEqual(theirs.company_id, self.company_b)
        with (
            mute_logger("odoo.addons.base.models.ir_rule"),
            self.assertRaises(UserError),
        ):
            (vehicle + theirs).with_user(self.resident).action_repair()
        self.assertEqual(vehicle.state, "open")


@tagged("post_install", "-at_install")
class TestVehicleTour(TourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_resident_pastes_and_repairs(self):
        complaint = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .create({"part_id": self.part.id, "defect_id": self.defect.id})
        )
        # Its tabs come with the report.
        complaint.sudo()._write_protected({"state": "reported"})
        self.start_tour(
            f"/odoo/complaints/{complaint.id}",
            "quality_resident_vehicles_on_phone",
            login="tour_resident",
        )
        self.assertRecordValues(
            complaint.vehicle_ids.sorted("vin"),
            [
                {"vin": VINS[0], "state": "verified", "fitted": "off_line"},
                {"vin": VINS[1], "state": "open", "fitted": "off_line"},
            ],
        )
