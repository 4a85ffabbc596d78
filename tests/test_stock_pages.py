"""The lists of returns and scrap requests cost no query for each row."""

from functools import partial

from lxml import etree

from odoo.tests import tagged

from .test_return import ReturnCommon

PAGE = 80
# A page of eighty may cost this much more than a page of one.
PAGE_SLACK = 2


@tagged("post_install", "-at_install")
class TestStockPages(ReturnCommon):
    def _count(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        return self.env.cr.sql_log_count - before

    def _check_pages(self, model, user):
        records = self.env[model].with_user(user)
        for view_type in ("list", "kanban"):
            view = records.get_view(view_type=view_type)
            names = {
                node.get("name")
                for node in etree.fromstring(view["arch"]).iter("field")
                if node.get("name") in records._fields
            }
            specification = {
                name: {"fields": {"display_name": {}}}
                if records._fields[name].relational
                else {}
                for name in names
            }
            read = partial(records.web_search_read, [], specification)
            read(limit=PAGE)
            one = self._count(partial(read, limit=1))
            page = self._count(partial(read, limit=PAGE))
            with self.subTest(model=model, view=view_type, user=user.login):
                self.assertEqual(len(read(limit=PAGE)["records"]), PAGE)
                self.assertLessEqual(page, one + PAGE_SLACK)

    def test_returns(self):
        lots = [self._create_lot(f"P{n}", self.in_lots) for n in range(PAGE)]
        for lot in lots:
            self._put(self.suspect, 1, lot, self.in_lots)
        documents = self.env["quality.return"].with_user(self.resident)
        documents = documents.create(
            [
                {
                    "site_id": self.site.id,
                    "reason": "Cracked",
                    "line_ids": [
                        (0, 0, {"product_id": self.in_lots.id, "lot_id": lot.id})
                    ],
                }
                for lot in lots
            ]
        )
        documents.action_request()
        documents.with_user(self.quality).action_approve()
        for user in (self.resident, self.quality, self.sales, self.manager):
            self._check_pages("quality.return", user)

    def test_scrap_requests(self):
        requests = self.env["quality.scrap.request"].with_user(self.resident)
        self._put(self.suspect, PAGE, self.lot, self.in_lots)
        requests = requests.create(
            [
                {
                    "site_id": self.site.id,
                    "reason": "Cracked",
                    "line_ids": [
                        (0, 0, {"product_id": self.in_lots.id, "lot_id": self.lot.id})
                    ],
                }
                for _number in range(PAGE)
            ]
        )
        requests.action_submit()
        requests[: PAGE // 2].with_user(self.quality).action_sign("quality")
        for user in (self.resident, self.quality, self.sales, self.manager):
            self._check_pages("quality.scrap.request", user)
