import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("quality_resident_recall_on_phone", {
    steps: () => [
        {
            content: "On a phone the buttons are behind “More”",
            trigger: ".o-form-buttonbox .o_button_more",
            run: "click",
        },
        { trigger: "button[name=action_view_elsewhere]", run: "click" },
        {
            content: "The customer without a site is shown with his phone number",
            trigger: ".o_kanban_record:contains(Tour Stranger):contains(No Site):contains(0199)",
        },
        {
            trigger:
                ".o_kanban_record:contains(Tour Plant 2) button[name=action_open_containment]",
            run: "click",
        },
        { trigger: ".o_notification:contains(Containment opened)" },
        {
            content: "The row says so, and the button is gone",
            trigger:
                ".o_kanban_record:contains(Tour Plant 2):contains(Being Contained):not(:has(button))",
        },
    ],
});
