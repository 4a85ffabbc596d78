from odoo import fields
from odoo.tests import HttpCase, new_test_user, tagged


class TourCase(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        group = "quality_resident.group_"
        cls.resident = new_test_user(
            cls.env, "tour_resident", f"{group}resident", name="Tour Resident"
        )
        cls.sales = new_test_user(cls.env, "tour_sales", f"{group}sales")
        cls.manager = new_test_user(
            cls.env, "tour_manager", f"{group}manager,base.group_partner_manager"
        )
        for user in (cls.resident, cls.sales, cls.manager):
            user.odoobot_state = "disabled"
        cls.customer = cls.env["res.partner"].create(
            {"name": "Tour Motors", "is_company": True}
        )
        cls.site = cls.env["resident.site"].create(
            {
                "name": "Tour Plant",
                "code": "TOUR",
                "partner_id": cls.customer.id,
                "sales_user_ids": [fields.Command.link(cls.sales.id)],
                "manager_id": cls.manager.id,
            }
        )
        cls.site.action_set_up()
        cls.env["resident.posting"].create(
            {"site_id": cls.site.id, "user_id": cls.resident.id}
        )
        product = cls.env["product.product"].create(
            {"name": "Tour Seal", "is_storable": True}
        )
        cls.part = cls.env["resident.part"].create(
            {
                "site_id": cls.site.id,
                "product_id": product.id,
                "customer_ref": "6L0 837 911",
                "place_id": cls.site.place_ids[3].id,
            }
        )
        cls.defect = cls.env["quality.defect"].create(
            {"name": "Scratch", "code": "TOUR-1"}
        )


@tagged("post_install", "-at_install")
class TestPhoneTour(TourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_resident_reports(self):
        # The dialogue shows the codes by page: only this one may be in it.
        (self.env["quality.defect"].search([]) - self.defect).active = False
        self.start_tour(
            "/odoo/complaints",
            "quality_resident_report_on_phone",
            login="tour_resident",
        )
        complaint = self.env["quality.complaint"].search(
            [("site_id", "=", self.site.id)]
        )
        self.assertRecordValues(
            complaint,
            [
                {
                    "state": "reported",
                    "part_id": self.part.id,
                    "product_id": self.part.product_id.id,
                    "place_id": self.part.place_id.id,
                    "resident_id": self.resident.id,
                    "defect_id": self.defect.id,
                    "problem_type": "quality",
                    "quantity": 12,
                    "arrival_status": "on_time",
                    "feedback_status": "on_time",
                    "talk_result": "SQE agrees",
                }
            ],
        )
        self.assertEqual(
            sorted(complaint.photo_ids.mapped("name")), ["one.jpg", "two.jpg"]
        )
        self.assertEqual(set(complaint.photo_ids.mapped("res_id")), {complaint.id})

    def test_manager_recalls(self):
        stranger = self.env["res.partner"].create(
            {"name": "Tour Stranger", "is_company": True, "phone": "+49 555 0199"}
        )
        second = self.site.copy(
            {
                "name": "Tour Plant 2",
                "partner_id": stranger.create({"name": "Tour Works 2"}).id,
            }
        )
        second.action_set_up()
        product = self.part.product_id.copy({"name": "Tour Lots", "tracking": "lot"})
        lot = self.env["stock.lot"].create({"name": "L7", "product_id": product.id})
        quants = self.env["stock.quant"]
        quants._update_available_quantity(
            product, second.buffer_location_id, 5, lot_id=lot
        )
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.site.company_id.id)], limit=1
        )
        where = {
            "location_id": warehouse.lot_stock_id.id,
            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
        }
        quants._update_available_quantity(
            product, warehouse.lot_stock_id, 3, lot_id=lot
        )
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": warehouse.out_type_id.id,
                "partner_id": stranger.id,
                "move_ids": [
                    fields.Command.create(
                        {"product_id": product.id, "product_uom_qty": 3, **where}
                    )
                ],
                **where,
            }
        )
        picking.action_assign()
        picking.move_ids.picked = True
        picking.move_ids._action_done()
        complaint = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .create(
                {
                    "site_id": self.site.id,
                    "product_id": product.id,
                    "lot_ids": lot.ids,
                    "defect_id": self.defect.id,
                }
            )
        )
        self.start_tour(
            f"/odoo/complaints/{complaint.id}",
            "quality_resident_recall_on_phone",
            login="tour_manager",
        )
        recall = self.env["quality.complaint"].search(
            [("origin_complaint_id", "=", complaint.id)]
        )
        self.assertRecordValues(
            recall, [{"site_id": second.id, "lot_ids": lot.ids, "channel": "recall"}]
        )
        self.assertTrue(recall.inspection_ids)


@tagged("post_install", "-at_install")
class TestDeskTours(TourCase):
    browser_size = "1280x800"

    def setUp(self):
        super().setUp()
        self.complaint = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .create({"part_id": self.part.id, "defect_id": self.defect.id})
        )

    def test_manager_sets_up_site(self):
        self.start_tour(
            "/odoo/customer-sites", "quality_resident_set_up_site", login="tour_manager"
        )
        site = self.env["resident.site"].search([("code", "=", "P9")])
        self.assertTrue(site.buffer_location_id)
        self.assertEqual(site.posting_ids.user_id, self.resident)

    def test_manager_refuses(self):
        self.start_tour(
            f"/odoo/complaints/{self.complaint.id}",
            "quality_resident_refuse",
            login="tour_manager",
        )
        self.assertRecordValues(
            self.complaint, [{"state": "refused", "closing_reason": "Not our part"}]
        )

    def test_sales_answers(self):
        self.start_tour(
            f"/odoo/complaints/{self.complaint.id}",
            "quality_resident_sales_answers",
            login="tour_sales",
        )
        message = self.complaint.message_ids.filtered(
            lambda m: m.author_id == self.sales.partner_id
        )
        self.assertIn("Replacement is on its way", message.body)
