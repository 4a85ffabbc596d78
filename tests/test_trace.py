from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .common import GROUP
from .test_containment import ContainmentCommon

# Queries that another lot, row or site may cost.
EACH = 1


class TraceCommon(ContainmentCommon):
    """A lot at two of our sites, at a customer without one, and in a finished lot."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plant_de, cls.stranger = cls.env["res.partner"].create(
            [
                {"name": "Test Werk", "is_company": True},
                {
                    "name": "Test Stranger",
                    "is_company": True,
                    "phone": "+49 555 0199",
                    "email": "quality@stranger.example.com",
                },
            ]
        )
        cls.site_de.partner_id = cls.plant_de
        cls._set_up_stock(cls.site_de)
        cls.buffer_de = cls.site_de.buffer_location_id
        cls.place_buffer_de = cls.site_de.place_ids.filtered(
            lambda p: p.kind == "buffer"
        )
        cls.warehouse_a = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.company_a.id)], limit=1
        )
        cls.stock = cls.warehouse_a.lot_stock_id
        cls.customers = cls.env.ref("stock.stock_location_customers")
        cls.finished = cls.env["product.product"].create(
            {
                "name": "Test door",
                "default_code": "TST-DOOR",
                "is_storable": True,
                "tracking": "lot",
            }
        )
        cls.env.cr.flush()

    @classmethod
    def _move(cls, quantity, partner, lot=None, product=None, back=False, **values):
        """Return a done transfer to ``partner``, or ``back`` from him."""
        product = product or cls.in_lots
        if lot is None and product.tracking != "none":
            lot = cls.lot
        source, dest = cls.stock, cls.customers
        if back:
            source, dest = dest, source
        else:
            cls._put(source, quantity, lot, product)
        kind = cls.warehouse_a.in_type_id if back else cls.warehouse_a.out_type_id
        where = {"location_id": source.id, "location_dest_id": dest.id}
        line = {
            "product_id": product.id,
            "product_uom_id": product.uom_id.id,
            "quantity": quantity,
            "lot_id": lot.id if lot else False,
            **where,
        }
        picking = cls.env["stock.picking"].create(
            {
                "picking_type_id": kind.id,
                "partner_id": partner.id if partner else False,
                **where,
            }
        )
        move = cls.env["stock.move"].create(
            {
                "product_id": product.id,
                "product_uom": product.uom_id.id,
                "product_uom_qty": quantity,
                "picking_id": picking.id,
                "picked": True,
                "move_line_ids": [Command.create({**line, "picking_id": picking.id})],
                **where,
            }
        )
        move._action_done()
        if values:
            move.move_line_ids.write(values)
        return picking

    @classmethod
    def _produce(cls, component, finished):
        """Let a lot have gone into another one, as manufacturing notes it."""
        lines = cls.env["stock.move.line"]
        for lot, usage in ((component, "consumed"), (finished, "produced")):
            move = cls.env["stock.move"].create(
                {
                    "product_id": lot.product_id.id,
                    "product_uom": lot.product_id.uom_id.id,
                    "product_uom_qty": 1,
                    "location_id": cls.stock.id,
                    "location_dest_id": cls.stock.id,
                    "origin": usage,
                    "picked": True,
                    "move_line_ids": [
                        Command.create(
                            {
                                "product_id": lot.product_id.id,
                                "product_uom_id": lot.product_id.uom_id.id,
                                "quantity": 1,
                                "lot_id": lot.id,
                                "location_id": cls.stock.id,
                                "location_dest_id": cls.stock.id,
                            }
                        )
                    ],
                }
            )
            move._action_done()
            lines += move.move_line_ids
        lines[1].consume_line_ids = lines[0]

    def _trace(self, user=None, lots=None, **context):
        """Return the trace of ``lots`` as ``user`` reads it."""
        self.env.flush_all()
        self.env.invalidate_all()
        lots = (lots or self.lot).with_user(user or self.manager)
        action = lots.with_context(**context).action_view_trace()
        return (
            self.env["quality.trace"]
            .with_user(lots.env.user)
            .with_context(**{**context, **action["context"]})
            .search(action["domain"])
        )

    def _elsewhere(self, complaint, user=None):
        """Return the rows of “Where else?” as ``user`` sees them."""
        self.env.flush_all()
        self.env.invalidate_all()
        complaint = complaint.with_user(user or self.manager)
        complaint.action_view_elsewhere()
        domain, context = complaint._get_elsewhere()
        trace = self.env["quality.trace"].with_user(complaint.env.user)
        return trace.with_context(**context).search(domain)

    def _recalls(self, complaint):
        return self.env["quality.complaint"].search(
            [("origin_complaint_id", "=", complaint.id)]
        )


@tagged("post_install", "-at_install")
class TestTrace(TraceCommon):
    def _sum(self, rows):
        return {
            (row.kind, row.site_id.code or row.partner_id.name): row.quantity
            for row in rows
        }

    def test_everything_known(self):
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        self._put(self.suspect_location, 4, self.lot, self.in_lots)
        self._move(12, self.plant_de)
        complaint = self._open(lot_ids=self.lot.ids)
        sorting = self._get_sorting(complaint, self.buffer)
        self._count(sorting, lot_id=self.lot.id, qty_good=5, qty_bad=2)
        self._count(sorting, lot_id=self.lot.id, qty_good=1, qty_suspect=1)
        undone = self._count(sorting, lot_id=self.lot.id, qty_bad=9)
        undone.action_undo()
        rows = self._trace()
        self.assertEqual(len(set(rows.ids)), len(rows))
        self.assertEqual(set(rows.lot_id), {self.lot})
        self.assertEqual(set(rows.company_id), {self.company_a})
        by_kind = {
            kind: rows.filtered(lambda r, kind=kind: r.kind == kind)
            for kind in set(rows.mapped("kind"))
        }
        self.assertRecordValues(
            by_kind["complaint"],
            [
                {
                    "name": complaint.name,
                    "site_id": self.site.id,
                    "place_id": self.place.id,
                    "qty_bad": 3,
                    "res_model": "quality.complaint",
                    "res_id": complaint.id,
                }
            ],
        )
        self.assertRecordValues(
            by_kind["sorting"],
            [{"place_id": self.buffer.id, "quantity": 9, "qty_bad": 3}],
        )
        self.assertRecordValues(
            by_kind["stock"].sorted("quantity"),
            [
                {"place_id": False, "is_held": True, "quantity": 2},
                {"place_id": False, "is_held": True, "quantity": 5},
                {"place_id": self.buffer.id, "is_held": False, "quantity": 27},
            ],
        )
        self.assertRecordValues(
            by_kind["delivery"],
            [
                {
                    "site_id": self.site_de.id,
                    "partner_id": self.plant_de.id,
                    "quantity": 12,
                }
            ],
        )
        self.assertEqual(self.lot.with_user(self.manager).trace_count, len(rows))

    def test_returns_lower_what_was_delivered(self):
        self._move(12, self.plant_de)
        self._move(5, self.plant_de)
        self._move(3, self.plant_de, back=True)
        self._move(4, self.stranger)
        self._move(4, self.stranger, back=True)
        rows = self._trace().filtered(lambda r: r.kind == "delivery")
        self.assertEqual(
            self._sum(rows),
            {("delivery", "TSTDE"): 14, ("delivery", "Test Stranger"): 0},
        )
        complaint = self._open(lot_ids=self.lot.ids)
        self.assertNotIn(self.stranger, self._elsewhere(complaint).partner_id)

    def test_only_what_is_done(self):
        picking = self._move(12, self.plant_de)
        picking.move_ids.copy({"picking_id": picking.copy().id})
        rows = self._trace().filtered(lambda r: r.kind == "delivery")
        self.assertEqual(rows.mapped("quantity"), [12])

    def test_lot_in_a_nested_location(self):
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.buffer_de.id}
        )
        deeper = shelf.create({"name": "Box", "location_id": shelf.id})
        self._put(deeper, 6, self.lot, self.in_lots)
        row = self._trace().filtered(lambda r: r.kind == "stock")
        self.assertRecordValues(
            row,
            [
                {
                    "site_id": self.site_de.id,
                    "place_id": self.place_buffer_de.id,
                    "location_id": deeper.id,
                    "quantity": 6,
                }
            ],
        )
        self.place_de.location_id = shelf
        row = self._trace().filtered(lambda r: r.kind == "stock")
        self.assertEqual(row.place_id, self.place_de, "the nearest")

    def test_site_of_a_delivery(self):
        gate = self.plant_de.create(
            {"name": "Gate 3", "parent_id": self.plant_de.id, "type": "delivery"}
        )
        group = self.plant_de.create({"name": "Test Group", "is_company": True})
        elsewhere = gate.create(
            {"name": "Test Werk 9", "parent_id": group.id, "type": "delivery"}
        )
        (self.plant_de + self.customer).parent_id = group
        for partner, sites in (
            (self.plant_de, self.site_de),
            (gate, self.site_de),
            # Nobody knows to which plant it went on.
            (group, self.site_de + self.site),
            (elsewhere, self.env["resident.site"]),
            (self.env["res.partner"], self.env["resident.site"]),
        ):
            with self.subTest(partner=partner.name), self._rolled_back():
                self._move(1, partner)
                rows = self._trace().filtered(lambda r: r.kind == "delivery")
                self.assertEqual(rows.site_id, sites)
                self.assertEqual(len(rows), len(sites) or 1)
                self.assertEqual(len(set(rows.ids)), len(rows))

    def test_archived_site_is_no_site(self):
        self._move(1, self.plant_de)
        self.site_de.active = False
        self.assertFalse(self._trace().filtered("partner_id").site_id)

    def test_component_is_found_in_the_finished_lot(self):
        """Over two levels, round in a circle, and no further than it went."""
        sub, door, other = (
            self._create_lot(name, self.finished) for name in ("SUB", "DOOR", "OTHER")
        )
        self._produce(self.lot, sub)
        self._produce(sub, door)
        self._produce(door, sub)
        self._produce(self._create_lot("L9", self.in_lots), other)
        self._put(self.buffer_de, 1, door, self.finished)
        self.assertEqual(self.lot._get_lots_made_of(), self.lot + sub + door)
        rows = self._trace()
        self.assertEqual(rows.lot_id, self.lot + sub + door)
        into = rows.filtered(lambda r: r.kind == "product")
        self.assertEqual(
            sorted((row.lot_id.name, row.name) for row in into),
            [("DOOR", "SUB"), ("L7", "SUB"), ("SUB", "DOOR")],
        )
        complaint = self._open(lot_ids=self.lot.ids)
        row = self._elsewhere(complaint)
        row = row.filtered(lambda r: r.site_id == self.site_de)
        self.assertEqual(row.lot_id, door)
        row.action_open_containment()
        recall = self._recalls(complaint)
        self.assertRecordValues(
            recall, [{"product_id": self.finished.id, "lot_ids": door.ids}]
        )

    def test_serial_numbers_of_one_complaint(self):
        serials = self.env["stock.lot"].create(
            [{"name": f"S{n}", "product_id": self.in_serials.id} for n in range(40)]
        )
        complaint = self._open(self.in_serials, lot_ids=serials.ids)
        rows = self._trace(lots=serials)
        self.assertEqual(len(rows), 40)
        self.assertEqual(len(set(rows.ids)), 40)
        self.assertEqual(rows.mapped("res_id"), [complaint.id] * 40)

    def test_document_opens(self):
        complaint = self._open(lot_ids=self.lot.ids)
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        complaint.inspection_ids[0].action_reopen_sorting()
        sorting = self._get_sorting(complaint, self.buffer)
        self._count(sorting, lot_id=self.lot.id, qty_good=1)
        self._move(1, self.plant_de)
        for row in self._trace(self.quality):
            if row.kind == "stock":
                with self.subTest(kind=row.kind), self.assertRaises(UserError):
                    row.action_open()
                continue
            if row.kind == "delivery":
                # She has no rights on transfers.
                with self._assert_refused(row.name, error=AccessError):
                    row.action_open()
                continue
            action = row.action_open()
            with self.subTest(kind=row.kind):
                self.assertEqual(action["res_model"], row.res_model)
                self.assertEqual(action["res_id"], row.res_id)

    def test_lookup(self):
        lookup = self.env["quality.trace.lookup"].with_user(self.resident)
        with self._assert_refused("Lot/Serial Number"):
            lookup.create({}).action_trace()
        with Form(lookup) as form:
            form.lot_id = self.lot
        self._open(lot_ids=self.lot.ids)
        action = form.save().action_trace()
        self.assertTrue(lookup.env["quality.trace"].search(action["domain"]))
        self._open(self.product)
        action = lookup.create({"product_id": self.product.id}).action_trace()
        rows = lookup.env["quality.trace"].search(action["domain"])
        self.assertEqual(rows.product_id, self.product)
        self.assertIn(self.product.name, action["name"])

    def test_context_of_a_client_only_narrows(self):
        self._open(lot_ids=self.lot.ids)
        other = self._create_lot("L9", self.in_lots)
        trace = self.env["quality.trace"].with_user(self.resident)
        domain = [("lot_id", "=", self.lot.id)]
        self.assertTrue(trace.search(domain))
        self.assertFalse(trace.with_context(trace_lot_ids=other.ids).search(domain))
        with self.assertRaises(ValueError):
            trace.with_context(trace_lot_ids=["1) OR (1=1"]).search(domain)

    # === RIGHTS === #

    def test_who_sees_what(self):
        self._put(self.buffer_location, 1, self.lot, self.in_lots)
        self._put(self.buffer_de, 2, self.lot, self.in_lots)
        self._put(self.stock, 4, self.lot, self.in_lots)
        self._move(8, self.stranger)
        own, all_rows = [1], [1, 2, 4, 8]
        for user, expected in (
            (self.resident, own),
            (self.standin, own),
            (self.sales, own),
            (self.resident_de, [2]),
            (self.quality, all_rows),
            (self.quality_de, all_rows),
            (self.manager, all_rows),
            (self.gm, all_rows),
            (self.manager_b, []),
            (self.resident_b, []),
        ):
            with self.subTest(user=user.login):
                rows = self._trace(user)
                self.assertEqual(sorted(rows.mapped("quantity")), expected)
                self.assertEqual(
                    self.lot.with_user(user).trace_count, len(expected), "the button"
                )
        with self.assertRaises(AccessError):
            self._trace(self.outsider)

    def test_nobody_writes(self):
        self._open(lot_ids=self.lot.ids)
        for user in (self.manager, self.gm, self.resident, self.admin):
            rows = self._trace(user)
            self.assertTrue(rows)
            for operation in ("create", "write", "unlink"):
                with self.subTest(user=user.login, operation=operation):
                    self.assertFalse(rows.has_access(operation))

    def test_two_companies_share_a_lot(self):
        self._move(3, self.plant_de)
        self._set_up_stock(self.site_b)
        self._put(self.site_b.buffer_location_id, 5, self.lot, self.in_lots)
        self.assertEqual(self._trace(self.manager).mapped("quantity"), [3])
        self.assertEqual(self._trace(self.manager_b).mapped("quantity"), [5])
        self.manager.company_ids += self.company_b
        both = [self.company_a.id, self.company_b.id]
        rows = self._trace(self.manager, allowed_company_ids=both)
        self.assertEqual(sorted(rows.mapped("quantity")), [3, 5])

    # === WHERE THE OPERATOR WORKS === #

    def test_banner_on_lot_and_transfer(self):
        operator = new_test_user(
            self.env,
            "operator",
            "stock.group_stock_user",
            company_id=self.company_a.id,
        )
        self.assertFalse(operator.has_group(f"{GROUP}resident"))
        picking = self._move(3, self.plant_de)
        lot, picking = self.lot.with_user(operator), picking.with_user(operator)
        self.assertFalse(lot.quality_alert or picking.quality_alert)
        complaint = self._open(lot_ids=self.lot.ids)
        alert = f"{complaint.name} {self.defect.display_name}"
        self.env.invalidate_all()
        self.assertEqual(lot.quality_alert, alert)
        self.assertEqual(picking.quality_alert, f"L7: {alert}")
        with Form(lot) as form:
            self.assertEqual(form.quality_alert, alert)
        with Form(picking) as form:
            self.assertIn(alert, form.quality_alert)
        self.assertNotIn("trace_count", lot.read()[0], "he reads all else")
        with self.assertRaises(AccessError):
            complaint.with_user(operator).read(["description"])
        complaint.with_user(self.manager).action_cancel(reason="Entered in error")
        self.env.invalidate_all()
        self.assertFalse(lot.quality_alert or picking.quality_alert)

    def test_banner_of_a_lot_found_bad(self):
        self._put(self.buffer_location, 9, self.lot, self.in_lots)
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.buffer)
        self._count(sorting, lot_id=self.lot.id, qty_good=4)
        self.assertFalse(self.lot.quality_alert)
        tranche = self._count(sorting, lot_id=self.lot.id, qty_suspect=1)
        self.env.invalidate_all()
        self.assertIn(complaint.name, self.lot.quality_alert)
        tranche.action_undo()
        self.env.invalidate_all()
        self.assertFalse(self.lot.quality_alert)

    def test_banner_stays_in_the_company(self):
        self._create_complaint(
            self.resident_b,
            site_id=self.site_b.id,
            product_id=self.in_lots.id,
            lot_ids=self.lot.ids,
        )
        self.assertFalse(self.lot.with_user(self.manager).quality_alert)
        self.assertTrue(self.lot.with_user(self.manager_b).quality_alert)

    # === QUERIES === #

    def _count_queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        return self.env.cr.sql_log_count - before

    def test_lots_do_not_grow(self):
        lots = self.env["stock.lot"].create(
            [{"name": f"M{n}", "product_id": self.in_lots.id} for n in range(20)]
        )
        for lot in lots:
            self._put(self.buffer_location, 1, lot, self.in_lots)
        self._open(lot_ids=lots.ids)
        picking = self._move(1, self.plant_de, lots[0])
        self.manager.group_ids += self.env.ref("stock.group_stock_user")
        for number, records, name in (
            (20, lots, "quality_alert"),
            (20, lots, "trace_count"),
            (1, picking, "quality_alert"),
        ):
            records = records.with_user(self.manager)
            records.mapped(name)
            one = self._count_queries(lambda r=records, n=name: r[:1].mapped(n))
            many = self._count_queries(lambda r=records, n=name: r.mapped(n))
            with self.subTest(model=records._name, name=name):
                self.assertEqual(len(records), number)
                self.assertLessEqual(many, one + EACH)

    def test_rows_do_not_grow(self):
        lots = self.env["stock.lot"].create(
            [{"name": f"M{n}", "product_id": self.in_lots.id} for n in range(20)]
        )
        for lot in lots:
            self._put(self.buffer_de, 1, lot, self.in_lots)
        complaint = self._open(lot_ids=lots.ids)
        rows = self._elsewhere(complaint)
        self.assertEqual(len(rows), 20)
        rows.mapped("status")
        one = self._count_queries(lambda: rows[:1].mapped("status"))
        many = self._count_queries(lambda: rows.mapped("status"))
        self.assertLessEqual(many, one + EACH)


@tagged("post_install", "-at_install")
class TestTraceDocuments(TraceCommon):
    def test_vehicles_and_slips(self):
        complaint = self._create_complaint(product_id=self.in_lots.id)
        vehicle, _other = self.env["quality.vehicle"].create(
            [
                {"complaint_id": complaint.id, "vin": vin, "lot_id": lot}
                for vin, lot in (
                    ("LFV2A21K3P4000001", self.lot.id),
                    ("LFV2A21K3P4000002", False),
                )
            ]
        )
        slip = self.env["quality.suspect.slip"].create(
            {"complaint_id": complaint.id, "lot_id": self.lot.id, "quantity": 3}
        )
        rows = self.env["quality.trace"].search(
            [("lot_id", "=", self.lot.id), ("kind", "in", ("vehicle", "slip"))]
        )
        self.assertEqual(
            sorted(rows.mapped(lambda r: (r.kind, r.name, r.res_id, r.quantity))),
            [
                ("slip", slip.name, slip.id, 3),
                ("vehicle", vehicle.vin, vehicle.id, 1),
            ],
        )
        self.assertEqual(rows.site_id, self.site)
        opened = rows.filtered(lambda r: r.kind == "vehicle").action_open()
        self.assertEqual(opened["res_model"], "quality.vehicle")

    def _create_return(self, **values):
        line = {"product_id": self.in_lots.id, "lot_id": self.lot.id, "quantity": 4}
        return (
            self.env["quality.return"]
            .with_user(self.resident)
            .create(
                {
                    "site_id": self.site.id,
                    "reason": "Cannot be reworked",
                    "line_ids": [Command.create({**line, **values})],
                }
            )
        )

    def _create_scrap(self, user=None, site=None, **values):
        line = {"product_id": self.in_lots.id, "lot_id": self.lot.id, "quantity": 3}
        return (
            self.env["quality.scrap.request"]
            .with_user(user or self.resident)
            .create(
                {
                    "site_id": (site or self.site).id,
                    "reason": "Cracked",
                    "line_ids": [Command.create({**line, **values})],
                }
            )
        )

    def _get_known(self, user=None, kinds=("return", "scrap")):
        rows = self._trace(user).filtered(lambda r: r.kind in kinds)
        return sorted(rows.mapped(lambda r: (r.kind, r.name, r.quantity)))

    def test_returns_and_scrap(self):
        self._put(self.suspect_location, 50, self.lot, self.in_lots)
        document, request = self._create_return(), self._create_scrap()
        dozen = self.env.ref("uom.product_uom_dozen")
        in_dozens = self._create_scrap(uom_id=dozen.id, quantity=2)
        known = [
            ("return", document.name, 4),
            ("scrap", request.name, 3),
            ("scrap", in_dozens.name, 24),
        ]
        self.assertEqual(self._get_known(), known, "in the product's unit")
        rows = self._trace().filtered(lambda r: r.kind in ("return", "scrap"))
        self.assertEqual(rows.site_id, self.site)
        self.assertEqual(rows.location_id, self.suspect_location)
        self.assertEqual(len(set(rows.ids)), len(rows))
        for row in rows:
            self.assertEqual(row.action_open()["res_id"], row.res_id)
        request.action_submit()
        row = self._trace().filtered(lambda r: r.name == request.name)
        self.assertEqual(row.date, request.requested_at)
        document.action_request()
        document.with_user(self.quality).action_refuse(reason="Rework them")
        request.with_user(self.sales).action_refuse(reason="Sell them")
        self.assertEqual(self._get_known(), known, "refused, but it was asked for")
        for record in (request, in_dozens):
            record.action_withdraw()
        self.assertEqual(self._get_known(), known[:1])

    def test_return_and_scrap_of_another_site(self):
        self._put(self.suspect_location, 50, self.lot, self.in_lots)
        self._create_return()
        self._create_scrap()
        for user, number in (
            (self.resident, 2),
            (self.resident_de, 0),
            (self.manager, 2),
            (self.manager_b, 0),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(len(self._get_known(user)), number)

    def test_lot_is_pushed_down(self):
        """Each select looks for the lot itself: none is read whole and then sieved."""
        query = self.env["quality.trace"]._search([("lot_id", "=", self.lot.id)])
        self.env.flush_all()
        select = query.select()
        self.env.cr.execute(
            f"EXPLAIN (FORMAT JSON, COSTS OFF) {select.code}", select.params
        )
        ((plan,),) = self.env.cr.fetchall()
        sieves, nodes = [], [plan[0]["Plan"]]
        while nodes:
            node = nodes.pop()
            nodes += node.get("Plans", [])
            if node["Node Type"] in ("Append", "Subquery Scan", "Result"):
                sieves.append(node.get("Filter", ""))
        self.assertTrue(sieves, "a union")
        self.assertFalse([text for text in sieves if "lot_id" in text])
