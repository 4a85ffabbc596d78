import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("quality_resident_send_report", {
    steps: () => [
        { trigger: ".o_form_view [name=content]:contains(At a glance)" },
        { trigger: "[name=remark] textarea", run: "edit Sorting goes on tomorrow" },
        { trigger: "button[name=action_send]", run: "click" },
        { trigger: "body:not(:has(button[name=action_send]))" },
        { trigger: ".o_form_view [name=sent_at]" },
    ],
});
