"""Run a body over tiles of a large array on threads, with the same bits for any split."""
