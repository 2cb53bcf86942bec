"""What is raised for a configuration that cannot be used, without what reads one: that takes half a second to load."""


class InvalidSettings(Exception):
    """The configuration cannot be used. The message names every key at fault, and never a value."""
