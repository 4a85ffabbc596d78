from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from .common import ResidentCommon


class ReturnCommon(ResidentCommon):
    """Our stock lies in the buffer and the suspect area; other parts are sold."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buffer = cls._set_up_stock()
        cls._set_up_stock(cls.site_de)
        cls._set_up_stock(cls.site_b)
        cls.suspect = cls.site.suspect_location_id
        cls.transit = cls.site.transit_location_id
        cls.home = cls.site.return_location_id
        cls.warehouse = cls.site.warehouse_id
        cls.stock = cls.warehouse.lot_stock_id
        cls.customers = cls.customer.property_stock_customer
        cls.in_lots, cls.in_serials = cls.env["product.product"].create(
            [
                {"name": f"Test {tracking}", "is_storable": True, "tracking": tracking}
                for tracking in ("lot", "serial")
            ]
        )
        cls.lot = cls._create_lot("L7", cls.in_lots)
        cls.lot_2 = cls._create_lot("L8", cls.in_lots)
        cls.serial = cls._create_lot("S1", cls.in_serials)
        cls._put(cls.suspect, 10, cls.lot, cls.in_lots)
        cls._put(cls.buffer, 5, cls.lot_2, cls.in_lots)
        cls._put(cls.suspect, 1, cls.serial, cls.in_serials)
        cls.stock_user = cls._create_stock_user("stock_user", "stock.group_stock_user")
        cls.env.cr.flush()

    @classmethod
    def _create_stock_user(cls, login, *groups):
        return new_test_user(
            cls.env,
            login=login,
            groups=",".join(groups),
            company_id=cls.company_a.id,
            context={"no_reset_password": True},
        )

    @classmethod
    def _create_return(cls, user=None, lines=None, **values):
        lines = lines or [
            {"product_id": cls.in_lots.id, "lot_id": cls.lot.id, "quantity": 10}
        ]
        return (
            cls.env["quality.return"]
            .with_user(user or cls.resident)
            .create(
                {
                    "site_id": cls.site.id,
                    "reason": "Cannot be reworked",
                    "line_ids": [(0, 0, line) for line in lines],
                    **values,
                }
            )
        )

    @classmethod
    def _bring(cls, state, user=None, **values):
        """Return a return brought to ``state`` by its actions."""
        document = cls._create_return(user, **values)
        for target, actor, action in (
            ("requested", None, "action_request"),
            ("approved", cls.quality, "action_approve"),
            ("in_transit", None, "action_ship"),
            ("received", cls.quality, "_receive_all"),
            ("judged", cls.quality, "_judge_all"),
            ("closed", cls.quality, "action_close"),
        ):
            acting = document.with_user(actor) if actor else document
            if action.startswith("_"):
                getattr(cls, action)(acting)
            else:
                getattr(acting, action)()
            if target == state:
                break
        return document

    @classmethod
    def _deliver(cls, product, lot, quantity, partner=None):
        """Return the done delivery of parts that the customer then owns."""
        cls._put(cls.stock, quantity, lot, product)
        picking = cls.env["stock.picking"].create(
            {
                "picking_type_id": cls.warehouse.out_type_id.id,
                "partner_id": (partner or cls.customer).id,
                "location_id": cls.stock.id,
                "location_dest_id": cls.customers.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "location_id": cls.stock.id,
                            "location_dest_id": cls.customers.id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        picking.move_ids.move_line_ids.unlink()
        picking.move_ids._reserve_exactly(lot)
        picking.button_validate()
        return picking

    @classmethod
    def _get_open_moves(cls, document, step):
        return document.sudo().line_ids.move_ids.filtered(
            lambda m: (
                m.quality_return_step == step and m.state not in ("done", "cancel")
            )
        )

    @classmethod
    def _receive_all(cls, document):
        document._receive(
            [
                (line.product_id, line.lot_id, line._get_pieces(line.qty_in_transit))
                for line in document.line_ids
            ]
        )

    @classmethod
    def _judge_all(cls, document):
        document.line_ids.judgement = "stock"
        document.action_judge()


@tagged("post_install", "-at_install")
class TestReturn(ReturnCommon):
    def test_whole_way(self):
        document = self._bring("requested")
        line = document.line_ids
        self.assertEqual(line.location_id, self.suspect)
        document.with_user(self.quality).action_approve()
        self.assertEqual(document.state, "approved")
        self.assertEqual(document.sudo().picking_ids.state, "assigned")
        document.action_ship()
        self.assertEqual(document.state, "in_transit")
        self.assertEqual(self._get_stock(self.transit, self.lot, self.in_lots), 10)
        self.assertEqual(self._get_stock(self.suspect, self.lot, self.in_lots), 0)
        self.assertEqual(len(document.sudo().picking_ids), 2)
        self._receive_all(document.with_user(self.quality))
        self.assertEqual(document.state, "received")
        self.assertEqual(line.qty_received, 10)
        self.assertEqual(self._get_stock(self.home, self.lot, self.in_lots), 10)
        self._judge_all(document.with_user(self.quality))
        self.assertEqual(document.state, "judged")
        self.assertEqual(self._get_stock(self.stock, self.lot, self.in_lots), 10)
        document.with_user(self.quality).action_close()
        self.assertEqual(document.state, "closed")

    # === MADE FROM === #

    def test_from_a_complaint(self):
        """What the sorting found is the return's list, each where it was put."""
        complaint = self._create_in_state(
            "reported", product_id=self.in_lots.id, place_id=self.place.id
        )
        complaint.action_open_containment()
        sorting = complaint.inspection_ids.filtered(
            lambda i: i.place_id.location_id == self.buffer
        )
        complaint.sorting_ids.create(
            {
                "inspection_id": sorting.id,
                "lot_id": self.lot_2.id,
                "qty_good": 2,
                "qty_bad": 1,
                "qty_suspect": 2,
                "defect_id": self.defect.id,
            }
        )
        document = self.env["quality.return"].browse(
            complaint.action_create_return()["res_id"]
        )
        self.assertRecordValues(
            document.line_ids.sorted("quantity"),
            [
                {
                    "product_id": self.in_lots.id,
                    "lot_id": self.lot_2.id,
                    "quantity": quantity,
                    "location_id": place.id,
                    "defect_id": self.defect.id,
                }
                for quantity, place in (
                    (1, self.site.rework_location_id),
                    (2, self.suspect),
                )
            ],
        )
        self.assertEqual(document.complaint_ids, complaint)
        self.assertEqual(complaint.return_count, 1)
        self.assertEqual(
            self.env[complaint.action_view_returns()["res_model"]].search(
                complaint.action_view_returns()["domain"]
            ),
            document,
        )
        self.assertEqual(
            len(
                self.env["quality.return"]
                .browse(
                    sorting.with_user(self.resident).action_create_return()["res_id"]
                )
                .line_ids
            ),
            2,
        )
        document.with_user(self.resident).action_request()

    def test_complaint_of_another_site(self):
        theirs = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        with self._assert_refused(theirs.sudo().name, "another site"):
            self._create_return(self.manager, complaint_ids=theirs.ids)

    # === REQUEST === #

    def test_request_names_what_is_missing(self):
        document = self._create_return(reason=False)
        with self._assert_refused("Reason", "Defect"):
            document.action_request()
        document.line_ids.defect_id = self.defect
        document.line_ids.lot_id = False
        with self._assert_refused("choose the “Lot”"):
            document.action_request()
        empty = self._create_return()
        empty.line_ids.unlink()
        with self._assert_refused("at least one line"):
            empty.action_request()

    def test_site_without_places(self):
        document = self._create_return()
        self.site.return_location_id = False
        with self._assert_refused("Set Up"):
            document.action_request()

    def test_more_than_lies_there(self):
        document = self._create_return(
            lines=[
                {"product_id": self.in_lots.id, "lot_id": self.lot.id, "quantity": 11}
            ]
        )
        with self._assert_refused("L7", "11 wanted", "only 10", self.suspect.name):
            document.action_request()

    def test_two_lines_count_on_the_same_parts(self):
        line = {"product_id": self.in_lots.id, "lot_id": self.lot.id, "quantity": 6}
        with self._assert_refused("only 4"):
            self._create_return(lines=[line, line]).action_request()

    def test_two_requests_count_on_the_same_parts(self):
        self._bring("requested")
        with self._assert_refused("only 0"):
            self._create_return().action_request()

    def test_quantity_and_lot(self):
        with self._assert_refused("more than 0"):
            self._create_return(
                lines=[
                    {
                        "product_id": self.in_lots.id,
                        "lot_id": self.lot.id,
                        "quantity": 0,
                    }
                ]
            )
        with self._assert_refused("not of", error=ValidationError):
            self._create_return(
                lines=[{"product_id": self.product.id, "lot_id": self.lot.id}]
            )
        serial = {"product_id": self.in_serials.id, "lot_id": self.serial.id}
        with self._assert_refused("its quantity is 1", error=ValidationError):
            self._create_return(lines=[{**serial, "quantity": 2}])

    def test_place_of_another_site(self):
        with self._assert_refused("neither our stock at", error=ValidationError):
            self._create_return(
                lines=[
                    {
                        "product_id": self.in_lots.id,
                        "lot_id": self.lot.id,
                        "location_id": self.site_de.buffer_location_id.id,
                    }
                ]
            )

    def test_serial_on_two_returns(self):
        serial = {"product_id": self.in_serials.id, "lot_id": self.serial.id}
        first = self._create_return(lines=[serial])
        with self._assert_refused("S1", first.name, error=ValidationError):
            self._create_return(lines=[serial])
        first.action_cancel(reason="Entered twice")
        self.assertTrue(self._create_return(lines=[serial]))

    def test_serial_returned_twice(self):
        serial = [{"product_id": self.in_serials.id, "lot_id": self.serial.id}]
        self._bring("closed", lines=serial)
        with self._assert_refused("S1", "only 0"):
            self._create_return(lines=serial).action_request()

    # === DECISION === #

    def test_refuse_needs_a_reason(self):
        document = self._bring("requested")
        boss = document.with_user(self.quality)
        with self._assert_refused("reason"):
            boss.action_refuse()
        boss.action_refuse(reason="Sort it on site")
        self.assertRecordValues(
            document, [{"state": "refused", "closing_reason": "Sort it on site"}]
        )
        document.action_reset()
        document.line_ids.quantity = 4
        document.action_request()
        self.assertEqual(document.state, "requested")

    def test_never_the_requester(self):
        document = self._bring("requested", self.manager)
        with self._assert_refused("written or requested", error=AccessError):
            document.action_approve()
        with self._assert_refused("written or requested", error=AccessError):
            document.action_refuse(reason="x")
        document.with_user(self.quality).action_approve()

    def test_nor_who_wrote_part_of_the_list(self):
        for change in ("quantity", "reason", "line"):
            document = self._create_return()
            with self.subTest(change=change):
                theirs = document.with_user(self.manager)
                if change == "quantity":
                    theirs.line_ids.quantity = 4
                elif change == "reason":
                    theirs.reason = "Scratched"
                else:
                    theirs.line_ids.unlink()
                    self.env["quality.return.line"].create(
                        {
                            "return_id": document.id,
                            "product_id": self.in_lots.id,
                            "lot_id": self.lot.id,
                            "quantity": 4,
                        }
                    )
                document.action_request()
                with self._assert_refused("written or requested", error=AccessError):
                    theirs.action_approve()
                document.with_user(self.quality).action_approve()
                document.action_cancel("Sorted on site")

    def test_approve_twice(self):
        document = self._bring("approved")
        pickings = document.sudo().picking_ids
        document.with_user(self.quality).action_approve()
        document.with_user(self.manager).action_approve()
        self.assertEqual(document.sudo().picking_ids, pickings)

    def test_parts_gone_before_the_approval(self):
        document = self._bring("requested")
        self.env["stock.quant"]._update_available_quantity(
            self.in_lots, self.suspect, -4, lot_id=self.lot
        )
        with self._assert_refused("L7", "10 wanted", "only 6"):
            document.with_user(self.quality).action_approve()
        self.assertEqual(document.state, "requested")

    def test_two_returns_at_once(self):
        other = [
            {"product_id": self.in_lots.id, "lot_id": self.lot_2.id, "quantity": 5}
        ]
        both = self._create_return() + self._create_return(lines=other)
        both.action_request()
        both.with_user(self.quality).action_approve()
        both.action_ship()
        self.assertEqual(both.mapped("state"), ["in_transit"] * 2)

    def test_cancel_frees_the_parts(self):
        document = self._bring("approved")
        document.action_cancel(reason="Reworked after all")
        self.assertEqual(document.sudo().picking_ids.state, "cancel")
        self._create_return().action_request()

    # === WHO MAY WHAT === #

    def test_each_role(self):
        allowed = {
            "requested": {"resident", "standin", "manager"},
            "approved": {"quality", "manager"},
            "in_transit": {"resident", "standin", "manager"},
            "judged": {"quality"},
            "closed": {"quality", "manager"},
        }
        actions = {
            "requested": "action_request",
            "approved": "action_approve",
            "in_transit": "action_ship",
            "judged": "action_judge",
            "closed": "action_close",
        }
        before = {
            "requested": None,
            "approved": "requested",
            "in_transit": "approved",
            "judged": "received",
            "closed": "judged",
        }
        roles = (
            "resident",
            "resident_de",
            "standin",
            "quality",
            "quality_de",
            "sales",
            "manager",
            "manager_b",
            "gm",
            "outsider",
        )
        for target, action in actions.items():
            with self._rolled_back():
                document = (
                    self._bring(before[target])
                    if before[target]
                    else self._create_return()
                )
                if target == "judged":
                    document.with_user(self.quality).line_ids.judgement = "scrap"
                for role in roles:
                    acting = document.with_user(getattr(self, role))
                    with self.subTest(target=target, role=role):
                        with self._rolled_back():
                            if role in allowed[target]:
                                getattr(acting, action)()
                                self.assertEqual(document.state, target)
                            else:
                                with self.assertRaises(AccessError):
                                    getattr(acting, action)()

    def test_nothing_by_rpc(self):
        """Neither state nor decision can be written, whatever the context says."""
        document = self._bring("requested")
        for values in (
            {"state": "approved"},
            {"approved_by_id": self.quality.id},
            {"requested_by_id": self.quality.id},
            {"name": "X"},
            {"replaced_at": "2026-01-01"},
            {"difference_reason": "x"},
        ):
            for user in (self.resident, self.quality, self.manager, self.admin):
                with self.subTest(values=values, user=user.login):
                    with self.assertRaises(UserError):
                        call_kw(
                            document.with_user(user).browse(),
                            "write",
                            [document.ids, values],
                            {"context": {"quality_workflow_gate": True}},
                        )
        with self.assertRaises(UserError):
            document.line_ids.quantity = 3
        with self.assertRaises(UserError):
            document.write(
                {"line_ids": [Command.create({"product_id": self.product.id})]}
            )
        with self.assertRaises(UserError):
            document.line_ids.unlink()
        with self.assertRaises(UserError):
            document.unlink()
        with self.assertRaises(UserError):
            self._create_return(state="approved")

    def test_draft_may_go(self):
        document = self._create_return()
        document.unlink()
        self.assertFalse(document.exists())

    def test_copy_asks_anew(self):
        document = self._bring("in_transit")
        copy = document.copy()
        self.assertRecordValues(
            copy, [{"state": "draft", "requested_at": False, "approved_by_id": False}]
        )
        self.assertRecordValues(copy.line_ids, [{"quantity": 10, "qty_shipped": 0}])
        self.assertNotEqual(copy.name, document.name)

    # === PICK-UP SLIP === #

    def _render(self, document, lang):
        report = self.env["ir.actions.report"].with_user(self.resident)
        html, _type = report.with_context(document_lang=lang)._render_qweb_html(
            "quality_resident.report_return_slip", document.ids
        )
        return html.decode()

    def test_slip(self):
        self.env["res.lang"]._activate_and_install_lang("zh_CN")
        document = self._bring("requested")
        self.assertIn("NOT APPROVED", self._render(document, "en_US"))
        document.with_user(self.quality).action_approve()
        for lang, words in (
            ("en_US", ("Pick-up Slip", "Driver: name", "Approved")),
            ("zh_CN", ("退货单", "司机", "已批准")),
        ):
            html = self._render(document, lang)
            for word in (*words, document.name, "L7", self.suspect.name, "10"):
                self.assertIn(word, html)
            self.assertEqual(html.count("data:image/png;base64"), 2 + ("logo" in html))
            self.assertNotIn("NOT APPROVED", html)

    def test_slip_of_many_lines(self):
        document = self._create_return(
            lines=[{"product_id": self.product.id, "quantity": 1}] * 50
        )
        pages = document._get_slip_pages()
        self.assertEqual(sum(len(page) for page in pages), 50)
        self.assertEqual([len(page) for page in pages], [12, 18, 18, 2])

    # === COMPANIES === #

    def test_two_companies(self):
        lot = self._create_lot("LB", self.in_lots, company_id=self.company_b.id)
        suspect = self.site_b.suspect_location_id
        self._put(suspect, 3, lot, self.in_lots)
        lines = [{"product_id": self.in_lots.id, "lot_id": lot.id, "quantity": 3}]
        document = self._create_return(
            self.resident_b, lines=lines, site_id=self.site_b.id
        )
        document.action_request()
        document.with_user(self.manager_b).action_approve()
        document.action_ship()
        self.assertEqual(document.state, "in_transit")
        self.assertEqual(document.company_id, self.company_b)
        self.assertEqual(document.sudo().picking_ids.company_id, self.company_b)
        for user in (self.manager, self.quality, self.resident):
            self.assertFalse(document.with_user(user).has_access("read"))
        with self._assert_refused("LB"):
            self._create_return(lines=lines)
