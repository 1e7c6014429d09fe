"""Claims: which follow from which."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw import ActivationClaims, Claims
from lossfw.errors import ParameterError

flags = [f.name for f in fields(Claims) if f.type == "bool | None"]
drawn = st.builds(
    Claims,
    lower_bound=st.sampled_from([None, -1.0, 0.0, 2.0]),
    strongly_convex=st.sampled_from([None, 0.5]),
    gradient_lipschitz=st.sampled_from([None, 0.25]),
    **{name: st.sampled_from([None, True]) for name in flags},
)


@given(st.dictionaries(st.sampled_from(flags), st.just(True)))
def test_what_was_given_stays_and_what_follows_follows_once(given_):
    claims = Claims(**given_)
    assert given_.items() <= claims.to_dict().items()
    assert Claims(**claims.to_dict()) == claims


@given(drawn)
def test_every_claim_is_made_or_not_made(claims):
    names = sorted(f.name for f in fields(Claims))
    assert sorted([*claims.to_dict(), *claims.unclaimed_names()]) == names


def test_what_follows():
    convex = {"strongly_convex": 1.0, "strictly_convex": True, "convex": True}
    assert Claims(strongly_convex=1.0).to_dict() == convex
    smooth = {"smooth": True, "twice_smooth": True, "breaks": (), "second_breaks": ()}
    assert Claims(twice_smooth=True).to_dict() == smooth
    assert Claims(nonnegative=True).lower_bound == 0.0
    assert Claims(lower_bound=0.5).nonnegative
    assert not Claims(lower_bound=-0.5).nonnegative
    assert Claims(strictly_proper=True).proper


@pytest.mark.parametrize(
    ("record", "claims", "wanted"),
    [
        (Claims, {"lipschitz": True}, "expected a number, as in lipschitz=1.0"),
        (Claims, {"bounded": "one"}, "a number"),
        (Claims, {"convex": "yes"}, "True, False or None"),
        (Claims, {"convex": 1.0}, "True, False or None"),
        (Claims, {"breaks": 0.0}, "a tuple of numbers"),
        (Claims, {"elicits": 0.5}, "a string"),
        (ActivationClaims, {"range": (0.0, 1.0, 2.0)}, "two numbers"),
        (ActivationClaims, {"range": (0.0, "inf")}, "two numbers"),
    ],
)
def test_a_value_of_another_kind_is_refused(record, claims, wanted):
    with pytest.raises(ParameterError, match=wanted):
        record(**claims)
