from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlbench import noise
from nlbench.noise import NoiseError, NoiseSpec


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("symmetric:0.4", "symmetric:0.4"),
        ("symmetric:.40", "symmetric:0.4"),
        (" symmetric:4e-1 ", "symmetric:0.4"),
        ("symmetric:0", "symmetric:0.0"),
        ("symmetric:-0.0", "symmetric:0.0"),
        ("symmetric:0.4:true=exclude:count=exact", "symmetric:0.4"),
        (
            "symmetric:0.4:true=include:count=bernoulli",
            "symmetric:0.4:count=bernoulli:true=include",
        ),
        ("asymmetric:0.4:map=block5", "asymmetric:0.4:map=block5"),
        ("asymmetric:0.4:map=a%3Ab.csv", "asymmetric:0.4:map=a%3Ab.csv"),
        ("instance:0.4:scale=standard", "instance:0.4"),
        ("clean", "clean"),
    ],
)
def test_prints_canonically(text: str, printed: str) -> None:
    spec = NoiseSpec.parse(text)
    assert str(spec) == printed
    assert NoiseSpec.parse(printed) == spec
    assert hash(NoiseSpec.parse(printed)) == hash(spec)
    assert NoiseSpec.parse(spec) is spec


@settings(deadline=None)
@given(st.sampled_from(["symmetric", "asymmetric", "instance"]), st.floats(0, 1, exclude_max=True))
def test_every_rate_survives_printing(kind: str, rate: float) -> None:
    spec = NoiseSpec(kind, rate)
    assert NoiseSpec.parse(str(spec)).rate == rate


@settings(deadline=None)
@given(st.text(min_size=1))
def test_every_option_text_survives_printing(value: str) -> None:
    spec = NoiseSpec("asymmetric", 0.1, (("map", value),))
    if value == value.strip():
        assert NoiseSpec.parse(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("symetric:0.4", "unknown noise model 'symetric'; did you mean 'symmetric'"),
        ("symmetric", "needs a rate, as in 'symmetric:0.4'"),
        ("symmetric:true=include", "needs a rate"),
        ("symmetric:x", "rate 'x' is not a number"),
        ("symmetric:1", r"rate 1.0 is outside \[0, 1\)"),
        ("symmetric:-0.1", r"rate -0.1 is outside \[0, 1\)"),
        ("symmetric:nan", r"rate nan is outside \[0, 1\)"),
        ("symmetric:inf", r"rate inf is outside \[0, 1\)"),
        ("pair:0.5", "rate 0.5 is not below 0.5"),
        ("symmetric:0.4:include", "'include' is not of the form option=value"),
        ("symmetric:0.4:treu=include", "unknown option 'treu'; did you mean 'true'"),
        ("symmetric:0.4:true=includ", "true='includ' is not a choice; did you mean 'include'"),
        ("symmetric:0.4:true=include:true=include", "'true' is given twice"),
        ("asymmetric:0.4:map=", "'map' is empty"),
        ("clean:0.4", "'0.4' is not of the form option=value"),
        ("", "is not a specification"),
    ],
)
def test_bad_text_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(NoiseError, match=message) as caught:
        NoiseSpec.parse(text)
    assert "\n" not in str(caught.value)


def test_clean_takes_no_rate() -> None:
    with pytest.raises(NoiseError, match="clean: takes no rate"):
        NoiseSpec("clean", 0.1)


def test_catalogue_describes_every_model_in_full() -> None:
    rows = noise.catalogue()
    assert [row["name"] for row in rows] == noise.names()
    for row in rows:
        assert len(row["summary"]) > 40
        assert row["source"]
        assert row["used_by"]
        assert row["syntax"].startswith(row["name"]) or row["name"] == "mixture"
