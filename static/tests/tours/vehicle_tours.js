import { registry } from "@web/core/registry";

const card = (vin) => `.o_field_widget[name=vehicle_ids] .o_kanban_record:contains(${vin})`;

registry.category("web_tour.tours").add("quality_resident_vehicles_on_phone", {
    steps: () => [
        { trigger: ".o_notebook .nav-link[name=vehicles]", run: "click" },
        { trigger: "button:contains(Scan or Paste VINs)", run: "click" },
        {
            content: "A wrong number is named",
            trigger: ".modal [name=vins] textarea",
            run: "edit LFV2A21K3P4000001 LFVO",
        },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: ".modal .o_error_dialog, .modal:contains(Not a VIN)" },
        { trigger: ".modal:contains(Not a VIN) footer button", run: "click" },
        {
            trigger: "body:not(:has(.modal:contains(Not a VIN))) .modal [name=vins] textarea",
            run: "edit lfv2a21k3p4000001,LFV2A21K3P4000002",
        },
        {
            trigger: ".modal [name=fitted] .o_selection_badge:contains(Off Line)",
            run: "click",
        },
        { trigger: ".modal [name=fitted] .o_selection_badge.active:contains(Off Line)" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        {
            trigger: `body:not(:has(.modal)) ${card("LFV2A21K3P4000001")} button[name=action_repair]`,
            run: "click",
        },
        {
            trigger: `${card("LFV2A21K3P4000001")} button[name=action_verify]`,
            run: "click",
        },
        { trigger: `${card("LFV2A21K3P4000001")}:contains(Verified):not(:has(button))` },
        { trigger: `${card("LFV2A21K3P4000002")} button[name=action_repair]` },
    ],
});
