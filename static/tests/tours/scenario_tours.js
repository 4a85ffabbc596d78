import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

/**
 * One complaint's whole life: see tests/test_scenario_tours.py. A tour for each of the
 * four people, made of the tours of the single documents where there is one.
 */
const tours = registry.category("web_tour.tours");

const stepsOf = (name) => tours.get(name).steps();

const openPage = (name) => ({
    trigger: `.o_notebook .nav-link[name=${name}]`,
    run: "click",
});

/** Leave what was opened from the complaint. */
const toComplaint = {
    trigger: "body",
    run() {
        window.location = window.location.pathname.match(/^.*\/complaints\/\d+/)[0];
    },
    expectUnloadPage: true,
};

/** Open the sorting of a place, from its complaint. */
const openSorting = (text) => [
    { trigger: "button[name=action_view_sortings]", run: "click" },
    { trigger: `.o_kanban_view .o_kanban_record:contains(${text})`, run: "click" },
];

/** Call the place screened once its count is saved. */
const screen = [
    { trigger: ".o_statusbar_buttons button[name=action_confirm]", run: "click" },
    { trigger: ".o_form_view:not(:has(button[name=action_confirm]))" },
    toComplaint,
];

const contain = [
    {
        trigger: ".o_statusbar_buttons button[name=action_open_containment]",
        run: "click",
    },
    ...openSorting("Intermediate"),
    { trigger: ".o_form_view [name=sorting_ids] .o-kanban-button-new", run: "click" },
    { trigger: ".modal [name=qty_good] input", run: "edit 8" },
    { trigger: ".modal [name=qty_suspect] input", run: "edit 2" },
    { trigger: ".modal .o_form_button_save", run: "click" },
    { trigger: "body:not(:has(.modal)) [name=sorting_ids] .o_kanban_record" },
    ...screen,
    ...openSorting("Tour Store"),
    { trigger: ".o_form_view [name=is_empty] input", run: "click" },
    ...screen,
    { trigger: ".o_statusbar_buttons button[name=action_contain]", run: "click" },
    { trigger: ".o_statusbar_status:contains(Contained)" },
];

const addBreakpoint = [
    openPage("breakpoints"),
    { trigger: "[name=breakpoint_ids] .o-kanban-button-new", run: "click" },
    { trigger: ".modal [name=value] input", run: "edit LOT-8" },
    { trigger: ".modal .o_form_button_save", run: "click" },
    {
        trigger:
            "body:not(:has(.modal)) [name=breakpoint_ids] .o_kanban_record:contains(LOT-8)",
    },
    { trigger: ".o_form_button_save", run: "click" },
    { trigger: ".o_form_saved" },
];

const requestScrap = [
    openPage("containment"),
    {
        content: "What was put aside is on the request already",
        trigger: "button[name=action_request_scrap]",
        run: "click",
    },
    { trigger: ".o_form_view [name=line_ids]:contains(Tour Seal)" },
    { trigger: "[name=reason] textarea", run: "edit Torn" },
    { trigger: "button[name=action_submit]", run: "click" },
    { trigger: ".o_statusbar_status:contains(Waiting for Signatures)" },
];

tours.add("quality_resident_scenario_resident", {
    steps: () => [
        ...stepsOf("quality_resident_report_on_phone"),
        ...contain,
        ...addBreakpoint,
        ...requestScrap,
        stepUtils.goToUrl("/odoo/service-sheets"),
        ...stepsOf("quality_resident_sign_on_phone"),
    ],
});

tours.add("quality_resident_scenario_quality", {
    steps: () => [
        { trigger: ".o_form_view [name=evidence] textarea", run: "edit Die 4 replaced" },
        { trigger: ".o_statusbar_buttons button[name=action_done]", run: "click" },
        { trigger: ".o_arrow_button_current:contains(Done)" },
        stepUtils.goToUrl("/odoo/scrap-to-sign"),
        ...stepsOf("quality_resident_agree_to_scrap"),
    ],
});

/** Press a button in the dialogue of a row, and close it once it took effect. */
const pressInRow = (page, row, button) => [
    openPage(page),
    { trigger: `.o_notebook .o_data_row:contains(${row}) .o_data_cell`, run: "click" },
    { trigger: `.modal button[name=${button}]`, run: "click" },
    { trigger: `.modal .o_form_view:not(:has(button[name=${button}]))` },
    { trigger: ".modal .btn-close", run: "click" },
    { trigger: "body:not(:has(.modal))" },
];

const close = { trigger: ".o_statusbar_buttons button[name=action_close]", run: "click" };

tours.add("quality_resident_scenario_manager", {
    steps: () => [
        openPage("analysis"),
        { trigger: "[name=root_cause] textarea", run: "edit The die is worn" },
        { trigger: ".o_statusbar_buttons button[name=action_analyse]", run: "click" },
        { trigger: ".o_statusbar_buttons button[name=action_verify]", run: "click" },
        close,
        {
            content: "One measure is not verified, so it stays open",
            trigger:
                ".modal:contains(Measure not verified):contains(Breakpoint still watched) footer button",
            run: "click",
        },
        { trigger: "body:not(:has(.modal))" },
        ...pressInRow("measures", "New die", "action_verify"),
        ...pressInRow("breakpoints", "LOT-8", "action_hold"),
        close,
        { trigger: ".o_arrow_button_current:contains(Closed)" },
    ],
});
