"""The policy: what it accepts, what it refuses, and that it never repeats what it was given."""

import pytest
from test_assessment_examples import POLICY

from services.assessment.policy import STANDARD, load, tier_of
from services.assessment.tenant_policies import of_file
from shared.errors import Invalid, Malformed

TEXT = STANDARD.read_text()


def changed(old, new):
    assert TEXT.count(old) >= 1
    return TEXT.replace(old, new, 1)


def faults(text):
    with pytest.raises(Invalid) as caught:
        load(text)
    return {fault["field"]: fault["message"] for fault in caught.value.errors}


def test_the_version_names_the_content_and_not_its_form():
    assert POLICY.version.startswith("standard-")
    assert len(POLICY.version) == len("standard-") + 12
    assert load(TEXT + "\n# a remark\n").version == POLICY.version
    assert load(changed("strong: 0.95", "strong: 0.950")).version == POLICY.version
    assert load(changed("strong: 0.95", "strong: 0.94")).version != POLICY.version
    moved = TEXT.replace("name: standard\n", "") + "\nname: standard\n"
    assert load(moved).version == POLICY.version
    assert load(changed("    IR: 0.15\n    KP: 0.15\n", "    KP: 0.15\n    IR: 0.15\n")).version == POLICY.version


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("strong: 0.95", "strong: 1.2", "points.list_match.strong"),
        ("strong: 0.95", "strong: .nan", "points.list_match.strong"),
        ("strong: 0.95", "strong: nan", "points.list_match.strong"),
        ("minor: 0.02", "minor: -0.1", "points.non_conformities.minor"),
        ("half_life_days: 730", "half_life_days: 0", "fading.party_finding.half_life_days"),
        ("expires_days: 1825", "expires_days: 100", "fading.party_finding"),
        ("expires_days: 2190", "expires_days: 100", "fading.exposure_finding"),
        ("high: 0.50", "high: 0.25", "tiers"),
        ("    payment: allow\n", "", "effects.low.payment"),
        ("    review: null\n", "", "effects.low.review"),
        ("purchase_order: allow\n", "purchase_order: perhaps\n", "effects.low.purchase_order"),
        ("      deception: 0.50\n", "", "points.finding.indicators"),
        ("      deception: 0.50\n", "      deceptoin: 0.50\n", "points.finding.indicators"),
        ("    IR: 0.15", "    Iran: 0.15", "points.countries"),
        ("    CN-XJ: 0.60", "    XJ: 0.60", "points.regions"),
        ("  damping: 0.50", "  damping: 1.50", "upstream.damping"),
        ("hops: 3", "hops: 3000", "upstream.hops"),
        ("upstream_prohibited: high", "upstream_prohibited: prohibited", "at_least.upstream_prohibited"),
        ("list_strong: prohibited", "list_strong: medium", "at_least"),
        ("weak: 0.30", "weak: 0.97", "points.list_match"),
        ("owner_share: 0.60", "owner_share: 0.99", "points.owner_share"),
        ("    from_tier: medium\n    drivers: [finding_confirmed, finding_strong]", "    drivers: [rumour]", "obligations[2].drivers[0]"),
        ("name: standard", "name: The Standard", "name"),
    ],
)
def test_what_is_wrong_is_refused_by_name(old, new, field):
    assert field in faults(changed(old, new))


def test_a_higher_tier_never_allows_more():
    assert "effects.critical.purchase_order" in faults(
        TEXT.replace("  critical:\n    purchase_order: block", "  critical:\n    purchase_order: allow")
    )


def test_conditions_must_exist_where_they_are_promised():
    cut = TEXT[: TEXT.index("  - code: code_of_conduct")]
    assert set(faults(cut)) == {"effects.medium"}


@pytest.mark.parametrize(
    "text",
    [
        changed("points:", "sentinel_zebra: 1\npoints:"),
        changed("strong: 0.95", "strong: sentinel_zebra"),
        changed("strong: 0.95", "strong: 0.95\n    sentinel_zebra: 1"),
        changed("strong: 0.95", "strong: 0.95\n    'sentinel_zebra` - at `$.x': 1"),
        changed("review: null", "review: sentinel_zebra"),
        changed("kind: audit", "kind: sentinel_zebra"),
        changed("    IR: 0.15", "    sentinel_zebra: 0.15"),
        changed("name: standard", "name: standard\nname: sentinel_zebra"),
        "sentinel_zebra",
        "[sentinel_zebra]",
        "",
    ],
)
def test_nothing_is_repeated(text):
    with pytest.raises(Invalid) as caught:
        load(text)
    assert "zebra" not in repr((caught.value.detail, caught.value.errors, str(caught.value)))


@pytest.mark.parametrize(
    "text",
    ["a: &x [1]\nb: *x", "a: [", "x: \x00", "a: !!python/object:os.system {}\n - b", "[" * 5000, "a: b\n" * 100_000, "\t- a: b"],
)
def test_what_is_no_plain_yaml_is_malformed(text):
    with pytest.raises(Malformed) as caught:
        load(text)
    assert "system" not in caught.value.detail


@pytest.mark.parametrize("text", ["? [a]\n: b", "? {a: b}\n: c", "<<: {a: b}", "a b: 1", "é: 1", "a: 1\na: 2"])
def test_odd_and_repeated_keys_are_refused(text):
    with pytest.raises(Invalid):
        load(text)


def test_norway_is_a_country():
    assert load(changed("    IR: 0.15", "    NO: 0.15")).points.countries["NO"] == 0.15


def test_no_score_is_a_prohibition():
    assert [tier_of(POLICY, s) for s in (0.0, 0.2499, 0.25, 0.5, 0.75, 1.0)] == ["low", "low", "medium", "high", "critical", "critical"]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\xff\xfe", "UTF-8"), (b"tiers: {", "Not readable as YAML"), (TEXT.replace("strong: 0.95", "strong: 2").encode(), "field named")],
)
def test_a_file_that_holds_no_policy_is_said_with_the_setting_that_named_it(content, told, tmp_path):
    (tmp_path / "own.yaml").write_bytes(content)
    with pytest.raises(Invalid, match=f"DUEWATCH_POLICY: .*{told}"):
        of_file(str(tmp_path / "own.yaml"))
    assert of_file("") == (TEXT, POLICY)
