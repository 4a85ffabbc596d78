import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("quality_resident_request_scrap", {
    steps: () => [
        { trigger: ".o_form_view [name=line_ids]:contains(Tour Seal)" },
        { trigger: "[name=reason] textarea", run: "edit Torn" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: "button[name=action_submit]", run: "click" },
        { trigger: ".o_statusbar_status:contains(Waiting for Signatures)" },
        { trigger: "body:not(:has(button[name=action_submit]))" },
    ],
});

const sign = (comment) => [
    {
        trigger: ".o_kanban_record:contains(SR/), .o_data_row:contains(SR/) .o_data_cell",
        run: "click",
    },
    { trigger: ".o_statusbar_buttons button:text(Sign)", run: "click" },
    { trigger: ".modal [name=request_ids]:contains(Tour Seal)" },
    { trigger: ".modal [name=comment] textarea", run: `edit ${comment}` },
];

registry.category("web_tour.tours").add("quality_resident_agree_to_scrap", {
    steps: () => [
        ...sign("Seen the photos"),
        { trigger: ".modal button[name=action_agree]", run: "click" },
        {
            trigger:
                "body:not(:has(.modal)) .o_form_view:not(:has(.o_statusbar_buttons button:text(Sign)))",
        },
    ],
});

registry.category("web_tour.tours").add("quality_resident_refuse_scrap", {
    steps: () => [
        ...sign("Still sellable"),
        { trigger: ".modal button[name=action_refuse]", run: "click" },
        { trigger: "body:not(:has(.modal)) .alert-danger:contains(Still sellable)" },
    ],
});
