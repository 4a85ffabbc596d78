import { Component, xml } from "@odoo/owl";
import { LazyComponent } from "@web/core/assets";
import { registry } from "@web/core/registry";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/** The overview; its own bundle is loaded when somebody opens it. */
export class DashboardAction extends Component {
    static template = xml`
        <LazyComponent
            bundle="'quality_resident.assets_dashboard'"
            Component="'quality_resident.Dashboard'"
            props="props"
        />`;
    static components = { LazyComponent };
    static props = { ...standardActionServiceProps };
}

registry.category("actions").add("quality_resident.dashboard", DashboardAction);
