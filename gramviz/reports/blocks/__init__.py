"""What our notebooks say around the explorers: guesses, checks, intervals, tables, small figures, and the footer.

    from gramviz.reports import blocks
    blocks.together(blocks.endings(one), blocks.endings(many))

These are the names that a notebook uses; each lives in the module that it is taken from. numpy and xarray only:
nothing here loads torch.
"""

from gramviz.reports.blocks.around import SCALES, Size, at_least, banner, comparable, footer, held_out, settings, size
from gramviz.reports.blocks.block import METRICS, Block, say, together
from gramviz.reports.blocks.estimates import Estimate, difference, ratio, wilson
from gramviz.reports.blocks.exercises import choose, find, reveal, value
from gramviz.reports.blocks.findings import PAPER, PAPER_SAMPLES, by_solutions, headline, results, width
from gramviz.reports.blocks.paths import busiest, distinct, dots, endings, first_valid, undated
from gramviz.reports.blocks.scoring import TELLING, Answers, Scores, scores, telling

__all__ = [
    "METRICS",
    "PAPER",
    "PAPER_SAMPLES",
    "SCALES",
    "TELLING",
    "Answers",
    "Block",
    "Estimate",
    "Scores",
    "Size",
    "at_least",
    "banner",
    "busiest",
    "by_solutions",
    "choose",
    "comparable",
    "difference",
    "distinct",
    "dots",
    "endings",
    "find",
    "first_valid",
    "footer",
    "headline",
    "held_out",
    "ratio",
    "results",
    "reveal",
    "say",
    "scores",
    "settings",
    "size",
    "telling",
    "together",
    "undated",
    "value",
    "width",
    "wilson",
]
