import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

FITTED = [("welded", "Welded In"), ("on_line", "On Line"), ("off_line", "Off Line")]
# ISO 3779: no I, O or Q, which are too like 1 and 0.
VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
# What plants call a vehicle before it has a VIN.
BODY_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9./_-]{1,15}[A-Z0-9]")


def normalise_vin(text):
    """Return a vehicle's number as it is kept: no blanks, upper case."""
    return "".join(str(text or "").split()).upper()


class QualityVehicle(models.Model):
    """A vehicle with a suspect part, followed until its repair is verified (C10)."""

    _name = "quality.vehicle"
    _description = "Vehicle"
    _inherit = ["resident.site.mixin", "mail.thread", "quality.workflow.mixin"]
    _order = "complaint_id desc, state, vin"
    _rec_name = "vin"
    _same_site_fields = ("complaint_id", "place_id")
    _protected_fields = (
        "site_id",
        "company_id",
        "repaired_at",
        "repaired_by_id",
        "verified_at",
        "verified_by_id",
        "times_failed",
    )
    _fixed_fields = ("complaint_id",)
    _editable_states = {
        name: ("open", "repaired")
        for name in ("vin", "is_body_number", "fitted", "lot_id", "place_id")
    }
    _reason_actions = ("action_reopen",)

    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        required=True,
        index=True,
        ondelete="restrict",
    )
    site_id = fields.Many2one(
        related="complaint_id.site_id", store=True, precompute=True, required=False
    )
    product_id = fields.Many2one(related="complaint_id.product_id")
    state = fields.Selection(
        selection=[
            ("open", "To Repair"),
            ("repaired", "Repaired"),
            ("verified", "Verified"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="open",
        copy=False,
        index=True,
        tracking=True,
    )
    vin = fields.Char(string="VIN", required=True, index="trigram", tracking=True)
    is_body_number = fields.Boolean(
        string="Body Number",
        help="The vehicle has no VIN yet: followed by the plant's own number.",
    )
    fitted = fields.Selection(
        selection=FITTED,
        required=True,
        default="on_line",
        help="Where the vehicle is repaired; a part welded in stays on it.",
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot or Serial Number",
        domain="[('product_id', '=', product_id)]",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Of the part on the vehicle.",
    )
    place_id = fields.Many2one(
        comodel_name="resident.place",
        domain="[('site_id', '=', site_id)]",
        ondelete="restrict",
        help="Where the vehicle stands.",
    )
    note = fields.Text()
    photo_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Photos",
        # Photos follow the vehicle: who may read it may see them.
        bypass_search_access=True,
        copy=False,
    )
    repaired_at = fields.Datetime(string="Repaired On", readonly=True, copy=False)
    repaired_by_id = fields.Many2one(
        comodel_name="res.users", string="Repaired by", readonly=True, copy=False
    )
    verified_at = fields.Datetime(string="Verified On", readonly=True, copy=False)
    verified_by_id = fields.Many2one(
        comodel_name="res.users", string="Verified by", readonly=True, copy=False
    )
    times_failed = fields.Integer(
        readonly=True, copy=False, help="How often the repair did not hold."
    )

    _complaint_vin_uniq = models.UniqueIndex(
        "(complaint_id, vin)", "This vehicle is on the complaint already."
    )

    @api.model
    def _get_transitions(self):
        return {
            "open": {"repaired": ()},
            # Proven where the vehicle stands, by who is there.
            "repaired": {
                "verified": (
                    "quality_resident.group_resident",
                    "quality_resident.group_manager",
                ),
                "open": (),
            },
            "verified": {"open": ()},
        }

    # === CONSTRAINTS === #

    @api.constrains("vin", "is_body_number")
    def _check_vin(self):
        if wrong := self.filtered(lambda v: not v._is_valid(v.vin, v.is_body_number)):
            raise ValidationError(
                self.env._(
                    "“%(vin)s” is no VIN: 17 letters and digits, without I, O and Q. "
                    "Correct it or, if the vehicle has none yet, tick “Body Number” "
                    "(3 to 17 characters).",
                    vin=wrong[0].vin,
                )
            )

    @api.model
    def _is_valid(self, vin, is_body_number):
        """Tell whether ``vin`` can be a vehicle's number."""
        fits = VIN.fullmatch(vin) or (is_body_number and BODY_NUMBER.fullmatch(vin))
        return bool(fits)

    @api.constrains("lot_id", "complaint_id")
    def _check_lot_id(self):
        for vehicle in self:
            if vehicle.lot_id and vehicle.lot_id.product_id != vehicle.product_id:
                raise ValidationError(
                    self.env._(
                        "The lot %(lot)s is not of %(product)s.",
                        lot=vehicle.lot_id.name,
                        product=vehicle.product_id.display_name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_repaired(self):
        for vehicle in self:
            if vehicle.state != "open" or vehicle.times_failed:
                raise UserError(
                    self.env._(
                        "%(vin)s has been repaired and stays on record.",
                        vin=vehicle.vin,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        vehicles = super().create([self._normalise(vals) for vals in vals_list])
        vehicles._ensure_complaint_open()
        vehicles._tie_photos()
        return vehicles

    def write(self, vals):
        result = super().write(self._normalise(vals))
        if "photo_ids" in vals:
            self._tie_photos()
        return result

    @api.model
    def _normalise(self, vals):
        """Return ``vals`` with the number as it is kept."""
        if "vin" not in vals:
            return vals
        vin = normalise_vin(vals["vin"])
        # The VIN that a body gets later ends its time as a body number.
        is_vin = {"is_body_number": False} if VIN.fullmatch(vin) else {}
        return {**vals, "vin": vin, **is_vin}

    def _tie_photos(self):
        for vehicle in self:
            vehicle.photo_ids._tie_to(vehicle)

    # === ACTIONS === #

    def action_repair(self):
        """Note that these vehicles are repaired, by whom and when."""
        self.filtered(lambda v: v.state == "open")._note("repaired")
        return True

    def action_verify(self):
        """Note that the repair of these vehicles was seen to hold.

        :raise UserError: names a vehicle that is not repaired yet
        """
        self.filtered(lambda v: v.state != "verified")._note("verified")
        return True

    def _note(self, target):
        """Move to ``target``, noting who did it and when."""
        self._ensure_complaint_open()
        self._move_to(
            target,
            {f"{target}_at": fields.Datetime.now(), f"{target}_by_id": self.env.uid},
        )

    def _ensure_complaint_open(self):
        for complaint in self.complaint_id:
            complaint._ensure_open()

    def action_reopen(self, reason=None):
        """The repair did not hold: the vehicle is to be repaired again.

        :param str reason: what was found, kept in the history with who and when
        """
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why the repair does not hold: “Reason”."))
        self._ensure_complaint_open()
        for times, vehicles in self.grouped("times_failed").items():
            vehicles._move_to(
                "open",
                {
                    "repaired_at": False,
                    "repaired_by_id": False,
                    "verified_at": False,
                    "verified_by_id": False,
                    "times_failed": times + 1,
                },
            )
        self._message_log_batch({vehicle.id: reason for vehicle in self})
        return True
