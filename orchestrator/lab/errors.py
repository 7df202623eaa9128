"""What goes wrong in the lab."""

from orchestrator.model.errors import ControllerError


class LabError(ControllerError):
    """The lab could not do what was asked: an image, a network, a mount or a host failed."""
