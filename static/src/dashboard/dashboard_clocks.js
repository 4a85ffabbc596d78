import { Component, onWillUnmount, useState } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { formatTimeLeft } from "@quality_resident/clock/clock_field";

const { DateTime } = luxon;

/** The clocks that run, counting down. */
export class DashboardClocks extends Component {
    static template = "quality_resident.DashboardClocks";
    static props = { clocks: Object, onOpen: Function };

    setup() {
        this.state = useState({ now: DateTime.now() });
        const timer = setInterval(() => (this.state.now = DateTime.now()), 1000);
        onWillUnmount(() => clearInterval(timer));
    }

    /** How many clocks run besides those that are shown. */
    get more() {
        const { count, limit, rows } = this.props.clocks;
        if (count > limit) {
            return _t("More than %s clocks run.", limit);
        }
        return count > rows.length && _t("%s clocks run in all.", count);
    }

    get rows() {
        return this.props.clocks.rows.map((row) => {
            const deadline = deserializeDateTime(row.deadline);
            const start = deserializeDateTime(row.start);
            const left = Math.floor(deadline.diff(this.state.now, "seconds").seconds);
            const isHalf = deadline - this.state.now < (deadline - start) / 2;
            return {
                ...row,
                title: deadline.toLocaleString(DateTime.DATETIME_MED),
                text: left >= 0 ? formatTimeLeft(left) : _t("%s late", formatTimeLeft(-left)),
                badgeClass:
                    left < 0 ? "text-bg-danger" : isHalf ? "text-bg-warning" : "text-bg-success",
            };
        });
    }
}
