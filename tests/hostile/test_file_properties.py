"""No text in a host's files is too odd for what reads them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.host_readers import READERS, read
from bench.readers import SEEDS
from orchestrator.agent import sshd_config, sudoers
from orchestrator.agent.host import Unreadable
from orchestrator.agent.kinds import sysctl

from .bent import ANYTHING, unhurried

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=12)


def mixed(name):
    """Draw texts made of the words, blanks and marks of a reader's own files."""
    text = (SEEDS / "files" / name).read_text()
    words = sorted({*text.split(), *text, "\n", "\\\n", "²", "\udcff", "9" * 5000})
    own = st.lists(st.sampled_from(words), max_size=40)
    return own.map("".join) | own.map(" ".join) | st.text()


@pytest.mark.parametrize("name", READERS)
@unhurried
@given(data=st.data())
def test_a_reader_says_what_a_text_means_or_that_it_cannot_be_read(name, data):
    read(READERS[name], data.draw(mixed(name)))


@unhurried
@given(st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=5))
def test_words_of_the_ssh_server_come_back_as_they_were_quoted(lines):
    def quoted(word):
        return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = "\n".join(f"Option {' '.join(map(quoted, words))}" for words in lines)
    assert sshd_config.directives(text) == [("option", words) for words in lines]


@unhurried
@given(st.dictionaries(st.from_regex(r"[a-z]+(\.[a-z0-9_]+){1,3}", fullmatch=True), st.integers()))
def test_settings_of_the_kernel_come_back_as_they_were_written(wanted):
    text = "".join(f"{name} = {value}\n" for name, value in wanted.items())
    found = sysctl.in_effect(sysctl.parse(text, "/etc/own"))
    told = {name: sysctl.at_boot(found, name)[0] for name in wanted}
    assert told == {name: str(value) for name, value in wanted.items()}


@unhurried
@given(ANYTHING | st.fixed_dictionaries({"Defaults": ANYTHING, "User_Specs": ANYTHING}))
def test_any_document_is_a_policy_of_sudo_or_unreadable(document):
    try:
        sudoers.parse(json.dumps(document).encode())
    except Unreadable:
        return
