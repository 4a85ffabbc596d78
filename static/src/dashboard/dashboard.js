import { Component, onWillStart, onWillUnmount, useExternalListener, useRef, useState } from "@odoo/owl";
import { CheckboxItem } from "@web/core/dropdown/checkbox_item";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { formatFloat, formatInteger } from "@web/views/fields/formatters";
import { DashboardCard } from "./dashboard_card";
import { DashboardChart } from "./dashboard_chart";
import { DashboardClocks } from "./dashboard_clocks";
import { DashboardTile } from "./dashboard_tile";

const { DateTime } = luxon;
const RATING_COLORS = { A: "success", B: "info", C: "warning", D: "danger" };
const MONTHS_ON_PHONE = 4;
const formatPPM = (value) => formatFloat(value, { digits: [16, value < 10 ? 1 : 0] });

// What waits changes while the page is open.
const RELOAD_EVERY = 120000;

/** What is due now and the figures of my sites; every figure opens its records. */
export class Dashboard extends Component {
    static template = "quality_resident.Dashboard";
    static components = {
        CheckboxItem,
        DashboardCard,
        DashboardChart,
        DashboardClocks,
        DashboardTile,
        Dropdown,
        Layout,
    };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.keepLast = new KeepLast();
        this.state = useState({ data: null });
        this.filters = this.props.state?.filters || {};
        useSetupAction({
            rootRef: useRef("root"),
            getLocalState: () => ({ filters: this.filters }),
        });
        onWillStart(() => this.load());
        const timer = setInterval(() => this.reloadWhenSeen(), RELOAD_EVERY);
        onWillUnmount(() => clearInterval(timer));
        useExternalListener(document, "visibilitychange", () => this.reloadWhenSeen());
    }

    async load(filters = this.filters) {
        const { months, site_ids } = filters;
        const data = await this.keepLast.add(
            this.orm.silent.call("quality.dashboard", "get_data", [{ ...(months && { months }), site_ids }])
        );
        this.filters = { months: data.filters.months, site_ids: data.filters.site_ids };
        this.state.data = data;
    }

    reloadWhenSeen() {
        if (document.visibilityState === "visible") {
            this.load();
        }
    }

    // === FILTERS === //

    get siteLabel() {
        const { site_ids, sites } = this.state.data.filters;
        if (!site_ids.length) {
            return _t("All sites");
        }
        if (site_ids.length === 1) {
            return sites.find((site) => site.id === site_ids[0]).name;
        }
        return _t("%s sites", site_ids.length);
    }

    choosePeriod(months) {
        return this.load({ ...this.filters, months });
    }

    toggleSite(id) {
        const chosen = new Set(this.filters.site_ids);
        if (!chosen.delete(id)) {
            chosen.add(id);
        }
        return this.load({ ...this.filters, site_ids: [...chosen] });
    }

    chooseAllSites() {
        return this.load({ ...this.filters, site_ids: [] });
    }

    // === CHARTS === //

    formatMonth(month, isShort = false) {
        return DateTime.fromISO(month).toLocaleString(
            isShort ? { month: "numeric" } : { month: "short", year: "2-digit" }
        );
    }

    get ppmRows() {
        const { months } = this.state.data.ppm;
        return months.map((month) => ({
            ...month,
            label: this.formatMonth(month.key),
        }));
    }

    get ppmSeries() {
        const series = [
            { name: "ppm", label: _t("PPM"), type: "bar", color: 0, format: formatPPM },
            {
                name: "provisional",
                label: _t("PPM Provisional"),
                type: "line",
                color: 3,
                format: formatPPM,
            },
        ];
        if (this.state.data.ppm.months.some((month) => month.target)) {
            const look = { type: "line", color: 1, isDashed: true };
            series.push({ name: "target", label: _t("Target"), format: formatPPM, ...look });
        }
        return series;
    }

    get hasDeliveries() {
        return this.state.data.ppm.months.some((month) => month.ppm !== null);
    }

    /** Above the target is red, also while it is provisional. */
    getSiteClass({ ppm, provisional, target }) {
        if (!target || ppm === null) {
            return "";
        }
        if (ppm > target) {
            return "text-danger fw-bold";
        }
        return provisional > target ? "text-warning-emphasis fw-bold" : "text-success";
    }

    formatPPM(value) {
        return value ? formatPPM(value) : value === 0 ? "0" : "–";
    }

    formatQuantity(value) {
        return formatFloat(value, { digits: [16, Number.isInteger(value) ? 0 : 2] });
    }

    get defectSeries() {
        return [
            { name: "count", label: _t("Complaints"), type: "bar", color: 0, format: formatInteger },
            {
                name: "share",
                label: _t("Share (%)"),
                type: "line",
                color: 3,
                isPercent: true,
                format: (value) => formatFloat(value, { digits: [16, 1] }),
            },
        ];
    }

    get weekRows() {
        return this.state.data.weeks.map((week) => ({
            ...week,
            label: DateTime.fromISO(week.key).toLocaleString({ month: "numeric", day: "numeric" }),
        }));
    }

    get weekSeries() {
        return [
            { name: "count", label: _t("Complaints"), type: "bar", color: 2, format: formatInteger },
        ];
    }

    /** A phone has room for the last months only. */
    getAgeClass(index) {
        const age = this.state.data.ratings.months.length - index;
        return age > MONTHS_ON_PHONE ? "d-none d-sm-table-cell" : "";
    }

    getRatingClass({ rating, is_customer }) {
        const color = RATING_COLORS[rating];
        return is_customer ? `text-bg-${color}` : `border-${color}`;
    }

    getRatingTitle({ rating, is_customer }, month) {
        const said = is_customer ? _t("the customer's rating") : _t("our forecast");
        return `${this.formatMonth(month)}: ${rating}, ${said}`;
    }

    // === WHAT TO DO WHEN THERE IS NOTHING === //

    get nothingDue() {
        return _t("Nothing is due. New complaints and to-dos appear here.");
    }

    get noClock() {
        return _t("No clock runs. One starts with the next call of a customer.");
    }

    get noDelivery() {
        return _t("Nothing was delivered in this period: choose a longer one.");
    }

    get noComplaint() {
        return _t("No complaint in this period, well done.");
    }

    get noRating() {
        return _t("No month is rated yet. Scorecards are made on the first of each month.");
    }

    get nothingClaimed() {
        return _t("Nothing was claimed. Enter a customer's notice under “Claims”.");
    }

    // === OPENING === //

    /**
     * Open the records behind a figure.
     *
     * @param {Object} figure
     * @param {string} figure.action xml id of a window action
     * @param {Array} figure.domain
     * @param {string} [figure.label] what the page is called then
     * @param {Object} [figure.context]
     */
    async open({ action, domain, label, context }) {
        const description = await this.action.loadAction(action);
        return this.action.doAction({
            ...description,
            name: label || description.name,
            display_name: label || description.display_name,
            domain,
            // The action's own default filters would hide some of what was counted.
            context: { ...context },
        });
    }

    async openRecord({ action, id }) {
        return this.action.doAction(action, {
            viewType: "form",
            props: { resId: id },
        });
    }

    openSites() {
        return this.action.doAction("quality_resident.resident_site_action");
    }
}

registry.category("lazy_components").add("quality_resident.Dashboard", Dashboard);
