"""What a component is: parameters, spaces, claims, and the hooks that offer one."""
