from odoo.tests import TransactionCase


class TestInstall(TransactionCase):
    def test_installed(self):
        module = self.env.ref("base.module_quality_resident")
        self.assertEqual(module.state, "installed")
