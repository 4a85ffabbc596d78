import io

import openpyxl
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import CRON_POSTINGS, ResidentCommon

LOCATIONS = {
    "buffer_location_id": "internal",
    "transit_location_id": "transit",
    "suspect_location_id": "internal",
    "rework_location_id": "internal",
}
SHOPS = {"buffer", "transit", "warehouse", "body", "paint", "assembly"}


@tagged("post_install", "-at_install")
class TestSetUp(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        domain = cls.env["mail.alias.domain"].create(
            {"name": "parts.example.com", "bounce_alias": "b", "catchall_alias": "c"}
        )
        (cls.company_a + cls.company_b).alias_domain_id = domain

    def _get_warehouse(self, company):
        return self.env["stock.warehouse"].search(
            [("company_id", "=", company.id)], limit=1
        )

    def test_makes_locations_places_and_address(self):
        site = self.site.with_user(self.manager)
        site.action_set_up()
        for name, usage in LOCATIONS.items():
            location = self.site[name]
            with self.subTest(location=name):
                self.assertTrue(location)
                self.assertEqual(location.usage, usage)
                self.assertEqual(location.company_id, self.company_a)
                self.assertEqual(
                    location.warehouse_id, self._get_warehouse(self.company_a)
                )
        kinds = self.site.place_ids.grouped("kind")
        self.assertLessEqual(SHOPS, set(kinds))
        self.assertEqual(kinds["buffer"].location_id, self.site.buffer_location_id)
        self.assertEqual(kinds["transit"].location_id, self.site.transit_location_id)
        self.assertFalse(kinds["body"].location_id)
        self.assertEqual(
            self.site.alias_id.alias_full_name, "quality-tstcn@parts.example.com"
        )

    def test_twice_makes_nothing_new(self):
        site = self.site.with_user(self.manager)
        site.action_set_up()
        names = [*LOCATIONS, "place_ids", "alias_id", "alias_name"]
        before = site.read(names)
        locations = self.env["stock.location"].search_count([])
        site.action_set_up()
        self.assertEqual(site.read(names), before)
        self.assertEqual(self.env["stock.location"].search_count([]), locations)

    def test_completes_what_is_missing(self):
        own = self.env["stock.location"].create(
            {"name": "Own", "usage": "internal", "company_id": self.company_a.id}
        )
        self.site.write({"suspect_location_id": own.id, "alias_name": "own-address"})
        (self.site + self.site_de).with_user(self.manager).action_set_up()
        self.assertEqual(self.site.suspect_location_id, own)
        self.assertEqual(self.site.alias_name, "own-address")
        self.assertTrue(self.site.rework_location_id)
        self.assertTrue(self.site_de.rework_location_id)
        self.assertNotEqual(
            self.site.rework_location_id, self.site_de.rework_location_id
        )

    def test_stock_of_another_company(self):
        self.site_b.with_user(self.manager_b).action_set_up()
        for name in LOCATIONS:
            with self.subTest(location=name):
                self.assertEqual(self.site_b[name].company_id, self.company_b)
        with self._assert_refused():
            self.site.buffer_location_id = self.site_b.buffer_location_id

    def test_same_code_in_two_companies(self):
        """An address is unique in the database, a site's code in its company."""
        self.site.with_user(self.manager).action_set_up()
        self.site_b.with_user(self.manager_b).action_set_up()
        self.assertTrue(self.site_b.alias_name)
        self.assertNotEqual(self.site.alias_name, self.site_b.alias_name)

    def test_only_the_manager_sets_up(self):
        for user in (self.resident, self.quality, self.gm, self.manager_b):
            with self.subTest(user=user.login), self.assertRaises(UserError):
                self.site.with_user(user).action_set_up()
        self.assertFalse(self.site.buffer_location_id)

    # === BUTTONS === #

    def _get_found(self, action):
        self.assertEqual(action["type"], "ir.actions.act_window")
        return self.env[action["res_model"]].search(action["domain"])

    def test_buttons_open_what_they_say(self):
        complaint = self._create_complaint()
        other = self._create_complaint(product_id=self.product_2.id)
        self._create_complaint(self.resident_de, site_id=self.site_de.id)
        talk = self.env["resident.talk"].create(
            {"complaint_id": complaint.id, "subject": "Sorting"}
        )
        self.assertEqual(talk.site_id, self.site)
        self.assertEqual(self.site.complaint_count, 2)
        self.assertEqual(self.part.complaint_count, 1)
        self.assertEqual(complaint.talk_count, 1)
        self.assertEqual(complaint.history_count, 1)
        for action, expected in (
            (complaint.action_view_history(), complaint),
            (complaint.action_view_talks(), talk),
            (complaint.action_view_contacts(), self.contact),
            (self.site.action_view_complaints(), complaint + other),
            (self.part.action_view_complaints(), complaint),
        ):
            self.assertEqual(self._get_found(action).sorted("id"), expected.sudo())

    def test_stock_button_shows_our_stock_at_the_site(self):
        self.site.action_set_up()
        quants = self.env["stock.quant"]
        elsewhere = self._get_warehouse(self.company_a).lot_stock_id
        for location in (self.site.suspect_location_id, elsewhere):
            quants._update_available_quantity(self.product, location, 4)
        found = self._get_found(self._create_complaint().sudo().action_view_stock())
        self.assertEqual(found.location_id, self.site.suspect_location_id)
        self.assertEqual(found.quantity, 4)

    def test_customer_opens_its_sites(self):
        action = self.customer.with_user(self.manager).action_open_resident_sites()
        found = self.env["resident.site"].search(action["domain"])
        self.assertEqual(found, self.site + self.site_de)


@tagged("post_install", "-at_install")
class TestConstraints(ResidentCommon):
    def _assert_row_refused(self, text, function):
        """The database refuses, and the user reads why."""
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError) as refusal:
            function()
            self.env.flush_all()
        table = refusal.exception.diag.table_name
        model = next(m for m in self.env.values() if m._table == table)
        self.assertIn(text, model._sql_error_to_message(refusal.exception))

    def test_complaint(self):
        complaint = self._create_complaint()
        self._assert_row_refused(
            "quantity cannot be negative", lambda: complaint.write({"quantity": -1})
        )
        self._assert_row_refused(
            "line stop cannot be negative",
            lambda: complaint.write({"line_stop_minutes": -1}),
        )

    def test_site(self):
        self._assert_row_refused(
            "choose another", lambda: self._create_site(self.site.code.lower())
        )
        for name in (
            "arrival_minutes_on_shift",
            "arrival_minutes_off_shift",
            "feedback_minutes",
        ):
            with self.subTest(field=name):
                self._assert_row_refused(
                    "more than 0", lambda name=name: self.site.write({name: 0})
                )
        for hour in (-0.5, 24):
            with self.subTest(hour=hour):
                self._assert_row_refused(
                    "daily report",
                    lambda hour=hour: self.site.write({"daily_report_hour": hour}),
                )

    def test_part_contact_and_defect(self):
        self._assert_row_refused("customer part number already", self.part.copy)
        self._assert_row_refused("has this role", self.contact.copy)
        self._assert_row_refused(
            "Codes are unique",
            lambda: self.defect.copy({"code": self.defect.code.lower()}),
        )

    def test_route(self):
        routes = self.env["resident.route"]
        values = {"site_id": self.site.id, "kind": "late"}
        routes.create(values)
        self._assert_row_refused(
            "one routing line for each event", lambda: routes.create(values)
        )
        for company in (self.company_a.id, False):
            general = {"kind": "late", "company_id": company}
            routes.search([("site_id", "=", False), ("kind", "=", "late")]).unlink()
            routes.create(general)
            self._assert_row_refused(
                "one general routing line",
                lambda general=general: routes.create(general),
            )
        with self._assert_refused(self.company_a.name, error=ValidationError):
            routes.create({**values, "kind": "half", "company_id": self.company_b.id})

    def test_company(self):
        self._assert_row_refused(
            "recurrence period",
            lambda: self.company_a.write({"recurrence_days": -1}),
        )

    def test_posting(self):
        self._assert_row_refused(
            "before its first day",
            lambda: self.posting.write({"date_to": "2019-12-31"}),
        )
        with self._assert_refused(
            self.resident_b.name, self.company_a.name, error=ValidationError
        ):
            self._create_posting(self.site, self.resident_b)
        with self._assert_refused():
            self.posting.calendar_id = self.site_b.calendar_id

    def test_defect_tree(self):
        child = self.env["quality.defect"].create(
            {"code": "TST-1-1", "name": "Deep", "parent_id": self.defect.id}
        )
        for parent in (child, self.defect):
            with self.subTest(parent=parent.code), self._assert_refused():
                self.defect.parent_id = parent
        self.assertEqual(child.complete_name, "TST-1 / TST-1-1")
        self.defect.code = "TST-0"
        self.assertEqual(child.complete_name, "TST-0 / TST-1-1")
        with self._assert_refused(self.defect.display_name, "archive"):
            self.defect.unlink()
        (self.defect + child).unlink()

    def test_place_tree(self):
        child = self.env["resident.place"].create(
            {"site_id": self.site.id, "name": "Cell 3", "parent_id": self.place.id}
        )
        for parent in (child, self.place):
            with self.subTest(parent=parent.name), self._assert_refused():
                self.place.parent_id = parent
        with self._assert_refused(self.site.name, self.place_de.name):
            child.parent_id = self.place_de
        self.assertEqual(child.display_name, "Door line / Cell 3")

    def test_numbers_are_found_however_they_are_spelt(self):
        parts = self.env["resident.part"].with_user(self.manager)
        part = parts.create(
            {
                "site_id": self.site.id,
                "product_id": self.product_2.id,
                "customer_ref": "5N0 123-45",
                "drawing_no": "zk.4711/B",
            }
        )
        complaint = self._create_complaint(part_id=part.id, product_id=False)
        for spelt in (
            "5N0123",
            "5n0-123",
            "5n0 123 45",
            "５Ｎ０１２３",
            "ZK4711b",
            "tstwip",
        ):
            with self.subTest(spelt=spelt):
                found = parts.name_search(spelt)
                self.assertEqual([part_id for part_id, _name in found], part.ids)
                self.assertIn(part, parts.search([("display_name", "ilike", spelt)]))
                self.assertEqual(
                    complaint.search([("part_id", "ilike", spelt)]), complaint
                )
        for other in ("45zk", "5N0 124", "-", " "):
            with self.subTest(other=other):
                found = parts.name_search(other, domain=[("id", "=", part.id)])
                # A blank alone is in the number as it is spelt.
                self.assertEqual(bool(found), other in "5N0 123-45")
        self.assertNotIn(part, parts.search([("display_name", "not ilike", "5n0123")]))
        part.customer_ref = "8W0"
        self.assertFalse(parts.name_search("5N0123"))
        self.product_2.default_code = "WI-9"
        self.assertTrue(parts.name_search("wi9"))

    def test_customer_s_number_is_found_whole(self):
        parts = self.env["resident.part"]
        for number, found in (
            ("6L0-837-911", self.part),
            ("6l0837911", self.part),
            ("6L0 837", parts),
            ("D4711", parts),
            ("%", parts),
        ):
            with self.subTest(number=number):
                self.assertEqual(parts._find_by_customer_ref(self.site, number), found)

    def test_masters_in_use_stay(self):
        complaint = self._create_complaint(
            defect_id=self.defect.id, contact_id=self.contact.id
        )
        for record in (
            self.part,
            self.place,
            self.defect,
            self.contact,
            self.site,
        ):
            with (
                self.subTest(model=record._name),
                self._assert_refused(record.display_name, "archive it instead"),
            ):
                record.with_user(self.manager).unlink()
            record.with_user(self.manager).action_archive()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.product.unlink()
            self.env.flush_all()
        self.assertTrue(complaint.exists())

    def test_masters_out_of_use_go(self):
        masters = (self.part_de, self.place_de, self.defect_2, self.contact)
        self._create_complaint()
        for record in masters:
            with self.subTest(model=record._name):
                record.with_user(self.manager).unlink()
                self.assertFalse(record.exists())

    def test_people_of_a_site_have_a_role(self):
        """Who has none of our groups could not open what he is called for."""
        for group, name in (
            ("manager", "manager_id"),
            ("quality", "quality_user_ids"),
            ("sales", "sales_user_ids"),
        ):
            label = self.env.ref(f"quality_resident.group_{group}").name
            value = self.outsider.id if name == "manager_id" else self.outsider.ids
            with (
                self.subTest(field=name),
                self._assert_refused(self.outsider.name, label, error=ValidationError),
            ):
                self.site.with_user(self.manager).write({name: value})
        with self._assert_refused(
            self.outsider.name, "Resident Engineer", error=ValidationError
        ):
            self._create_posting(self.site, self.outsider)
        self.outsider.group_ids += self.env.ref("quality_resident.group_quality")
        self.assertTrue(self._create_posting(self.site, self.outsider))


