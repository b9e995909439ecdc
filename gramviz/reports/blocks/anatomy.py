"""Transitions in their sub-steps: how far each latent moves, and how many cells of the answer change (Fig. 2)."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from gramviz.reports.blocks.block import COLORS, Block, number, svg, table

_LEFT, _COLUMN, _BAR = 150, 54, 70  # px


def anatomy(names: Sequence[str], moved: Mapping[str, Sequence[float]], flipped: Sequence[int]) -> Block:
    """A column for each sub-step: bars of how far each latent moved, and a count of the cells that changed.

    Args:
        names: of the sub-steps, in order; `guidance` ends a transition.
        moved: name of a latent -> the length of its change in each sub-step.
        flipped: cells of the decoded answer that each sub-step changed.
    """
    drawn, top = [], 24
    for row, (latent, lengths) in enumerate(moved.items()):
        base, most = top + (row + 1) * (_BAR + 18) - 18, max(*lengths, 1e-9)
        drawn.append(f'<text x="0" y="{base - _BAR / 2}">{html.escape(latent)} moves by</text>')
        drawn.append(f'<line x1="{_LEFT}" x2="{_LEFT + _COLUMN * len(names)}" y1="{base}" y2="{base}" class="axis"/>')
        for column, length in enumerate(lengths):
            x, height = _LEFT + _COLUMN * column + 8, _BAR * length / most
            if length > 0:
                drawn.append(
                    f'<rect x="{x}" y="{base - height:.1f}" width="{_COLUMN - 16}" height="{height:.1f}" '
                    f'fill="{COLORS[row]}"/>'
                )
            else:
                drawn.append(f'<text x="{x + (_COLUMN - 16) / 2}" y="{base - 4}" text-anchor="middle">0</text>')
    low = top + len(moved) * (_BAR + 18) + 8
    drawn.append(f'<text x="0" y="{low}">cells that change</text>')
    for column, (name, count) in enumerate(zip(names, flipped, strict=True)):
        x = _LEFT + _COLUMN * column + _COLUMN // 2
        drawn.append(f'<text x="{x}" y="{low}" text-anchor="middle" class="{"title" if count else ""}">{count}</text>')
        turned = f"translate({x + 4} {low + 16}) rotate(40)"
        drawn.append(f'<text transform="{turned}" style="font-size:12px">{html.escape(name)}</text>')
        if name == "guidance" and column + 1 < len(names):
            drawn.append(f'<line x1="{x + 27}" x2="{x + 27}" y1="4" y2="{low + 6}" class="ceiling"/>')
    words = (
        "How far each latent moves in each sub-step, and how many cells of the answer change. Dashed: a new transition."
    )
    figure = svg(_LEFT + _COLUMN * len(names) + 50, low + 66, "".join(drawn), words)
    rows = [
        [f"{at + 1}: {name}", *(number(lengths[at]) for lengths in moved.values()), str(flipped[at])]
        for at, name in enumerate(names)
    ]
    same = table(["Sub-step", *(f"{latent} moves by" for latent in moved), "Cells that change"], rows, "")
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{words}</figcaption></figure>"
        f"<details><summary>The same as a table ({len(rows)} rows)</summary>{same}</details>",
        "\n".join(" | ".join(row) for row in rows),
    )
