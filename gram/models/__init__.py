"""The registered models, those of plug-ins among them. Registering one is what gets it tested (`tests/gram/models`)."""

from gram import plugins
from gram.models.ar import AR
from gram.models.base import Model, Noise, Readout, State, Transition
from gram.models.d3pm import D3PM
from gram.models.direct import Direct
from gram.models.gram import GRAM
from gram.models.hrm import HRM
from gram.models.looped import Looped
from gram.models.mdlm import MDLM
from gram.models.token_model import TokenModel
from gram.models.trm import TRM
from gram.models.vae import VAE

MODELS: dict[str, type[Model]] = {model.name: model for model in (Direct, Looped, HRM, TRM, GRAM, AR, MDLM, D3PM, VAE)}
plugins.load("gram.models", MODELS, plugins.of_kind(Model, MODELS))

__all__ = [
    "AR",
    "D3PM",
    "GRAM",
    "HRM",
    "MDLM",
    "MODELS",
    "TRM",
    "VAE",
    "Direct",
    "Looped",
    "Model",
    "Noise",
    "Readout",
    "State",
    "TokenModel",
    "Transition",
]  # fmt: skip
