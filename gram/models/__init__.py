"""The registered models. Registering one is what gets it tested (`tests/gram/test_models.py`)."""

from gram.models.base import Model, Noise, Readout, State, Transition
from gram.models.direct import Direct
from gram.models.gram import GRAM
from gram.models.hrm import HRM
from gram.models.looped import Looped
from gram.models.trm import TRM

MODELS: dict[str, type[Model]] = {model.name: model for model in (Direct, Looped, HRM, TRM, GRAM)}

__all__ = ["GRAM", "HRM", "MODELS", "TRM", "Direct", "Looped", "Model", "Noise", "Readout", "State", "Transition"]
