{
    "name": "Quality Resident Engineers",
    "summary": "Complaints, clocks and feedback forms for engineers resident at customers",
    "version": "19.0.1.1.0",
    "development_status": "Beta",
    "category": "Supply Chain/Quality",
    "website": "https://github.com/quality-resident/quality_resident",
    "author": "Quality Resident contributors",
    "license": "AGPL-3",
    "depends": [
        "base_automation",
        "portal",
        "quality_control_oca",
        "stock",
    ],
    "external_dependencies": {"python": ["xlsxwriter"]},
    "data": [
        # Groups and rights
        "security/quality_resident_groups.xml",
        "security/ir.model.access.csv",
        "security/quality_resident_security.xml",
        # Data
        "data/quality_resident_data.xml",
        "data/mail_layouts.xml",
        "data/mail_data.xml",
        # Wizards
        "wizard/quality_breakpoint_fail_views.xml",
        "wizard/quality_reason_views.xml",
        "wizard/quality_sheet_sign_views.xml",
        "wizard/quality_sorting_scan_views.xml",
        # Views
        "views/containment_views.xml",
        "views/quality_service_sheet_views.xml",
        "views/quality_complaint_views.xml",
        "views/resident_site_views.xml",
        "views/resident_master_views.xml",
        "views/report_page_templates.xml",
        "views/sheet_page_templates.xml",
        # Documents
        "reports/document_templates.xml",
        "reports/feedback_reports.xml",
        "reports/feedback_templates.xml",
        "reports/service_sheet_templates.xml",
        # Last because referencing actions defined in previous files
        "views/quality_resident_menus.xml",
    ],
    "demo": [
        "demo/quality_resident_demo.xml",
        "demo/res.partner.csv",
        "demo/resident.place.csv",
        "demo/resident.contact.csv",
        "demo/quality.defect.csv",
        "demo/product.product.csv",
        "demo/stock.lot.csv",
        "demo/resident.part.csv",
        "demo/stock.quant.csv",
        # Last because referencing all of the above
        "demo/quality_complaint_demo.xml",
        "demo/resident_talk_demo.xml",
        "demo/containment_demo.xml",
    ],
    "assets": {
        "web.assets_backend": ["quality_resident/static/src/**/*"],
        "web.assets_tests": ["quality_resident/static/tests/tours/**/*"],
    },
    "application": True,
}
