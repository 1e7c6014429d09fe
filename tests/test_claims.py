"""Claims: which follow from which."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from lossfw import ActivationClaims, Claims

flags = [f.name for f in fields(Claims) if f.type == "bool"]
drawn = st.builds(
    Claims,
    lower_bound=st.sampled_from([None, -1.0, 0.0, 2.0]),
    strongly_convex=st.sampled_from([None, 0.5]),
    gradient_lipschitz=st.sampled_from([None, 0.25]),
    **{name: st.booleans() for name in flags},
)


@given(drawn)
def test_closing_only_adds_and_is_idempotent(claims):
    closed = claims.closed()
    assert closed.closed() == closed
    for name, value in claims.made().items():
        assert getattr(closed, name) == value


@given(drawn)
def test_every_claim_is_made_or_not_made(claims):
    assert sorted([*claims.made(), *claims.not_made()]) == sorted(f.name for f in fields(Claims))


def test_what_follows():
    assert Claims(strongly_convex=1.0).closed().made() == {
        "strongly_convex": 1.0,
        "strictly_convex": True,
        "convex": True,
    }
    assert Claims(twice_smooth=True).closed().made() == {
        "smooth": True,
        "twice_smooth": True,
        "breaks": (),
        "second_breaks": (),
    }
    assert Claims(nonnegative=True).closed().lower_bound == 0.0
    assert Claims(lower_bound=0.5).closed().nonnegative
    assert not Claims(lower_bound=-0.5).closed().nonnegative
    assert Claims(strictly_proper=True).closed().proper


def test_zero_and_an_empty_tuple_are_claims():
    assert Claims(lower_bound=0.0, breaks=()).made() == {"lower_bound": 0.0, "breaks": ()}
    assert ActivationClaims(range=(0.0, 1.0)).made() == {"range": (0.0, 1.0)}
    assert Claims().made() == {}
