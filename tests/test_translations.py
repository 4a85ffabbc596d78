from odoo.tests import tagged

from .common import ResidentCommon

CHINESE = r"[\u4e00-\u9fff]"


@tagged("post_install", "-at_install")
class TestChinese(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("zh_CN")
        cls.env["ir.module.module"]._load_module_terms(["quality_resident"], ["zh_CN"])
        cls.chinese = cls.env(context={**cls.env.context, "lang": "zh_CN"})

    def _get_labels(self, model, field="state"):
        field = self.env[model]._fields[field]
        return dict(field._description_selection(self.chinese))

    def test_states_of_the_quality_module(self):
        for state, label in self._get_labels("qc.inspection").items():
            with self.subTest(state=state):
                self.assertRegex(label, CHINESE)

    def test_questions_of_the_quality_module(self):
        view = self.chinese.ref("quality_resident.qc_inspection_view_form_sorting")
        arch = view._get_combined_arch()
        lines = arch.find(".//field[@name='inspection_lines']/list")
        for field in lines.findall("field"):
            if not field.get("column_invisible"):
                with self.subTest(field=field.get("name")):
                    self.assertRegex(field.get("string"), CHINESE)

    def test_one_word_one_meaning(self):
        """A breakpoint that did not hold, a mail that did not go out."""
        self.assertEqual(self._get_labels("quality.breakpoint")["failed"], "失效")
        self.assertEqual(self._get_labels("resident.event")["failed"], "发送失败")
        self.assertEqual(self._get_labels("quality.measure")["open"], "未完成")