@tagged("post_install", "-at_install")
class TestPostings(ResidentCommon):
    def test_end_at_midnight_of_the_site(self):
        both = self.posting + self.posting_de
        both.date_to = "2026-03-10"
        self.posting_standin.date_to = "2026-03-11"
        for moment, expected in (
            ("2026-03-10 15:59:59", ["active", "active"]),
            ("2026-03-10 16:00:00", ["ended", "active"]),
            ("2026-03-10 22:59:59", ["ended", "active"]),
            ("2026-03-10 23:00:00", ["ended", "ended"]),
        ):
            with self.subTest(moment=moment), self._at(moment):
                self._run_cron(CRON_POSTINGS)
                self.assertEqual(both.mapped("state"), expected)
        self.assertEqual(self.posting_standin.state, "active")
        self.assertEqual(self.posting_b.state, "active")

    def test_west_of_the_server(self):
        self.site_de.calendar_id = self._create_calendar("LA", "America/Los_Angeles")
        self.posting_de.date_to = "2026-03-10"
        for moment, expected in (
            ("2026-03-11 06:59:59", "active"),
            ("2026-03-11 07:00:00", "ended"),
        ):
            with self.subTest(moment=moment), self._at(moment):
                self._run_cron(CRON_POSTINGS)
                self.assertEqual(self.posting_de.state, expected)

    def test_suspended_postings_end_too(self):
        self.posting.write({"date_to": "2026-03-10", "state": "suspended"})
        with self._at("2026-03-12 00:00:00"):
            self._run_cron(CRON_POSTINGS)
        self.assertEqual(self.posting.state, "ended")

    def test_history_of_a_posting_is_kept(self):
        self.posting.with_user(self.manager).state = "suspended"
        self.env.cr.flush()
        tracked = self.posting.message_ids.tracking_value_ids
        self.assertIn("state", tracked.field_id.mapped("name"))


