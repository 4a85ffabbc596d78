import { Component } from "@odoo/owl";
import { formatInteger, formatMonetary } from "@web/views/fields/formatters";

/** A count or an amount with its name; pressed, it opens what was counted. */
export class DashboardTile extends Component {
    static template = "quality_resident.DashboardTile";
    static props = {
        tile: Object,
        currencyId: { type: Number, optional: true },
        onOpen: Function,
        isRow: { type: Boolean, optional: true },
    };

    get text() {
        const { amount, count, limit } = this.props.tile;
        if (this.props.currencyId) {
            return formatMonetary(amount, { currencyId: this.props.currencyId });
        }
        return count > limit ? `${formatInteger(limit)}+` : formatInteger(count);
    }

    get textClass() {
        const { count, level } = this.props.tile;
        if (this.props.currencyId) {
            return "";
        }
        if (!count) {
            return "text-muted";
        }
        // Yellow on white is not readable.
        return level === "danger" ? "text-danger" : "text-warning-emphasis";
    }
}
