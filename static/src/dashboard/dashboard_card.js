import { Component } from "@odoo/owl";

/** One part of the page under its heading. */
export class DashboardCard extends Component {
    static template = "quality_resident.DashboardCard";
    static props = {
        name: String,
        title: String,
        // Says what to do when there is nothing to show.
        empty: { type: [String, Boolean], optional: true },
        className: { type: String, optional: true },
        slots: { type: Object, optional: true },
    };
    static defaultProps = { className: "col-12" };
}
