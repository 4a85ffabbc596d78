import { registry } from "@web/core/registry";
import { inputFiles } from "@web/../tests/utils";

/** A photo as a phone's camera hands it over: a small drawn JPEG. */
async function makePhoto(name) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    canvas.getContext("2d").fillRect(8, 8, 40, 3);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg"));
    return new File([blob], name, { type: "image/jpeg" });
}

const fill = (name, text) => ({
    content: `Fill in ${name}`,
    trigger: `[name=${name}] textarea`,
    run: `edit ${text}`,
});

/** On a phone a many2one opens a dialogue with cards or a list. */
const choose = (name, label) => [
    { trigger: `[name=${name}] input`, run: "click" },
    {
        trigger: `.modal .o_kanban_record:contains(${label}), .modal .o_data_row:contains(${label})`,
        run: "click",
    },
    { trigger: "body:not(:has(.modal))" },
];

registry.category("web_tour.tours").add("quality_resident_report_on_phone", {
    steps: () => [
        { trigger: ".o-kanban-button-new", run: "click" },
        { trigger: ".o_form_view .o_resident_clock:contains(/[0-9]+:[0-9]{2}/)" },
        { trigger: "button[name=action_send_feedback]", run: "click" },
        {
            content: "What is missing is named, the draft is kept",
            trigger: ".modal .modal-body:contains(Photos)",
        },
        { trigger: ".modal .btn-primary", run: "click" },
        { trigger: "button[name=action_arrive]", run: "click" },
        { trigger: ".o_resident_clock:contains(On time)" },
        {
            content: "Two photos at once",
            trigger: ".o_resident_photos",
            async run() {
                await inputFiles(".o_resident_photos input[type=file]", [
                    await makePhoto("one.jpg"),
                    await makePhoto("two.jpg"),
                ]);
            },
        },
        { trigger: ".o_resident_photos .o_attachment:nth-of-type(2)" },
        ...choose("part_id", "6L0 837 911"),
        ...choose("defect_id", "Scratch"),
        {
            trigger: "[name=problem_type] .o_selection_badge:contains(Quality Problem)",
            run: "click",
        },
        { trigger: "[name=quantity] input", run: "edit 12" },
        fill("description", "Scratch on the seal"),
        fill("suspect_area", "Line side 7"),
        fill("interim_measure", "Sorting at 100 %"),
        fill("breakpoint_note", "Lot 42"),
        fill("talk_result", "SQE agrees"),
        { trigger: "button[name=action_send_feedback]", run: "click" },
        { trigger: ".o_notification:contains(Sent)" },
        { trigger: ".o_statusbar_status:contains(Reported)" },
    ],
});

registry.category("web_tour.tours").add("quality_resident_set_up_site", {
    steps: () => [
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: "[name=name] input", run: "edit Plant 9" },
        { trigger: "[name=code] input", run: "edit P9" },
        { trigger: "[name=partner_id] input", run: "edit Tour Motors" },
        { trigger: ".o-autocomplete--dropdown-item:contains(Tour Motors)", run: "click" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: "button[name=action_set_up]", run: "click" },
        { trigger: "a.nav-link[name=places]", run: "click" },
        { trigger: "[name=place_ids] .o_data_row:contains(Body Shop)" },
        { trigger: "a.nav-link[name=postings]", run: "click" },
        {
            trigger: "[name=posting_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        { trigger: "[name=posting_ids] [name=user_id] input", run: "edit Tour Resident" },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Tour Resident)",
            run: "click",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved" },
        { trigger: "button[name=action_view_complaints]", run: "click" },
        { trigger: ".o_kanban_view" },
    ],
});

registry.category("web_tour.tours").add("quality_resident_refuse", {
    steps: () => [
        { trigger: "button:contains(Refuse)", run: "click" },
        { trigger: ".modal [name=reason] textarea", run: "edit Not our part" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_arrow_button_current:contains(Refused)" },
        { trigger: ".alert:contains(Not our part)" },
    ],
});

registry.category("web_tour.tours").add("quality_resident_sales_answers", {
    steps: () => [
        {
            content: "Sales sees no buttons that are not his",
            trigger: ".o_form_view:not(:has(button[name=action_contain]))",
        },
        {
            content: "The thread has been loaded: what is posted earlier shows late",
            trigger: ".o-mail-Thread .o-mail-Message",
        },
        { trigger: ".o-mail-Chatter-sendMessage", run: "click" },
        { trigger: ".o-mail-Composer-input", run: "edit Replacement is on its way" },
        { trigger: ".o-mail-Composer-send:enabled", run: "click" },
        {
            content: "Posted, the composer closes; the test reads the message itself",
            trigger: ".o-mail-Chatter:not(:has(.o-mail-Composer-input))",
        },
    ],
});
