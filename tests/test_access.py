from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import GROUP, MODULE, ResidentCommon, make_jpeg

# What each role may do with a record of its own site, of another site of the company,
# and of another company: (c)reate, (r)ead, (u)pdate, (d)elete.
OPERATIONS = {"c": "create", "r": "read", "u": "write", "d": "unlink"}
READ_OWN = ("r", "", "")
WORK_OWN = ("cru", "", "")
READ_ALL = ("r", "r", "")
DO_ALL = ("crud", "crud", "")
NOTHING = ("", "", "")
MASTER = {
    "resident": READ_OWN,
    "standin": READ_OWN,
    "quality": READ_OWN,
    "sales": READ_OWN,
    "manager": DO_ALL,
    "gm": READ_ALL,
}
WORK = {**MASTER, "resident": WORK_OWN, "standin": WORK_OWN}
DRAFTS = {**MASTER, **dict.fromkeys(("resident", "standin"), ("crud", "", ""))}
DIALOGUE = {role: ("cru",) * 3 for role in ("resident", "standin", "manager")}
HOME_DIALOGUE = {role: ("cru",) * 3 for role in ("quality", "manager")}
RETURN = {
    **MASTER,
    **dict.fromkeys(("resident", "standin"), ("crud", "", "")),
    "quality": ("ru", "", ""),
}
EXPECTED = {
    "resident.site": MASTER,
    "resident.place": MASTER,
    "resident.posting": MASTER,
    "resident.part": WORK,
    "resident.contact": WORK,
    "resident.talk": WORK,
    "quality.complaint": WORK,
    # A count is undone, never changed.
    "quality.sorting": {
        **MASTER,
        **dict.fromkeys(("resident", "standin"), ("cr", "", "")),
        "manager": ("cr", "cr", ""),
    },
    "quality.breakpoint": WORK,
    # Quality owns measures too.
    "quality.measure": {
        **MASTER,
        **dict.fromkeys(("resident", "standin"), ("crud", "", "")),
        "quality": WORK_OWN,
    },
    # A draft may go; what was signed or repaired guards itself.
    "quality.service.sheet": DRAFTS,
    "quality.suspect.slip": DRAFTS,
    "quality.vehicle": DRAFTS,
    "quality.method": {**MASTER, "quality": ("crud", "", "")},
    # The 8D is Quality's document as much as the resident's.
    "quality.8d": {**WORK, "quality": WORK_OWN},
    **{
        model: {
            **MASTER,
            **dict.fromkeys(("resident", "standin", "quality"), ("crud", "", "")),
        }
        for model in ("quality.8d.member", "quality.cause", "quality.prevention")
    },
    # Made by sending, changed by nobody.
    "quality.8d.revision": {**MASTER, "manager": READ_ALL},
    # Quality traces through the whole company: a recall is hers.
    "quality.trace": {
        **dict.fromkeys(MASTER, READ_OWN),
        **dict.fromkeys(("quality", "manager", "gm"), READ_ALL),
    },
    # Quality lists as well what lies at home; what was submitted guards itself.
    **dict.fromkeys(
        ("quality.scrap.request", "quality.scrap.line"),
        {
            **MASTER,
            **dict.fromkeys(("resident", "standin", "quality"), ("crud", "", "")),
        },
    ),
    # Signatures are made by the request's actions alone.
    "quality.scrap.signature": {**MASTER, "manager": READ_ALL},
    # Quality decides and judges; what is written when guards itself.
    "quality.return": RETURN,
    "quality.return.line": RETURN,
    "quality.return.judgement": {
        **dict.fromkeys(MASTER, READ_OWN),
        "quality": WORK_OWN,
        "manager": READ_ALL,
        "gm": READ_ALL,
    },
    # Sales agrees and settles; what is written when guards itself.
    **dict.fromkeys(
        ("quality.claim", "quality.claim.line"),
        {
            **MASTER,
            **dict.fromkeys(("resident", "standin", "quality"), ("crud", "", "")),
            "sales": ("ru", "", ""),
        },
    ),
    # A draft may go; what was signed guards itself.
    "quality.claim.sheet": {
        **MASTER,
        **dict.fromkeys(("resident", "standin", "quality"), ("crud", "", "")),
    },
    # The ledger is written by the claim's actions alone.
    "quality.claim.entry": {**MASTER, "manager": READ_ALL},
    # A ledger is its company's, and so are its checks.
    **dict.fromkeys(
        ("quality.claim.check", "quality.claim.check.line"),
        dict.fromkeys(("quality", "sales", "manager", "gm"), READ_ALL),
    ),
    # A statement sums up what its author may see.
    "quality.claim.statement": {
        **dict.fromkeys(("quality", "sales"), ("c", "c", "")),
        "manager": DO_ALL,
        "gm": READ_ALL,
    },
    "quality.claim.report": {role: ("cru",) * 3 for role in MASTER},
    # An import's dialogue is for who has opened it; what it notes is its own.
    "quality.claim.import": dict.fromkeys(
        ("resident", "standin", "quality", "manager"), ("c",) * 3
    ),
    **dict.fromkeys(
        (f"quality.claim.import.{part}" for part in ("sheet", "heading", "problem")),
        {},
    ),
    "quality.claim.import.column": {"manager": ("rud", "rud", "")},
    "quality.claim.file": {"manager": READ_ALL},
    # Sums over other records: nobody enters a figure.
    "quality.figure": {**MASTER, "manager": READ_ALL},
    # Residents comment, Sales notes the verdict; what is whose guards itself.
    "quality.scorecard": {
        **MASTER,
        **dict.fromkeys(("resident", "standin", "sales"), ("ru", "", "")),
        "quality": ("crud", "", ""),
    },
    "quality.rating.rule": {**MASTER, "quality": ("crud", "", "")},
    # What was due or sent guards itself; lists of a whole company are the manager's.
    "resident.report": WORK,
    "qc.inspection": {**WORK, "manager": ("cru", "cru", "")},
    "qc.inspection.line": {**WORK, "manager": ("cru", "cru", "")},
    "resident.route": {"manager": DO_ALL, "gm": READ_ALL},
    "resident.event": {"manager": READ_ALL, "gm": READ_ALL},
    # Codes are shared by all sites and companies.
    "quality.defect": {
        **{role: ("r", "r", "r") for role in MASTER},
        "manager": ("crud", "crud", "crud"),
    },
    # A dialogue holds a sentence for some hours and opens nothing by itself.
    "quality.reason": {**DIALOGUE, **HOME_DIALOGUE, "sales": ("cru",) * 3},
    "quality.return.receive": HOME_DIALOGUE,
    "quality.return.receive.line": {
        role: ("crud",) * 3 for role in ("quality", "manager")
    },
    "quality.return.judge": {"quality": ("cru",) * 3},
    "quality.return.judge.line": {"quality": ("crud",) * 3},
    "quality.breakpoint.fail": DIALOGUE,
    "quality.sorting.scan": DIALOGUE,
    "quality.sheet.sign": {**DIALOGUE, "quality": ("cru",) * 3},
    "quality.claim.judge": {**DIALOGUE, "quality": ("cru",) * 3},
    "quality.claim.escalate": {
        **DIALOGUE,
        **dict.fromkeys(("quality", "sales"), ("cru",) * 3),
    },
    "quality.vehicle.scan": DIALOGUE,
    "quality.slip.decide": DIALOGUE,
    "quality.slip.split": DIALOGUE,
    "quality.slip.split.line": {role: ("crud",) * 3 for role in DIALOGUE},
    "quality.label.print": {**DIALOGUE, "quality": ("cru",) * 3},
    "quality.8d.answer": {**DIALOGUE, "quality": ("cru",) * 3},
    "quality.trace.lookup": dict.fromkeys(MASTER, ("cru",) * 3),
    "quality.scrap.sign": {role: ("cru",) * 3 for role in ("quality", "sales", "gm")},
}
# What a document of a complaint needs besides it.
DOCUMENTS = {
    "quality.measure": {"name": "Sort"},
    "quality.service.sheet": {},
    "quality.suspect.slip": {},
    "quality.vehicle": {"vin": "LFV2A21K3P4000001"},
}
# Dialogues about a document, and one that they are about.
DOCUMENT_DIALOGUES = {
    "quality.sheet.sign": "quality.service.sheet",
    "quality.vehicle.scan": "quality.complaint",
    "quality.slip.decide": "quality.suspect.slip",
    "quality.slip.split": "quality.suspect.slip",
    "quality.slip.split.line": "quality.suspect.slip",
    "quality.label.print": "quality.suspect.slip",
}
# Of another module, with rights of ours.
EXTENDED = ("qc.inspection", "qc.inspection.line")
# Belong to no site.
SHARED = (
    "quality.defect",
    "quality.reason",
    "quality.return.receive",
    "quality.return.receive.line",
    "quality.return.judge",
    "quality.return.judge.line",
    "quality.breakpoint.fail",
    "quality.sorting.scan",
    "quality.sheet.sign",
    "quality.claim.judge",
    "quality.claim.escalate",
    "quality.vehicle.scan",
    "quality.slip.decide",
    "quality.slip.split",
    "quality.slip.split.line",
    "quality.label.print",
    "quality.claim.report",
    "quality.8d.answer",
    "quality.trace.lookup",
    "quality.scrap.sign",
    "quality.claim.import",
    "quality.claim.import.sheet",
    "quality.claim.import.heading",
    "quality.claim.import.problem",
)
# Values of the lines of an 8D report.
LINES_8D = {
    "quality.8d.member": lambda case: {
        "partner_id": case.outsider.partner_id.id,
        "role": "design",
    },
    "quality.cause": lambda case: {"name": "Worn die"},
    "quality.prevention": lambda case: {"kind": "fmea", "name": "P-FMEA"},
    "quality.8d.revision": lambda case: {
        "number": 1,
        "sent_at": "2026-03-10 01:00:00",
        "sent_by_id": case.resident.id,
    },
}
# Belong to a company, not to a site.
COMPANY_WIDE = (
    "quality.claim.check",
    "quality.claim.check.line",
    "quality.claim.statement",
)
ROLES = ("resident", "standin", "quality", "sales", "manager", "gm", "outsider")


