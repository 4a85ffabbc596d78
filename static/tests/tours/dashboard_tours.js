import { registry } from "@web/core/registry";

const tile = (key, count) => `[data-tile=${key}]:has(.o_dashboard_count:text(${count}))`;

const readPage = () => [
    { trigger: `[data-card=due] ${tile("new", 1)}` },
    { trigger: "[data-card=clocks] .o_resident_clock:contains(:)" },
    { trigger: `[data-card=waiting] ${tile("requested", 1)}` },
    { trigger: `[data-card=money] [data-tile=claimed] .o_dashboard_count:contains(120.00)` },
    { trigger: "[data-card=sites] tr:contains(Tour Plant) td:text(500)" },
    // The chart is a table as well.
    { trigger: "[data-card=defects] canvas" },
    { trigger: "[data-card=defects] .o_dashboard_as_table", run: "click" },
    { trigger: "[data-card=defects] tr:contains(Scratch) td:text(1)" },
    { trigger: "[data-months='3']", run: "click" },
    { trigger: "[data-months='3'][aria-pressed=true]" },
];

registry.category("web_tour.tours").add("quality_resident_overview", {
    steps: () => [
        ...readPage(),
        { trigger: `[data-card=due] ${tile("new", 1)}`, run: "click" },
        // The list or the cards of what was counted, nothing else.
        { trigger: ".o_kanban_record:contains(Tour Seal), .o_data_row:contains(Tour Seal)" },
        { trigger: ".breadcrumb-item a:contains(Overview), .o_back_button", run: "click" },
        // Back with the period that was chosen.
        { trigger: "[data-months='3'][aria-pressed=true]" },
        { trigger: "[data-clock*=arrival]", run: "click" },
        { trigger: ".o_form_view .o_resident_clock" },
    ],
});
