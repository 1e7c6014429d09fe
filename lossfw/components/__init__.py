"""Components: parameters, spaces, claims, and the plugin hooks and registry."""
