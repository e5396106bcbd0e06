import re
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from app import i18n

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "app" / "locale" / "zh_CN" / "LC_MESSAGES" / "messages.po"
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def source_messages(tmp_path_factory):
    target = tmp_path_factory.mktemp("messages") / "messages.pot"
    keywords = [part for keyword in ("_", "N_", "ngettext:1,2", "InputError") for part in ("-k", keyword)]
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", "app/locale/babel.cfg"]
    subprocess.run([*command, *keywords, "-o", str(target), "."], cwd=ROOT, check=True)
    with target.open("rb") as file:
        return {message.id: message for message in read_po(file) if message.id}


@pytest.fixture(scope="module")
def translated():
    with CATALOGUE.open("rb") as file:
        return {message.id: message for message in read_po(file) if message.id}


def texts(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


def test_every_sentence_of_the_code_is_translated(source_messages, translated):
    missing = [key for key in source_messages if key not in translated or not all(texts(translated[key]))]
    assert missing == []


def test_no_translation_is_stale(source_messages, translated):
    assert [key for key in translated if key not in source_messages] == []
    assert [key for key, message in translated.items() if message.fuzzy] == []


def test_translations_name_the_same_values(translated):
    def names(text):
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    for key, message in translated.items():
        wanted = names(key[1] if isinstance(key, tuple) else key)
        for text in texts(message):
            assert names(text) == wanted, key


def test_translations_are_chinese(translated):
    latin = {key for key, message in translated.items() if not any(HAN.search(text) for text in texts(message))}
    # Names, symbols and units are the same in both languages; what parts a list, or only holds values, has no letters.
    lettered = {key for key in latin if re.search(r"\w", re.sub(r"\{\w+\}", "", str(key)))}
    assert {key for key in lettered if key != translated[key].string} == set()


def test_english_is_the_source_text():
    assert i18n.translations("en").gettext("Download CSV") == "Download CSV"
    assert HAN.search(i18n.translations("zh").gettext("Download CSV"))


def test_a_thread_without_a_session_speaks_what_it_is_told_and_only_there():
    with i18n.speaking("zh"):
        assert HAN.search(i18n._("Download CSV"))
        with i18n.speaking("en"):
            assert i18n._("Download CSV") == "Download CSV"
        assert i18n.language() == "zh"
    assert i18n._spoken.get() is None


def test_the_code_hands_only_literals_to_the_translator():
    formatted = re.compile(r"\b(?:_|N_|ngettext)\(\s*f[\"']")
    for folder in ("app", "pages", "core"):
        for file in (ROOT / folder).rglob("*.py"):
            assert not formatted.search(file.read_text(encoding="utf-8")), file
