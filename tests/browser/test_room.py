"""Nothing is cut, nothing covers another: in a JupyterLab cell, on a laptop, on half a screen and on a projector."""

from __future__ import annotations

from itertools import combinations

from stages import RECORD

from gramviz.explorer.freeze import freeze

SIZES = [(1400, 780), (1000, 700), (800, 560), (640, 900), (512, 720)]  # some are others at 125 %
SLACK = 2  # px

# Texts that are cut by a box around them, and pairs that share room. What has no room may be left out as a whole, if a
# title says it.
TEXTS = """host => {
  const root = host.shadowRoot.querySelector(".gv"), walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [], seen = [], slack = 2;
  while (walker.nextNode()) {
    const holder = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (!text || holder.closest(".away, .slim h3") || !holder.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const boxes = [...range.getClientRects()].filter(({ width }) => width > 1);
    let gone = false;
    for (let at = holder; at && !gone; at = at.parentElement) {
      if (getComputedStyle(at).overflowX === "visible") continue;
      const { left, right, top, bottom } = at.getBoundingClientRect();
      gone = boxes.every((box) => box.top >= bottom - slack) && holder.closest("[title], .body");
      const scrolls = /auto|scroll/.test(getComputedStyle(at).overflowY);
      const cut = (box) => box.left < left - slack || box.right > right + slack
        || (!scrolls && (box.top < top - slack || box.bottom > bottom + slack));
      if (!gone && boxes.some(cut)) found.push(["cut", text, at.className]);
      gone ||= scrolls;
    }
    if (!gone) seen.push(...boxes.map((box) => ({ text, box, foot: holder.closest(".foot") })));
  }
  for (const [k, { text, box, foot }] of seen.entries())
    for (const other of seen.slice(k + 1)) {
      const [across, down] = [["left", "right"], ["top", "bottom"]].map(([from, to]) =>
        Math.min(box[to], other.box[to]) - Math.max(box[from], other.box[from]));
      if (foot === other.foot && across > slack && down > slack + 1) found.push(["covers", text, other.text]);
    }
  for (const bar of root.querySelectorAll(".bar, .strip, header"))
    if (bar.scrollWidth > bar.clientWidth + 1) found.push(["too wide", bar.className, bar.parentElement.className]);
  return found;
}"""


def test_nothing_is_cut_and_no_name_covers_another(show, two):
    shown = show(freeze(two), *SIZES[0])
    page = shown.page
    page.evaluate(RECORD)

    def faults():
        page.evaluate("record_.log.length = 0")
        shown.set(theme="dark" if shown.state["theme"] == "light" else "light")  # everything is drawn anew
        painted = [one for one in page.evaluate("record_.log") if one["kind"] == "text"]
        width, height = page.evaluate(
            f"(({{ clientWidth, clientHeight }}) => [clientWidth, clientHeight])"
            f"({shown.root}.querySelector('[data-part=map]'))"
        )
        names = [one for one in painted if one["layer"] in ("base", "past", "top")] if width > 100 else []
        found = page.evaluate(f"({TEXTS})({shown.host})")
        for one in names:
            (left, top), (right, bottom) = one["box"]
            if min(left, top) < -SLACK or right > width + SLACK or bottom > height + SLACK:
                found.append(["cut", one["text"], "map"])
        for one, other in combinations(names, 2):
            (left, top), (right, bottom) = one["box"]
            (a, b), (c, d) = other["box"]
            if min(right, c) - max(left, a) > SLACK and min(bottom, d) - max(top, b) > SLACK:
                found.append(["covers", one["text"], other["text"]])
        return found

    seen = {}
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        shown.until(f"Math.abs({shown.root}.clientWidth - {width}) < 30")
        # Where there is width, the river has the map of answers beside it.
        shown.set(basis="river" if width > 600 else "answers", panel="map")
        seen[width] = faults()
    page.set_viewport_size({"width": 700, "height": 900})
    page.evaluate("Element.prototype.requestFullscreen = undefined")
    press = "new KeyboardEvent('keydown', { key: 'P', shiftKey: true, bubbles: true })"
    page.evaluate(f"{shown.root}.dispatchEvent({press})")
    shown.until(f"{shown.root}.classList.contains('presenting')")
    seen["presenter"] = faults()
    assert {size: found for size, found in seen.items() if found} == {}
