"""The translation files: update them from a fresh export, or check them against it.

translations.py update|check FRESH_EXPORT I18N_FOLDER
"""

import re
import sys
from collections import Counter
from pathlib import Path

import polib

MODULE = "quality_resident"
LANGUAGES = ("zh_CN",)
HOW = "./dev i18n makes it; then translate what is empty"
# What has to stand in a translation as in its source: placeholders and tags.
KEPT = re.compile(r"%(?:\(\w+\))?[sdifrg]|%%|\$?\{\{?[^{}]*\}?\}|</?\w+")
DATES = re.compile(r'^"(?:POT-Creation|PO-Revision)-Date:.*\n', re.MULTILINE)
HEADER = {
    "Project-Id-Version": "Odoo Server 19.0",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}


def key(entry):
    return entry.msgctxt, entry.msgid


def template(fresh, path):
    """Odoo's own export; its dates change only when something else does."""
    old = path.read_text("utf-8") if path.exists() else ""
    return old if DATES.sub("", old) == DATES.sub("", fresh) else fresh


def translation(fresh, path):
    """The terms of the export, with the translations and the header of the file."""
    result = polib.pofile(fresh, wrapwidth=78)
    old = polib.pofile(str(path)) if path.exists() else ()
    result.metadata = old.metadata if old else dict(HEADER, Language=path.stem)
    known = {key(entry): entry for entry in old}
    for entry in result:
        before = known.get(key(entry))
        if before:
            entry.msgstr = before.msgstr
            entry.tcomment = before.tcomment
            if before.fuzzy:
                entry.flags.append("fuzzy")
    return str(result)


def files(fresh_path, folder):
    """Yield each file of the folder and what it should hold."""
    fresh = Path(fresh_path).read_text("utf-8")
    path = folder / f"{MODULE}.pot"
    yield path, template(fresh, path)
    languages = {path.stem for path in folder.glob("*.po")} | set(LANGUAGES)
    for language in sorted(languages):
        path = folder / f"{language}.po"
        yield path, translation(fresh, path)


def update(fresh_path, folder):
    folder.mkdir(exist_ok=True)
    for path, text in files(fresh_path, folder):
        path.write_text(text, encoding="utf-8")
        entries = polib.pofile(text)
        done = (
            ""
            if path.suffix == ".pot"
            else f", {len(entries.translated_entries())} translated"
        )
        print(f"{path.parent.name}/{path.name}: {len(entries)} terms{done}")


def problems(entry):
    if "fuzzy" in entry.flags:
        yield "is fuzzy"
    if not entry.msgstr.strip():
        yield "is not translated"
    elif Counter(KEPT.findall(entry.msgid)) != Counter(KEPT.findall(entry.msgstr)):
        yield (
            f"differs in placeholders or tags: {sorted(KEPT.findall(entry.msgid))}"
            f" became {sorted(KEPT.findall(entry.msgstr))}"
        )


def check(fresh_path, folder):
    failed = False
    for path, text in files(fresh_path, folder):
        name = f"{path.parent.name}/{path.name}"
        if not path.exists():
            print(f"{name} is missing: {HOW}")
            failed = True
            continue
        current = path.read_text(encoding="utf-8")
        if current != text:
            added = {key(e) for e in polib.pofile(text)}
            here = {key(e) for e in polib.pofile(current)}
            print(f"{name} is not what the module exports: {HOW}")
            for sign, terms in (("+", added - here), ("-", here - added)):
                for _context, term in sorted(terms, key=str)[:10]:
                    print(f"    {sign} {term[:70]!r}")
            failed = True
        if path.stem in LANGUAGES:
            for entry in polib.pofile(current):
                for problem in problems(entry):
                    print(f"{name}: {entry.msgid[:70]!r} {problem}")
                    failed = True
    sys.exit(failed)


if __name__ == "__main__":
    {"update": update, "check": check}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
