"""A plan in, a result out: batches, accumulators, merged state."""
