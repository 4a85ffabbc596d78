{
    "name": "Quality Resident Engineers",
    "summary": "Complaints, clocks and feedback forms for engineers resident at customers",
    "version": "19.0.1.0.0",
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
    "data": [],
    "demo": [],
    "application": True,
}
