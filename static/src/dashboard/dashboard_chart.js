import { Component, onWillStart, useEffect, useRef, useState } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getColor } from "@web/core/colors/colors";

const scheme = cookie.get("color_scheme");
// Seen on white and on black.
const GRID = "rgba(127, 127, 127, 0.25)";

/**
 * A chart of rows and series, and the same as a table for whoever cannot see it.
 *
 * A row is an object with `key`, `label` and a number, or null where there is none, for
 * each series; pressed in the chart or in the table, it opens its records.
 */
export class DashboardChart extends Component {
    static template = "quality_resident.DashboardChart";
    static props = {
        label: String,
        rowLabel: String,
        rows: Array,
        // {name, label, format, type: "bar" or "line", color, isPercent, isDashed}
        series: Array,
        onOpen: Function,
    };

    setup() {
        this.state = useState({ isTable: false });
        this.canvasRef = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            (canvas) => {
                if (canvas) {
                    const chart = new Chart(canvas, this.getConfig(getComputedStyle(canvas).color));
                    return () => chart.destroy();
                }
            },
            () => [this.canvasRef.el, this.props.rows, this.props.series]
        );
    }

    /** @returns {string} what the cell says */
    getText(row, series) {
        const value = row[series.name];
        return typeof value === "number" ? series.format(value) : "–";
    }

    /** @param {string} color of the text around, whatever the colour scheme */
    getConfig(color) {
        const { rows, series, onOpen } = this.props;
        const axis = (extra) => ({
            beginAtZero: true,
            grid: { color: GRID },
            ticks: { color, maxTicksLimit: 6, precision: 0 },
            ...extra,
        });
        return {
            data: {
                labels: rows.map((row) => row.label),
                datasets: series.map((one) => this.getDataset(one)),
            },
            options: {
                animation: false,
                maintainAspectRatio: false,
                interaction: { mode: "index", intersect: false },
                onClick: (ev, elements) => elements.length && onOpen(rows[elements[0].index]),
                onHover: (ev, elements) => {
                    ev.native.target.style.cursor = elements.length ? "pointer" : "";
                },
                plugins: {
                    legend: { display: series.length > 1, labels: { color, boxWidth: 16 } },
                    tooltip: {
                        callbacks: {
                            label: ({ datasetIndex, dataIndex }) => {
                                const one = series[datasetIndex];
                                return `${one.label}: ${this.getText(rows[dataIndex], one)}`;
                            },
                        },
                    },
                },
                scales: {
                    x: { grid: { display: false }, ticks: { color } },
                    y: axis(),
                    ...(series.some((one) => one.isPercent) && {
                        percent: axis({ position: "right", max: 100, grid: { display: false } }),
                    }),
                },
            },
        };
    }

    getDataset({ name, label, type, color, isPercent, isDashed }) {
        const shade = getColor(color, scheme, "sm");
        return {
            label,
            type,
            data: this.props.rows.map((row) => row[name]),
            backgroundColor: shade,
            borderColor: shade,
            yAxisID: isPercent ? "percent" : "y",
            // A point at 100 % is shown whole.
            clip: 8,
            // Lines lie over the bars.
            order: type === "line" ? 0 : 1,
            ...(type === "line" && {
                borderWidth: 2,
                pointRadius: isDashed ? 0 : 3,
                borderDash: isDashed ? [6, 4] : [],
            }),
        };
    }
}
