import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** D0 to D8 of an 8D report: green when done; a tap names what is missing. */
export class StepsField extends Component {
    static template = "quality_resident.StepsField";
    static props = { ...standardFieldProps };

    setup() {
        this.state = useState({ chosen: null });
    }

    get steps() {
        return this.props.record.data[this.props.name] || [];
    }

    /** The step that was tapped, else the first that is not done. */
    get current() {
        const open = this.steps.find((step) => step.needed && !step.done);
        return this.steps.find((step) => step.name === this.state.chosen) || open;
    }

    badgeClass(step) {
        const colour = step.done
            ? "text-bg-success"
            : step.needed
              ? "text-bg-secondary"
              : "text-bg-light text-muted";
        return step === this.current ? `${colour} o_current` : colour;
    }

    choose(step) {
        this.state.chosen = step.name;
    }
}

registry.category("fields").add("resident_steps", {
    component: StepsField,
    displayName: _t("D-Steps"),
    supportedTypes: ["json"],
    isEmpty: () => false,
});
