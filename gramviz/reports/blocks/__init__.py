"""What our notebooks show around the explorers: guesses, checks, tables of metrics, small figures, and the footer.

    from gramviz.reports import blocks
    blocks.together(blocks.endings(one), blocks.endings(many))

These are the names that a notebook uses; each stands in the module that it is imported from. numpy and xarray only:
nothing here loads torch.
"""

from gramviz.reports.blocks.ablations import Variant, variants
from gramviz.reports.blocks.anatomy import anatomy
from gramviz.reports.blocks.arc import arc_card, arc_votes
from gramviz.reports.blocks.around import (
    SCALES,
    Size,
    at_least,
    banner,
    comparable,
    footer,
    held_out,
    settings,
    size,
    unconditional,
)
from gramviz.reports.blocks.block import METRICS, Block, claim, say, together
from gramviz.reports.blocks.boards import film, finals, generated, new_kinds, slowest, valid_by_step
from gramviz.reports.blocks.curves import Curve, curves, shares
from gramviz.reports.blocks.exercises import choose, find, function, reveal, value
from gramviz.reports.blocks.findings import (
    EXAMPLES,
    budgets,
    by_solutions,
    compared,
    depth_width,
    examples,
    headline,
    results,
    width,
)
from gramviz.reports.blocks.generators import changes_by_step, generator_headline, generator_results, settled
from gramviz.reports.blocks.pictures import fid_by_steps, judged, last_change, ranked, sheets
from gramviz.reports.blocks.recordings import drawable, views_of
from gramviz.reports.blocks.training import checkpoints, course, leaks, learning, live, objective
from gramviz.reports.blocks.trajectories import busiest, distinct, dots, endings, first_valid, variety

__all__ = [
    "EXAMPLES",
    "METRICS",
    "SCALES",
    "Block",
    "Curve",
    "Size",
    "Variant",
    "anatomy",
    "arc_card",
    "arc_votes",
    "at_least",
    "banner",
    "budgets",
    "busiest",
    "by_solutions",
    "changes_by_step",
    "checkpoints",
    "choose",
    "claim",
    "comparable",
    "compared",
    "course",
    "curves",
    "depth_width",
    "distinct",
    "dots",
    "drawable",
    "endings",
    "examples",
    "fid_by_steps",
    "film",
    "finals",
    "find",
    "first_valid",
    "footer",
    "function",
    "generated",
    "generator_headline",
    "generator_results",
    "headline",
    "held_out",
    "judged",
    "last_change",
    "leaks",
    "learning",
    "live",
    "new_kinds",
    "objective",
    "ranked",
    "results",
    "reveal",
    "say",
    "settings",
    "settled",
    "shares",
    "sheets",
    "size",
    "slowest",
    "together",
    "unconditional",
    "valid_by_step",
    "value",
    "variants",
    "variety",
    "views_of",
    "width",
]
