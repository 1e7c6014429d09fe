"""Peers: other libraries' losses and activations, to be measured beside ours.

Each is optional. A peer is asked what it offers for a component, and computes
it, unreduced, on arrays of the dtype that it is given.
"""

from lossfw.check.accuracy.peers.peer import Offer, Peer, hard, installed, positive

__all__ = ["Offer", "Peer", "hard", "installed", "positive"]
