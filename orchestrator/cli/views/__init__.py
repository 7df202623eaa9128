"""Human and machine renderings of what the use cases return."""
