import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("quality_resident_return_on_phone", {
    steps: () => [
        { trigger: ".o_statusbar_buttons button[title=More]", run: "click" },
        { trigger: ".o-dropdown--menu button[name=action_create_return]", run: "click" },
        {
            content: "The suspect part is on the list already",
            trigger: "[name=line_ids] .o_kanban_record:contains(Tour Seal)",
        },
        { trigger: "[name=reason] textarea", run: "edit Cannot be reworked" },
        { trigger: "button[name=action_request]", run: "click" },
        { trigger: ".o_statusbar_status:contains(Requested)" },
    ],
});

registry.category("web_tour.tours").add("quality_resident_quality_judges", {
    steps: () => [
        { trigger: ".o_statusbar_buttons button:text(Receive)", run: "click" },
        { trigger: ".modal [name=line_ids] .o_data_row:contains(Tour Seal)" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_arrow_button_current:contains(Arrived)" },
        { trigger: ".o_statusbar_buttons button:text(Judge)", run: "click" },
        {
            trigger: ".modal [name=line_ids] .o_data_row .o_data_cell[name=judgement]",
            run: "click",
        },
        {
            trigger: ".modal .o_data_row [name=judgement] input, .modal .o_data_row [name=judgement] select",
            run: "click",
        },
        { trigger: ".o_select_menu_item:contains(Back to Stock)", run: "click" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_arrow_button_current:contains(Judged)" },
        { trigger: ".o_statusbar_buttons button:text(Close)", run: "click" },
        { trigger: ".o_arrow_button_current:contains(Closed)" },
    ],
});
