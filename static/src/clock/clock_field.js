import { Component, onWillUnmount, useEffect, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const { DateTime } = luxon;

/**
 * Format a duration as 4:05, 1:04:05 or, from two days on, as days.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function formatTimeLeft(seconds) {
    const days = Math.floor(seconds / 86400);
    if (days >= 2) {
        return _t("%s days", days);
    }
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    const rest = two(Math.floor(seconds % 60));
    return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** Time left until a deadline, ticking, or how the clock ended. */
export class ClockField extends Component {
    static template = "quality_resident.ClockField";
    static props = {
        ...standardFieldProps,
        startField: { type: String, optional: true },
        stopField: { type: String, optional: true },
        restingStates: { type: Array, optional: true },
    };
    static defaultProps = { restingStates: ["refused", "cancelled", "closed"] };

    setup() {
        this.state = useState({ now: DateTime.now() });
        let timer;
        useEffect(
            (running) => {
                clearInterval(timer);
                if (running) {
                    timer = setInterval(() => (this.state.now = DateTime.now()), 1000);
                }
            },
            () => [this.isRunning]
        );
        onWillUnmount(() => clearInterval(timer));
    }

    get deadline() {
        return this.props.record.data[this.props.name];
    }

    get stopped() {
        return this.props.stopField && this.props.record.data[this.props.stopField];
    }

    /** What was refused or cancelled keeps no clock running. */
    get isResting() {
        const { state } = this.props.record.data;
        return !this.stopped && this.props.restingStates.includes(state);
    }

    get isRunning() {
        return Boolean(this.deadline && !this.stopped && !this.isResting);
    }

    get text() {
        const left = Math.floor(this.deadline.diff(this.state.now, "seconds").seconds);
        return left >= 0
            ? formatTimeLeft(left)
            : _t("%s late", formatTimeLeft(-left));
    }

    get stoppedText() {
        const late = this.stopped.diff(this.deadline, "seconds").seconds;
        return late > 0 ? _t("%s late", formatTimeLeft(late)) : _t("On time");
    }

    /** Green, yellow from half way on, red when late. */
    get badgeClass() {
        const end = this.stopped || this.state.now;
        if (end > this.deadline) {
            return "text-bg-danger";
        }
        const start = this.props.startField && this.props.record.data[this.props.startField];
        const isHalf = start && this.deadline - end < (this.deadline - start) / 2;
        return !this.stopped && isHalf ? "text-bg-warning" : "text-bg-success";
    }

    get title() {
        return this.deadline ? this.deadline.toLocaleString(DateTime.DATETIME_MED) : "";
    }
}

registry.category("fields").add("resident_clock", {
    component: ClockField,
    displayName: _t("Time Left"),
    supportedTypes: ["datetime"],
    isEmpty: () => false,
    extractProps: ({ options }) => ({
        startField: options.start,
        stopField: options.stop,
        restingStates: options.resting,
    }),
    fieldDependencies: ({ options }) =>
        [options.start, options.stop]
            .filter(Boolean)
            .map((name) => ({ name, type: "datetime" }))
            .concat({ name: "state", type: "selection" }),
});
