import { Component, onWillUnmount, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const STEPS = {
    read: _t("Reading the file …"),
    check: _t("Checking the rows …"),
    create: _t("Importing the rows …"),
};

/** How far the server is with the file that this dialogue has sent it. */
export class ClaimImportProgress extends Component {
    static template = "quality_resident.ClaimImportProgress";
    static props = { ...standardWidgetProps };

    setup() {
        this.bus = useService("bus_service");
        this.state = useState({ step: false, done: 0, total: 1 });
        const onProgress = (progress) => {
            // The user may have another import running in another tab.
            if (progress.id === this.props.record.resId) {
                Object.assign(this.state, progress);
            }
        };
        this.bus.subscribe("quality_resident.claim_import", onProgress);
        onWillUnmount(() =>
            this.bus.unsubscribe("quality_resident.claim_import", onProgress)
        );
    }

    get isRunning() {
        return this.state.step in STEPS;
    }

    get percent() {
        return Math.floor((100 * this.state.done) / (this.state.total || 1));
    }

    get text() {
        return STEPS[this.state.step];
    }
}

registry.category("view_widgets").add("claim_import_progress", {
    component: ClaimImportProgress,
});
