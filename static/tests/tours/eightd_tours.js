import { registry } from "@web/core/registry";

const addCause = (branch, why, cause) => [
    { trigger: "[name=cause_ids] .o-kanban-button-new", run: "click" },
    {
        trigger: `.modal [name=branch] .o_selection_badge:contains(${branch})`,
        run: "click",
    },
    { trigger: ".modal [name=why_1] input", run: `edit ${why}` },
    { trigger: ".modal [name=name] textarea", run: `edit ${cause}` },
    { trigger: ".modal .o_form_button_save", run: "click" },
    {
        trigger: `body:not(:has(.modal)) [name=cause_ids] .o_kanban_record:contains(${cause})`,
    },
];

registry.category("web_tour.tours").add("quality_resident_8d_on_phone", {
    steps: () => [
        { trigger: ".o-form-buttonbox .o_button_more", run: "click" },
        {
            trigger: ".o-form-buttonbox-small button[name=action_create_8d]",
            run: "click",
        },
        { trigger: ".o_resident_steps [data-step=D1][data-done='1']" },
        { trigger: ".o_resident_steps [data-step=D4][data-done='0']", run: "click" },
        { trigger: ".o_resident_step_gaps:contains(no root cause for: Non-detection)" },
        { trigger: "a.nav-link[name=d4]", run: "click" },
        ...addCause("Occurrence", "The die is worn", "Tool life is not counted"),
        ...addCause("Non-detection", "Checked by eye", "No gauge at the line"),
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved" },
        { trigger: ".o_resident_steps [data-step=D4]", run: "click" },
        {
            content: "The causes are there, their proof is still missing",
            trigger:
                ".o_resident_step_gaps:contains(not verified: Non-detection: No gauge at the line):not(:contains(no root cause))",
        },
    ],
});