@tagged("post_install", "-at_install")
class TestAccess(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.complaints = [
            cls._create_complaint(user, site_id=site.id).sudo()
            for user, site in (
                (cls.resident, cls.site),
                (cls.resident_de, cls.site_de),
                (cls.resident_b, cls.site_b),
            )
        ]
        cls.complaint, cls.complaint_de, cls.complaint_b = cls.complaints
        cls.sites = (cls.site, cls.site_de, cls.site_b)
        for site in cls.sites:
            site._create_locations()
        for complaint in cls.complaints:
            cls._screen(complaint)
            complaint.inspection_ids.inspection_lines.create(
                {"inspection_id": complaint.inspection_ids.id, "name": "Scratch?"}
            )
            complaint.breakpoint_ids.create(
                {"complaint_id": complaint.id, "value": "L8"}
            )
            cls._create_judged_return(complaint.site_id)
            claim = cls.env["quality.claim"].create(
                {
                    "site_id": complaint.site_id.id,
                    "line_ids": [
                        Command.create({"product_id": cls.product.id, "price_unit": 1})
                    ],
                }
            )
            claim.action_judge()
            claim.sheet_ids.create({"claim_id": claim.id})
        cls.claim = claim

    @classmethod
    def _create_judged_return(cls, site):
        cls._set_up_stock(site)
        cls._put(site.suspect_location_id, 2)
        document = cls.env["quality.return"].create(
            {
                "site_id": site.id,
                "reason": "Worn",
                "line_ids": [
                    Command.create({"product_id": cls.product.id, "quantity": 2})
                ],
            }
        )
        document.action_request()
        document.with_user(cls.root).action_approve()
        document.action_ship()
        document._receive([(cls.product, cls.env["stock.lot"], 2)])
        document.line_ids.judgement_ids.create(
            {"line_id": document.line_ids.id, "quantity": 1, "judgement": "scrap"}
        )

        cls.requests = [cls._create_scrap_request(site) for site in cls.sites]
        for request in cls.requests:
            request.signature_ids._create_protected(
                [
                    {
                        "request_id": request.id,
                        "revision": 1,
                        "role": "quality",
                        "user_id": cls.quality.id,
                        "date": "2026-01-01",
                    }
                ]
            )

    @classmethod
    def _create_scrap_request(cls, site):
        return cls.env["quality.scrap.request"].create(
            {
                "site_id": site.id,
                "line_ids": [
                    Command.create(
                        {
                            "product_id": cls.product.id,
                            "location_id": site.suspect_location_id.id,
                        }
                    )
                ],
            }
        )

    def _get_records(self, model):
        """Return a record of the own site, of another one and of another company."""
        if model in SHARED:
            return (self._get_shared(model),) * 3
        records = self.env[model]
        if model in COMPANY_WIDE:
            return tuple(
                self._create_company_wide(records, site.company_id)
                for site in self.sites
            )
        documents = {
            "resident.site": self.sites,
            "quality.complaint": self.complaints,
            "quality.breakpoint": [c.breakpoint_ids[:1] for c in self.complaints],
            "quality.scrap.request": self.requests,
        }
        if model in documents:
            return tuple(record.with_env(self.env) for record in documents[model])
        if model in DOCUMENTS:
            return tuple(
                records.create({"complaint_id": c.id, **DOCUMENTS[model]})
                for c in self.complaints
            )
        if model == "quality.8d":
            for complaint in self.complaints:
                complaint.action_create_8d()
            return tuple(c.eightd_id.with_env(self.env) for c in self.complaints)
        if model in LINES_8D:
            return tuple(
                records.create({"eightd_id": report.id, **LINES_8D[model](self)})
                for report in self._get_records("quality.8d")
            )
        values = {
            "resident.contact": {"partner_id": self.sqe.id, "role": "other"},
            "resident.talk": {"subject": "Sorting"},
            "resident.report": {"kind": "daily"},
            "resident.route": {"kind": "new"},
            "quality.method": {"name": "Sort", "product_id": self.product.id},
            "quality.rating.rule": {"name": "Own way"},
            "quality.scorecard": {"month": "2026-01-01"},
        }
        if model in values:
            return tuple(
                records.create({"site_id": site.id, **values[model]})
                for site in self.sites
            )
        if model == "quality.claim.file":
            return tuple(
                records.create(
                    {
                        "name": "notice.xlsx",
                        "digest": "x",
                        "claim_id": self.env["quality.claim"]
                        .search([("site_id", "=", site.id)], limit=1)
                        .id,
                    }
                )
                for site in self.sites
            )
        if model == "quality.claim.import.column":
            return tuple(
                records.create(
                    {
                        "company_id": site.company_id.id,
                        "partner_id": self.customer.id,
                        "heading": site.name,
                        "heading_key": site.code,
                    }
                )
                for site in self.sites
            )
        path = "site_id" if "site_id" in records else "inspection_id.site_id"
        return tuple(
            records.search([(path, "=", site.id)], limit=1) for site in self.sites
        )

    def _create_company_wide(self, records, company):
        if records._name == "quality.claim.statement":
            return records.create(
                {"partner_id": self.customer.id, "company_id": company.id}
            )
        check = self.env["quality.claim.check"]._check(company)
        if records._name == "quality.claim.check":
            return check
        return records._create_protected(
            [{"check_id": check.id, "problem": "link", "sequence": 1}]
        )

    def _get_shared(self, model):
        """Return a record that belongs to no site: a code or a dialogue."""
        if model == "quality.defect":
            return self.defect
        if model in DOCUMENT_DIALOGUES:
            return self._create_dialogue(model)
        if model.startswith("quality.return."):
            return self._create_return_dialogue(model)
        if model.startswith("quality.claim.import"):
            return self._create_import(model)
        values = {
            "quality.reason": {"reason": "x"},
            "quality.claim.judge": {},
            "quality.claim.escalate": {"claim_id": self.claim.id},
            "quality.breakpoint.fail": {
                "breakpoint_id": self.complaint.breakpoint_ids[:1].id,
                "reason": "x",
            },
            "quality.sorting.scan": {
                "inspection_id": self.complaint.inspection_ids.id,
                "serials": "S1",
            },
            "quality.scrap.sign": {"request_ids": self.requests[0].ids, "seen": {}},
            "quality.trace.lookup": {"product_id": self.product.id},
            "quality.claim.report": {},
        }
        if model == "quality.8d.answer":
            (report, *_others) = self._get_records("quality.8d")
            values[model] = {"eightd_id": report.id, "contact_id": self.contact.id}
        return self.env[model].create(values[model])

    def _create_import(self, model):
        dialogue = self.env["quality.claim.import"].create(
            {"site_id": self.site.id, "file": b"eA=="}
        )
        values = {"import_id": dialogue.id}
        if model.endswith(".sheet"):
            values["name"] = "Sheet 1"
        return self.env[model].create(values) if model != dialogue._name else dialogue

    def _create_return_dialogue(self, model):
        (document, *_others) = self._get_records("quality.return")
        dialogue = self.env[model.removesuffix(".line")].create(
            {"return_id": document.id}
        )
        if model == "quality.return.receive.line":
            dialogue.line_ids = [Command.create({"product_id": self.product.id})]
        return dialogue.line_ids[:1] if model.endswith(".line") else dialogue

    def _create_dialogue(self, model):
        """Return a dialogue about a document of the own site."""
        document_model = DOCUMENT_DIALOGUES[model]
        (document, *_others) = self._get_records(document_model)
        values = {
            "quality.sheet.sign": {"signed_by": "Li Wei", "signature": b"eA=="},
            "quality.vehicle.scan": {"vins": "x"},
            "quality.slip.decide": {"disposition": "sort"},
            "quality.slip.split.line": {"quantity": 1},
        }.get(model, {})
        if model == "quality.slip.split.line":
            values["wizard_id"] = self._create_dialogue("quality.slip.split").id
        return (
            self.env[model]
            .with_context(
                active_model=document_model,
                active_id=document.id,
                active_ids=document.ids,
            )
            .create(values)
        )

    def _get_models(self):
        return sorted(
            name
            for name, model in self.env.registry.items()
            if name in EXTENDED
            or (model._original_module == MODULE and not model._abstract)
        )

    def test_matrix_covers_all_models(self):
        self.assertEqual(self._get_models(), sorted(EXPECTED))

    def test_matrix(self):
        for model in self._get_models():
            records = self._get_records(model)
            self.assertTrue(all(records), model)
            for role in ROLES:
                expected = EXPECTED[model].get(role, NOTHING)
                user = getattr(self, role)
                actual = tuple(
                    "".join(
                        letter
                        for letter, operation in OPERATIONS.items()
                        if record.with_user(user).has_access(operation)
                    )
                    for record in records
                )
                with self.subTest(model=model, role=role):
                    self.assertEqual(actual, expected)

    def test_other_company_s_manager(self):
        for model in self._get_models():
            own, other, theirs = self._get_records(model)
            if model in SHARED:
                continue
            with self.subTest(model=model):
                mine = theirs.with_user(self.manager_b)
                self.assertTrue(mine.has_access("read"))
                for record in (own, other):
                    self.assertFalse(
                        record.with_user(self.manager_b).has_access("read")
                    )

    def test_lists_show_what_may_be_read(self):
        """The rules filter searches as they guard records."""
        for model in self._get_models():
            if model in SHARED:
                continue
            records = self.env[model].concat(*self._get_records(model))
            for role in ROLES:
                user = getattr(self, role)
                found = EXPECTED[model].get(role, NOTHING)
                visible = self.env[model].concat(
                    *(
                        record
                        for record, rights in zip(records, found, strict=True)
                        if "r" in rights
                    )
                )
                own = self.env[model].with_user(user)
                with self.subTest(model=model, role=role):
                    if not visible:
                        continue
                    self.assertEqual(
                        own.search([("id", "in", records.ids)]).sorted("id").ids,
                        visible.sorted("id").ids,
                    )

    # === WHAT RESIDENTS DO === #

    def test_resident_works_at_his_site_only(self):
        model = self.env["quality.complaint"].with_user(self.resident)
        self.assertTrue(model.create({"site_id": self.site.id}))
        for site in (self.site_de, self.site_b):
            with self.subTest(site=site.name), self.assertRaises(AccessError):
                model.create({"site_id": site.id})

    def test_resident_cannot_move_a_complaint_out_of_sight(self):
        own = self.complaint.with_user(self.resident)
        for site in (self.site_de, self.site_b):
            with self.subTest(site=site.name), self.assertRaises(AccessError):
                own.write({"site_id": site.id, "part_id": False, "place_id": False})
        with self.assertRaises(AccessError):
            self.complaint_de.with_user(self.resident).site_id = self.site

    def test_resident_cannot_move_masters_out_of_sight(self):
        self.complaint_de.part_id = False
        for model in ("resident.part", "resident.contact", "resident.talk"):
            record, elsewhere, _theirs = self._get_records(model)
            elsewhere.unlink()
            values = {"site_id": self.site_de.id}
            if "place_id" in record:
                values["place_id"] = False
            record = record.with_user(self.resident)
            with self.subTest(model=model), self.assertRaises(AccessError):
                record.write(values)

    def test_resident_cannot_talk_about_another_site(self):
        model = self.env["resident.talk"].with_user(self.resident)
        for values in (
            {"complaint_id": self.complaint_de.id},
            {"complaint_id": self.complaint_de.id, "site_id": self.site.id},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                model.create({"subject": "x", **values})

    def test_resident_of_two_sites(self):
        self._create_posting(self.site_de, self.resident)
        own = self.env["quality.complaint"].with_user(self.resident)
        self.assertTrue((self.complaint + self.complaint_de) <= own.search([]).sudo())
        self.assertNotIn(self.complaint_b, own.search([]).sudo())

    def test_quality_who_is_resident_elsewhere(self):
        self.quality.group_ids += self.env.ref(GROUP + "resident")
        self._create_posting(self.site_de, self.quality)
        self.assertTrue(self.complaint.with_user(self.quality).has_access("read"))
        self.assertTrue(self.complaint_de.with_user(self.quality).has_access("write"))

    # === POSTINGS === #

    def _may_see(self):
        """Tell whether the resident gets at his site, in both ways."""
        own = self.complaint.with_user(self.resident)
        domain = [("id", "=", own.id)]
        listed = bool(own.search_count(domain))
        self.assertEqual(own.has_access("read"), listed)
        self.assertEqual(own.has_access("write"), listed)
        return listed

    def test_access_ends_with_the_posting(self):
        for values in (
            {"state": "suspended"},
            {"state": "ended"},
            {"date_from": "2999-01-01"},
            {"date_to": "2020-01-02"},
            {"user_id": self.resident_de.id},
            {"site_id": self.site_de.id},
        ):
            with self.subTest(values=values), self._rolled_back():
                self.assertTrue(self._may_see())
                self.posting.write(values)
                self.assertFalse(self._may_see())
                with self.assertRaises(AccessError):
                    self._create_complaint()
                with self.assertRaises(AccessError):
                    self.complaint.with_user(self.resident).action_arrive()

    def test_access_comes_back(self):
        self.posting.state = "suspended"
        self.assertFalse(self._may_see())
        self.posting.state = "active"
        self.assertTrue(self._may_see())

    def test_days_of_a_posting(self):
        """Nobody writes at midnight: the day itself opens and closes."""
        self.posting.write({"date_from": "2026-03-10", "date_to": "2026-03-12"})
        for moment, expected in (
            ("2026-03-09 12:00:00", False),
            ("2026-03-10 12:00:00", True),
            ("2026-03-12 12:00:00", True),
            ("2026-03-13 12:00:00", False),
            ("2026-03-11 12:00:00", True),
        ):
            with self.subTest(moment=moment), self._at(moment):
                self.assertEqual(self._may_see(), expected)

    def test_days_of_a_posting_are_the_site_s(self):
        """Midnight in Changchun, not the server's: 16:00 UTC in China."""
        self.resident.tz = "Asia/Shanghai"
        self.posting.write({"date_from": "2026-03-10", "date_to": "2026-03-12"})
        for moment, expected in (
            ("2026-03-09 15:59:59", False),
            ("2026-03-09 16:00:00", True),
            ("2026-03-12 15:59:59", True),
            ("2026-03-12 16:00:00", False),
        ):
            with self.subTest(moment=moment), self._at(moment):
                own = self.complaint.with_user(self.resident)
                own = own.with_context(tz="Asia/Shanghai")
                self.assertEqual(own.has_access("read"), expected)

    def test_resident_cannot_post_himself(self):
        model = self.env["resident.posting"].with_user(self.resident)
        with self.assertRaises(AccessError):
            model.create({"site_id": self.site_de.id, "user_id": self.resident.id})
        with self.assertRaises(AccessError):
            self.posting_de.with_user(self.resident).user_id = self.resident
        with self.assertRaises(AccessError):
            self.posting.with_user(self.resident).date_to = "2999-01-01"
        with self.assertRaises(AccessError):
            self.site.with_user(self.resident).posting_ids = [
                Command.create({"user_id": self.resident.id})
            ]

    # === QUALITY AND SALES === #

    def test_readers_comment(self):
        for user in (self.quality, self.sales, self.gm):
            message = self.complaint.with_user(user).message_post(body="Hold the lot")
            self.assertEqual(message.author_id, user.partner_id)
        for user in (self.quality, self.sales, self.outsider, self.manager_b):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.complaint_de.with_user(user).message_post(body="Hello")

    def test_readers_change_nothing(self):
        for user in (self.quality, self.sales, self.gm):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self.complaint.with_user(user).description = "Changed"
                with self.assertRaises(AccessError):
                    self._create_complaint(user)
                with self.assertRaises(AccessError):
                    self.complaint.with_user(user).unlink()

    def test_no_longer_served(self):
        self.assertTrue(self.complaint.with_user(self.sales).has_access("read"))
        self.site.sales_user_ids = [Command.clear()]
        self.assertFalse(self.complaint.with_user(self.sales).has_access("read"))

    def test_others_data_does_not_leak_through_relations(self):
        """A reader of one site finds nothing of another by searching across."""
        own = self.env["resident.part"].with_user(self.quality)
        self.assertFalse(
            own.search([("complaint_ids.site_id", "=", self.site_de.id)]).sudo()
        )
        groups = self.env["quality.complaint"].with_user(self.quality)
        sites = [site for (site,) in groups._read_group([], ["site_id"])]
        self.assertEqual([site.id for site in sites], self.site.ids)

    # === PHOTOS === #

    def test_photo_of_another_site_cannot_be_linked(self):
        foreign = self._create_photo(self.resident_de)
        self.complaint_de.with_user(self.resident_de).photo_ids = foreign
        own = self.complaint.with_user(self.resident)
        for command in (Command.link(foreign.id), Command.set(foreign.ids)):
            with self.subTest(command=command):
                with self.assertRaises(AccessError):
                    own.photo_ids = [command]
                with self.assertRaises(AccessError):
                    self._create_complaint(photo_ids=[command])
        self.assertFalse(self.complaint.photo_ids)
        self.assertEqual(foreign.res_id, self.complaint_de.id)

    def test_file_of_somebody_else_cannot_be_linked(self):
        attachments = self.env["ir.attachment"]
        private = attachments.with_user(self.manager).create(
            {"name": "salary.jpg", "raw": make_jpeg()}
        )
        secret = attachments.create(
            {
                "name": "rule.jpg",
                "raw": make_jpeg(),
                "res_model": "ir.rule",
                "res_id": self.env["ir.rule"].search([], limit=1).id,
            }
        )
        for foreign in (private, secret):
            with self.subTest(name=foreign.name), self.assertRaises(AccessError):
                self.complaint.with_user(self.resident).photo_ids = [
                    Command.link(foreign.id)
                ]
        self.assertFalse(private.res_id)

    def test_photo_cannot_be_changed_through_another_complaint(self):
        foreign = self._create_photo(self.resident_de)
        self.complaint_de.with_user(self.resident_de).photo_ids = foreign
        with self.assertRaises(AccessError):
            self.complaint.with_user(self.resident).photo_ids = [
                Command.update(foreign.id, {"name": "changed.jpg"})
            ]
        self.assertEqual(foreign.name, "photo.jpg")

    # === COMPANIES === #

    def test_user_of_two_companies(self):
        self.manager.company_ids += self.company_b
        everything = self.env["quality.complaint"].with_user(self.manager)
        ours = self.complaint + self.complaint_de

        def visible(*companies):
            ids = [company.id for company in companies]
            found = everything.with_context(allowed_company_ids=ids).search(
                [("id", "in", (ours + self.complaint_b).ids)]
            )
            return set(found.ids)

        self.assertEqual(visible(self.company_a), set(ours.ids))
        self.assertEqual(visible(self.company_b), set(self.complaint_b.ids))
        self.assertEqual(
            visible(self.company_a, self.company_b),
            set((ours + self.complaint_b).ids),
        )

    def test_complaint_belongs_to_the_company_of_its_site(self):
        self.manager.company_ids += self.company_b
        for active in (self.company_a, self.company_b):
            model = (
                self.env["quality.complaint"]
                .with_user(self.manager)
                .with_context(
                    allowed_company_ids=[
                        active.id,
                        *(self.company_a + self.company_b - active).ids,
                    ]
                )
            )
            self.assertEqual(
                model.create({"site_id": self.site_b.id}).company_id, self.company_b
            )

    def test_products_of_another_company_are_refused(self):
        theirs = self.env["product.product"].create(
            {"name": "Theirs", "company_id": self.company_b.id}
        )
        with self._assert_refused("Theirs"):
            self.complaint.sudo().write({"product_id": theirs.id, "part_id": False})
        lot = self.env["stock.lot"].create(
            {
                "name": "THEIRS-1",
                "product_id": theirs.id,
                "company_id": self.company_b.id,
            }
        )
        with self._assert_refused("THEIRS-1"):
            self.complaint.sudo().lot_ids = lot

    def test_new_employee_sees_nothing(self):
        """No group of ours is given to everybody."""
        fresh = new_test_user(self.env, login="fresh", company_id=self.company_a.id)
        privilege = self.env.ref(f"{MODULE}.res_groups_privilege_resident")
        groups = self.env["res.groups"].search([("privilege_id", "=", privilege.id)])
        names = [
            f"{MODULE}.group_{n}"
            for n in ("resident", "quality", "sales", "manager", "gm")
        ]
        ours = groups.union(*(self.env.ref(name) for name in names))
        self.assertEqual(len(ours), 5)
        self.assertFalse(fresh.all_group_ids & ours)
