"""Run the tests of the module: run_pytest.py WORKSPACE DATABASE [PYTEST OPTIONS]."""

import os
import sys
from pathlib import Path

import pytest

MODULE = "quality_resident"


class NoSkips:
    """A skipped test guards nothing, and Odoo skips browser tests quietly."""

    def pytest_sessionfinish(self, session, exitstatus):
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        self.skipped = reporter.stats.get("skipped", [])
        if self.skipped and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        for report in self.skipped:
            reason = report.longrepr[-1] if report.longrepr else ""
            terminalreporter.line(
                f"SKIPPED, which counts as failed: {report.nodeid} {reason}"
            )


def as_module_path(argument, repository):
    """tests/test_x.py, however it is written, is quality_resident/tests/test_x.py."""
    path, colons, rest = argument.partition("::")
    if path.strip("/").endswith(("tests", ".py")):
        for folder in (os.environ["CALLED_FROM"], repository):
            file = Path(folder, path).resolve()
            if file.exists() and file.is_relative_to(repository):
                return f"{MODULE}/{file.relative_to(repository)}{colons}{rest}"
    return argument


def main(workspace, database, *arguments):
    addons = Path(workspace, "addons")
    repository = (addons / MODULE).resolve()
    arguments = [as_module_path(argument, repository) for argument in arguments]
    if not any(argument.startswith(f"{MODULE}/") for argument in arguments):
        arguments.append(f"{MODULE}/tests")
    # From the folder of add-ons: the names of test modules are made from the path
    # below it, and the checkout itself may be in a folder of any name.
    os.chdir(addons)
    return pytest.main(
        [
            f"--rootdir={addons}",
            "-p",
            "no:cacheprovider",
            f"--odoo-config={os.environ['ODOO_RC']}",
            f"--odoo-database={database}",
            "--odoo-http",
            "--odoo-log-level=error",
            *arguments,
        ],
        plugins=[NoSkips()],
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
