"""Components: parameters, spaces, claims, and the hooks and the registry that offer them."""
