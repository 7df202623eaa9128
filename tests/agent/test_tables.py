"""nft's listings and rulesets: ours is told from others', and nothing slips in beside it."""

import pytest

from orchestrator.agent.kinds.nft import declared_table
from orchestrator.agent.resources.table import NAME, extract, foreign_drops, replacement

from .recorded_text import recorded


@pytest.fixture(params=["bookworm", "trixie"])
def listing(request):
    """All tables of a host with docker, ufw, fail2ban and ours."""
    return recorded(f"nft-{request.param}.txt").decode()


def test_our_table_is_cut_out_whole(listing):
    ours = extract(listing, NAME)
    assert ours.startswith("table inet luytre {\n")
    assert ours.endswith("\n}\n")
    assert 'log prefix "}{ dropped: "' in ours
    assert ours.count("\ntable ") == 0
    assert "luytre-more" not in ours
    assert listing.replace(ours, "").count("\ntable ") == listing.count("\ntable ") - 1


def test_the_last_and_the_first_table_are_found_as_well(listing):
    assert extract(listing, "ip nat").startswith("table ip nat {\n")
    assert extract(listing, "bridge filter").endswith("\n}\n")
    assert extract(listing, "netdev ingress-guard") == "table netdev ingress-guard {\n}\n"


def test_a_table_that_is_not_loaded_is_not_found(listing):
    assert extract(listing, "inet other") is None
    assert extract(listing.replace(extract(listing, NAME), ""), NAME) is None
    assert extract("", NAME) is None


def test_chains_of_others_that_drop_by_default_are_named(listing):
    assert foreign_drops(listing) == [
        "ip filter INPUT",
        "ip6 filter INPUT",
        "inet luytre-more input",
        "bridge filter input",
    ]


def test_a_text_in_a_rule_is_no_chain():
    rule = '\t\tlog prefix "type filter hook input priority 0; policy drop;"\n'
    assert foreign_drops("table ip x {\n\tchain y {\n" + rule + "\t}\n}\n") == []


OURS = "table inet luytre { chain c { type filter hook input priority 0; policy drop; } }"


@pytest.mark.parametrize(
    "ruleset",
    [
        OURS,
        "# head }\n" + OURS + " # tail {\n",
        OURS + ";\n",
        "table inet luytre {\n}\n",
        'table inet luytre { chain c { log prefix "} flush ruleset {"; } }',
        'table inet luytre { chain c { log prefix "# no comment"; } }',
        "table inet luytre { # }\n}",
        'table inet luytre { comment "include" ; }',
    ],
)
def test_one_table_of_ours_and_nothing_else(ruleset):
    assert declared_table(ruleset) == NAME


@pytest.mark.parametrize(
    "ruleset",
    [
        "",
        "# nothing",
        "flush ruleset\n" + OURS,
        OURS + "\nflush ruleset",
        OURS + "\ntable inet luytre { }",
        OURS + "; table inet other { }",
        "table inet luytre { chain c { } } }",
        "table inet luytre { chain c { }",
        "table inet luytre",
        "table inet luytre;",
        'include "/etc/nftables.conf"\n' + OURS,
        'table inet luytre { include "/etc/x.nft"\n }',
        'table inet luytre { chain c { include "/etc/x.nft"; } }',
        "add " + OURS,
        "delete table inet luytre",
        # The quoted # hides nothing behind it, the quoted brace closes nothing.
        'table inet luytre { chain c { log prefix "#"; } }; flush ruleset; table inet x { c {\n} }',
        'table inet luytre { chain c { log prefix "{{"; } }} }',
    ],
)
def test_anything_else_is_refused(ruleset):
    assert declared_table(ruleset) != NAME


def test_another_table_is_told_by_its_name():
    assert declared_table("table ip filter { }") == "ip filter"


def test_the_transaction_replaces_our_table_only():
    assert replacement(OURS).decode().splitlines()[:2] == [
        "add table inet luytre",
        "delete table inet luytre",
    ]
