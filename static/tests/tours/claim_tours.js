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

/** Judge the part at ``position`` of the dialogue. */
const judge = (position, vin, button, ...before) => [
    { trigger: `.modal [name=position]:contains(${position})` },
    { trigger: `.modal [name=vin]:contains(${vin})` },
    ...before,
    { trigger: `.modal button[name=${button}]`, run: "click" },
];

registry.category("web_tour.tours").add("quality_resident_claim_on_phone", {
    steps: () => [
        { trigger: ".o_statusbar_buttons button[title=More]", run: "click" },
        { trigger: ".o-dropdown--menu button:text(One by One)", run: "click" },
        ...judge(
            1,
            "LFV2A21K3P4000000",
            "action_ours",
            { trigger: ".modal [name=customer_judge] input", run: "edit Ms Wu" },
            { trigger: ".modal [name=judge_note] textarea", run: "edit Lip torn" }
        ),
        ...judge(
            2,
            "LFV2A21K3P4000001",
            "action_theirs",
            {
                content: "Who judges stays for the next part",
                trigger: ".modal [name=customer_judge] input:value(Ms Wu)",
            },
            {
                content: "Evidence does not",
                trigger: ".modal [name=judge_note] textarea:value()",
            }
        ),
        ...judge(3, "LFV2A21K3P4000002", "action_shared"),
        {
            content: "Nothing is undecided any more",
            trigger: "body:not(:has(.modal)) .o_statusbar_buttons button[name=action_judge]",
            run: "click",
        },
        { trigger: ".o_statusbar_status:contains(Judged)" },
        { trigger: ".alert-warning:contains(has not signed)" },
        { trigger: ".o-form-buttonbox button.o_button_more", run: "click" },
        { trigger: "button[name=action_view_sheets]", run: "click" },
        { trigger: ".o_form_view [name=customer_people] input:value(Ms Wu)" },
        { trigger: "[name=contact_id] input", run: "click" },
        {
            trigger:
                ".modal .o_kanban_record:contains(Tour Li Wei), .modal .o_data_row:contains(Tour Li Wei)",
            run: "click",
        },
        { trigger: "body:not(:has(.modal)) .o_form_button_save", run: "click" },
        { trigger: "[name=rows_html]:contains(LFV2A21K3P4000002)" },
        { trigger: ".o_statusbar_buttons button:text(Sign)", run: "click" },
        { trigger: ".modal [name=signed_by] input:value(Tour Li Wei)" },
        { trigger: ".modal .o_signature_empty", run: "click" },
        { trigger: ".o_web_sign_draw_button", run: "click" },
        { trigger: "canvas.o_web_sign_signature", run: draw },
        { trigger: ".modal .btn-primary:enabled:contains(Adopt)", run: "click" },
        { trigger: ".modal img.o_signature" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_statusbar_status:contains(Signed)" },
        {
            content: "Locked",
            trigger: ".o_form_view [name=customer_people]:not(:has(input)):contains(Ms Wu)",
        },
    ],
});

registry.category("web_tour.tours").add("quality_resident_claim_parts", {
    steps: () => [
        { trigger: ".o_data_row:contains(LFV2A21K3P4000002)" },
        { trigger: "thead .o_list_record_selector input", run: "click" },
        { trigger: ".o_control_panel button:text(Judge Parts)", run: "click" },
        { trigger: ".modal [name=line_ids] .o_data_row:contains(LFV2A21K3P4000002)" },
        { trigger: ".modal [name=responsibility] label:text(Theirs)", run: "click" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_data_row [name=responsibility]:contains(Theirs)" },
    ],
});