@tagged("post_install", "-at_install")
class TestImport(ResidentCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("zh_CN")
        # A customer of ours with a name of its own, as a spreadsheet names him.
        cls.newcomer = new_test_user(
            cls.env,
            login="newcomer",
            name="Test Newcomer",
            groups="quality_resident.group_resident",
            company_id=cls.company_a.id,
        )
        cls.place.name = "Test line of its own"

    def _get_rows(self):
        """Return a row for each master as a manager fills its template in."""
        return {
            "resident.site": {
                "name": "Test Imported Plant",
                "code": "TSTIMP",
                "partner_id": self.customer.name,
                "calendar_id": self.calendar.name,
                "manager_id": self.manager.name,
            },
            "resident.place": {
                "site_id": self.site.name,
                "name": "Test imported place",
                "kind": "Station",
                "parent_id": self.place.complete_name,
                "must_screen": "True",
            },
            "resident.posting": {
                "site_id": self.site.name,
                "user_id": self.newcomer.name,
                "role": "Stand-in",
                "date_from": "2026-01-01",
                "date_to": "",
            },
            "resident.part": {
                "site_id": self.site.name,
                "product_id": self.product_2.name,
                "customer_ref": "IMP 000 1",
                "drawing_no": "D-1",
                "vehicle_position": "Front",
                "place_id": self.place.complete_name,
            },
            "resident.contact": {
                "site_id": self.site.name,
                "partner_id": self.sqe.name,
                "role": "Shift Leader",
                "note": "Early shift",
            },
            "quality.defect": {
                "code": "TST-IMP",
                "name": "Imported",
                "parent_id": self.defect.name,
            },
        }

    def _download(self, model):
        (template,) = self.env[model].get_import_templates()
        response = self.url_open(template["template"])
        self.assertEqual(response.status_code, 200)
        return openpyxl.load_workbook(io.BytesIO(response.content))

    def _preview(self, model, workbook):
        stream = io.BytesIO()
        workbook.save(stream)
        wizard = (
            self.env["base_import.import"]
            .with_user(self.manager)
            .with_context(lang=self.manager.lang)
            .create(
                {
                    "res_model": model,
                    "file": stream.getvalue(),
                    "file_name": "masters.xlsx",
                    "file_type": "application/vnd.openxmlformats-officedocument"
                    ".spreadsheetml.sheet",
                }
            )
        )
        options = {"has_headers": True, "quoting": '"', "separator": ","}
        preview = wizard.parse_preview(options)
        self.assertFalse(preview.get("error"))
        matches = [
            "/".join(preview["matches"].get(column, []))
            for column in range(len(preview["headers"]))
        ]
        return wizard, preview, matches

    def test_every_master_has_a_template(self):
        models = {
            name
            for name, model in self.env.registry.items()
            if not model._abstract and hasattr(model, "_import_template_fields")
        }
        # Lines are imported into a claim: see test_claim.
        self.assertEqual(models - {"quality.claim.line"}, set(self._get_rows()))

    def test_template_is_imported(self):
        self.authenticate(self.manager.login, "managerx")
        for model, row in self._get_rows().items():
            with self.subTest(model=model):
                workbook = self._download(model)
                sheet = workbook.active
                sheet.delete_rows(2)
                sheet.append([row[name] for name in row])
                wizard, preview, matches = self._preview(model, workbook)
                self.assertEqual(matches, list(row))
                before = self.env[model].search([])
                result = wizard.execute_import(
                    matches, preview["headers"], preview["options"]
                )
                self.assertFalse(result["messages"])
                record = self.env[model].search([]) - before
                self.assertEqual(len(record), 1)
                for name in row:
                    field = record._fields[name]
                    if field.relational:
                        value = record[name].display_name
                        self.assertIn(row[name], value)
                    elif field.type == "selection":
                        labels = dict(field._description_selection(self.env))
                        self.assertEqual(labels[record[name]], row[name])
                    elif field.type == "char":
                        self.assertEqual(record[name], row[name])

    def test_place_of_the_right_site(self):
        """Every plant has its body shop: the name alone must not decide."""
        shops = self.env["resident.place"].create(
            [
                {"site_id": site.id, "name": "Test body shop", "kind": "body"}
                for site in (self.site, self.site_de)
            ]
        )
        for site, shop in zip((self.site, self.site_de), shops, strict=True):
            for model, header, row in (
                (
                    "resident.part",
                    ["site_id", "product_id", "customer_ref", "place_id"],
                    [site.name, self.product_2.name, "IMP 2", shop.name],
                ),
                (
                    "resident.place",
                    ["site_id", "name", "kind", "parent_id"],
                    [site.name, "Test cell", "Station", shop.name],
                ),
                (
                    "resident.contact",
                    ["site_id", "partner_id", "role", "place_id"],
                    [site.name, self.sqe.name, "Other", shop.name],
                ),
            ):
                records = self.env[model].with_user(self.manager)
                with self.subTest(model=model, site=site.code), self._rolled_back():
                    result = records.load(header, [row])
                    self.assertTrue(result["ids"], result["messages"])
                    record = records.browse(result["ids"])
                    self.assertEqual(record[header[-1]], shop)

    def test_place_of_another_site_is_refused(self):
        for record in (self.part, self.contact):
            with (
                self.subTest(model=record._name),
                self._assert_refused(self.site_de.name),
            ):
                record.place_id = self.place_de

    def test_headings_are_in_the_user_s_language(self):
        field = self.env["ir.model.fields"]._get("resident.part", "customer_ref")
        field.with_context(lang="zh_CN").field_description = "顾客零件号"
        self.manager.lang = "zh_CN"
        self.authenticate(self.manager.login, "managerx")
        workbook = self._download("resident.part")
        headings = [cell.value for cell in workbook.active[1]]
        self.assertIn("顾客零件号", headings)
        _wizard, _preview, matches = self._preview("resident.part", workbook)
        self.assertEqual(matches, list(self._get_rows()["resident.part"]))

    def test_template_only_for_who_may_import(self):
        self.authenticate(self.quality.login, "qualityx")
        for model in self._get_rows():
            (template,) = self.env[model].get_import_templates()
            with self.subTest(model=model), mute_logger("odoo.http"):
                status = self.url_open(template["template"]).status_code
                self.assertEqual(status, 403)

    def test_no_template_for_other_models(self):
        self.authenticate(self.manager.login, "managerx")
        for model in ("res.users", "no.such.model", "quality.complaint"):
            url = f"/quality_resident/import_template/{model}"
            with self.subTest(model=model):
                self.assertEqual(self.url_open(url).status_code, 404)

    def test_import_says_which_row_is_wrong(self):
        model = self.env["resident.posting"].with_user(self.manager)
        day = fields.Date.to_string(fields.Date.today())
        with mute_logger("odoo.sql_db"):
            result = model.load(
                ["site_id", "user_id", "role", "date_from"],
                [
                    [self.site.name, self.newcomer.name, "Resident", day],
                    [self.site.name, "Nobody at all", "Resident", day],
                ],
            )
        self.assertFalse(result["ids"])
        message = result["messages"][0]
        self.assertEqual(message["rows"], {"from": 1, "to": 1})
        self.assertIn("Nobody at all", message["message"])
        self.assertFalse(self.newcomer in self.site.posting_ids.user_id)
