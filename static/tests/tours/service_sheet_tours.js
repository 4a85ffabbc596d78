import { registry } from "@web/core/registry";
import { drag } from "@odoo/hoot-dom";

/** Draw a stroke across the field, as a finger does. */
async function draw() {
    const canvas = document.querySelector("canvas.o_web_sign_signature");
    const { moveTo, drop } = await drag(canvas, {
        position: { x: 20, y: 20 },
        relative: true,
    });
    await moveTo(canvas, { position: { x: 120, y: 60 }, relative: true });
    await drop(canvas, { position: { x: 200, y: 30 }, relative: true });
}

const edit = (name, value) => ({
    trigger: `[name=${name}] input`,
    run: `edit ${value}`,
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

/** The SQE signs in the dialogue that the resident has opened for him. */
const signInDialogue = [
    { trigger: ".modal [name=signed_by] input:value(Tour Li Wei)" },
    { trigger: ".modal .o_signature_empty", run: "click" },
    { trigger: ".o_web_sign_draw_button", run: "click" },
    {
        content: "An empty field is no signature",
        trigger: ".modal .btn-primary:disabled:contains(Adopt)",
    },
    { trigger: "canvas.o_web_sign_signature", run: draw },
    { trigger: ".modal .btn-primary:enabled:contains(Adopt)", run: "click" },
    { trigger: ".modal img.o_signature" },
    { trigger: ".modal button[name=action_apply]", run: "click" },
];

registry.category("web_tour.tours").add("quality_resident_sign_on_phone", {
    steps: () => [
        { trigger: ".o-kanban-button-new, .o_list_button_add", run: "click" },
        {
            content: "Nothing to sign before it is saved",
            trigger: ".o_form_view:not(:has(.o_statusbar_buttons button:text(Sign)))",
        },
        ...choose("complaint_id", "Tour Plant"),
        ...choose("contact_id", "Tour Li Wei"),
        edit("qty_in", "20"),
        edit("qty_good", "18"),
        edit("qty_bad", "2"),
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_statusbar_buttons button:text(Sign)", run: "click" },
        ...signInDialogue,
        {
            trigger: "body:not(:has(.modal)) .o_statusbar_status:contains(Signed)",
        },
        { trigger: ".o_form_view [name=signature] img" },
        {
            content: "Locked",
            trigger: ".o_form_view [name=qty_good]:not(:has(input)):contains(18)",
        },
    ],
});

registry.category("web_tour.tours").add("quality_resident_sign_through_link", {
    steps: () => [
        { trigger: "td:contains(20 / 18 / 0 / 2)" },
        { trigger: "input[name=signer]:value(Tour Li Wei)" },
        {
            content: "An empty field is no signature",
            trigger: ".o_portal_sign_submit:disabled",
        },
        { trigger: "canvas.o_web_sign_signature", run: draw },
        { trigger: ".o_portal_sign_submit:enabled", run: "click" },
        { trigger: ".alert-success:contains(it is signed)" },
    ],
});

registry.category("web_tour.tours").add("quality_resident_sign_slip_on_phone", {
    steps: () => [
        { trigger: ".o_statusbar_buttons button:text(Sign)", run: "click" },
        ...signInDialogue,
        { trigger: "body:not(:has(.modal)) .o_form_view [name=signature] img" },
        {
            content: "Locked",
            trigger: ".o_form_view [name=quantity]:not(:has(input)):contains(12)",
        },
        {
            content: "What becomes of the parts is decided on",
            trigger: ".o_statusbar_buttons button:text(Decide)",
            run: "click",
        },
        {
            trigger: ".modal [name=disposition] .o_selection_badge:contains(Rework)",
            run: "click",
        },
        { trigger: ".modal [name=disposition] .o_selection_badge.active:contains(Rework)" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        {
            trigger: "body:not(:has(.modal)) .o_form_view [name=disposition]:contains(Rework)",
        },
    ],
});
