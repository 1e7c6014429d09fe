"""Claims: which follow from which."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from lossfw import ActivationClaims, Claims

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
    assert given_.items() <= claims.made().items()
    assert Claims(**claims.made()) == claims


@given(drawn)
def test_every_claim_is_made_or_not_made(claims):
    assert sorted([*claims.made(), *claims.not_made()]) == sorted(f.name for f in fields(Claims))


def test_a_denied_claim_is_neither_made_nor_unsaid():
    claims = Claims(convex=False)
    assert "convex" not in {*claims.made(), *claims.not_made()}


def test_what_follows():
    assert Claims(strongly_convex=1.0).made() == {
        "strongly_convex": 1.0,
        "strictly_convex": True,
        "convex": True,
    }
    assert Claims(twice_smooth=True).made() == {
        "smooth": True,
        "twice_smooth": True,
        "breaks": (),
        "second_breaks": (),
    }
    assert Claims(nonnegative=True).lower_bound == 0.0
    assert Claims(lower_bound=0.5).nonnegative
    assert not Claims(lower_bound=-0.5).nonnegative
    assert Claims(strictly_proper=True).proper


def test_zero_and_an_empty_tuple_are_claims():
    assert Claims(bounded=0.0, breaks=()).made() == {"bounded": 0.0, "breaks": ()}
    assert ActivationClaims(range=(0.0, 1.0)).made() == {"range": (0.0, 1.0)}
    assert Claims().made() == {}
