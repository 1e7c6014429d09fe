"""Pictures of losses, activations and studies, drawn by matplotlib."""
