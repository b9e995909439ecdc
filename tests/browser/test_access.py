"""Who cannot see or point: color without hue, forced colors, the keyboard. The rest is in test_acceptance_looks."""

from __future__ import annotations

from gramviz.explorer.freeze import freeze

READY = "document.querySelector('main').gramviz"
ROOT = "document.querySelector('main').shadowRoot"


def test_outcomes_differ_in_shape_as_well(show, one):
    shown = show(freeze(one))
    shapes = shown.page.evaluate(
        f"[...{ROOT}.querySelectorAll('.marks > div')].map(d =>"
        " [d.dataset.trajectory, d.querySelector('svg').dataset.shape])"
    )
    wanted = ["cross", "dot", "ring", "diamond"]
    outcomes = one.array("outcome", "A")
    assert dict(shapes) == {f"A {k}": wanted[o] for k, o in enumerate(outcomes)}
    assert len(set(outcomes.tolist())) >= 2


def test_forced_colors_keep_marks_and_text(show, two):
    shown = show(freeze(two), forced_colors="active")
    try:
        assert "33 of 50 correct" in shown.text()
        ink = shown.page.evaluate(f"getComputedStyle({ROOT}.querySelector('.title')).color")
        ground = shown.page.evaluate(f"getComputedStyle({ROOT}.querySelector('.gv')).backgroundColor")
        assert ink != ground
        background = f"of => getComputedStyle({ROOT}.querySelector(of)).backgroundColor"
        tabs = [f".board .bar [aria-selected={chosen}]" for chosen in ("true", "false")]
        chosen, other = (shown.page.evaluate(background, tab) for tab in tabs)
        assert chosen != other
        assert shown.page.evaluate(background, ".legend .key.given") not in (ground, "rgba(0, 0, 0, 0)")
    finally:
        shown.page.emulate_media(forced_colors="none")


def test_under_fingers_pictures_are_whole_and_no_button_covers_another(chromium, two, tmp_path):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.set_default_timeout(60_000)  # ms
    page = context.new_page()
    free = f"""() => {{
      const edges = (of) => [...{ROOT}.querySelectorAll(of)].filter((one) => one.offsetHeight)
        .map((one) => one.getBoundingClientRect());
      const tabs = edges('.tabs button'), bar = edges('.panel.board .bar button');
      return tabs.length && bar.length && bar.every(({{ top }}) => tabs.every(({{ bottom }}) => bottom <= top)); }}"""
    whole = f"""() => {{
      const tiles = [...{ROOT}.querySelectorAll('.tile')].filter((one) => one.querySelector('canvas')?.offsetHeight);
      return tiles.length >= 4 && tiles.every((one) => one.scrollHeight <= one.clientHeight + 1); }}"""
    for state, holds in (({}, free), ({"sheet": "samples"}, whole)):
        (tmp_path / "page.html").write_text(freeze(two, state=state))
        page.goto((tmp_path / "page.html").as_uri())
        assert page.evaluate("matchMedia('(pointer: coarse)').matches")
        page.wait_for_function(f"{ROOT}?.querySelector('.tabs button')")
        page.wait_for_function(holds)
    context.close()


def test_tab_reaches_every_part_and_always_shows_where_it_is(show, two):
    shown = show(freeze(two, state={"folded": []}))
    page = shown.page
    seen, unseen = set(), []
    for _ in range(70):
        page.keyboard.press("Tab")
        at = page.evaluate(
            f"""(() => {{
              const on = {ROOT}.activeElement;
              if (!on) return null;
              const style = getComputedStyle(on);
              const name = on.dataset.part ?? on.getAttribute('aria-label') ?? on.textContent;
              return [name, style.outlineStyle, style.outlineWidth];
            }})()"""
        )
        if at is None:
            if seen:
                break
            continue
        seen.add(at[0])
        if at[1] == "none" or float(at[2][:-2]) < 2:
            unseen.append(at)
    assert {"board", "map", "marks", "ruler", "Play", "Speed", "Keys", "Lasso", "Final"} <= seen
    assert unseen == []


def test_a_row_of_tabs_is_one_stop_and_arrows_turn_it(show, two):
    shown = show(freeze(two))
    board = lambda: shown.state["board"]  # noqa: E731
    shown.page.evaluate(f"{shown.root}.focus()")
    focused = f"{shown.host}.shadowRoot.activeElement"
    while shown.page.evaluate(f"{focused}?.getAttribute('role')") != "tab":
        shown.page.keyboard.press("Tab")
    stops = shown.page.evaluate(f"[...{focused}.parentElement.querySelectorAll('[role=tab]')].map(t => t.tabIndex)")
    assert sorted(stops) == [-1] * (len(stops) - 1) + [0]
    step = shown.state["cursor"]["step"]
    seen = []
    for key in ["Home", *["ArrowRight"] * len(stops), "ArrowLeft", "End"]:
        shown.page.keyboard.press(key)
        shown.drawn()
        assert shown.page.evaluate(f"{focused}.getAttribute('aria-selected')") == "true"
        seen.append(board())
    assert seen == ["A", "B", "differ", "all", "A", "all", "all"]
    assert shown.state["cursor"]["step"] == step
    shown.page.get_by_role("tab", name="A ≠ B").click()
    shown.page.keyboard.press("ArrowLeft")
    shown.drawn()
    assert (board(), shown.state["cursor"]["step"]) == ("differ", step - 1), "who has clicked goes on with time"
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate(f"{focused}.dataset.part") == "board"


def test_an_open_menu_says_what_is_so_now(show, two):
    """Python may change the view while a sheet is open; the focus stays where it was in it."""
    shown = show(freeze(two))
    shown.page.evaluate(f"{shown.root}.focus()")
    shown.page.keyboard.press("v")
    shown.drawn()
    shown.page.keyboard.press("ArrowDown")
    entry = shown.page.get_by_role("menuitemcheckbox", name="Spread")
    assert entry.get_attribute("aria-checked") == "false"
    shown.page.evaluate(f"window.first_ = {shown.host}.shadowRoot.activeElement")
    shown.page.evaluate(f"{shown.store}.load({{cursor: {{step: 3, low: null}}}})")
    shown.drawn()
    assert shown.page.evaluate(f"first_ === {shown.host}.shadowRoot.activeElement"), "time changes nothing of it"
    shown.page.evaluate(f"{shown.store}.load({{lanes: ['spread'], theme: 'dark'}})")
    shown.drawn()
    assert entry.get_attribute("aria-checked") == "true"
    assert shown.page.get_by_role("menuitemradio", name="Dark").get_attribute("aria-checked") == "true"
    assert shown.page.evaluate(f"{shown.host}.shadowRoot.activeElement.textContent") == shown.page.evaluate(
        "first_.textContent"
    )
