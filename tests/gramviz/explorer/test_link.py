"""The linker: the same text every time, small, in its dialect, and clear about what breaks it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gramviz.explorer.link import FRONTEND, LinkError, link
from gramviz.explorer.models import packed, worker_text
from gramviz.kernel.build import WASM

# Files of types are for tsc alone; output.js is an entry of its own, without imports; a worker is a text apart; only a
# page with parts of other packages has isolated.js.
APART = {FRONTEND / name for name in ("output.js", "think/worker.js", "think/network.js", "isolated.js")}
MODULES = sorted(set(FRONTEND.rglob("*.js")) - set(FRONTEND.glob("*types.js")) - APART)


def name_of(module: Path) -> str:
    return module.relative_to(FRONTEND).as_posix()


def test_links_the_front_end_into_one_small_module():
    text = link()
    assert text == link()
    assert len(text.encode()) <= 350_000 + 60_000  # the explorer, and what runs models on a typed puzzle
    modules = re.split(r"^(?=// [\w/]+\.js$)", text, flags=re.MULTILINE)
    alone = [module for module in modules if not re.match(r"// (think/|parts/yours\.js)", module)]
    assert len("".join(alone).encode()) <= 350_000
    carried = [len(packed(part.encode())) for part in (text, "".join(alone), worker_text())]
    assert carried[0] - carried[1] + carried[2] + len(packed(WASM.read_bytes())) <= 60_000  # what computes, in a page
    assert text.count("export default{") == 1
    assert not re.search(r"^import\b|^export (?!default)", text, re.MULTILINE)
    assert all(f"// {name_of(module)}\n" in text for module in MODULES), "a module that nothing imports is dead"


def test_dependencies_come_first():
    text = link()
    for module in MODULES:
        for path in re.findall(r'from "(\.[\w./-]+\.js)";', module.read_text()):
            needed = (module.parent / path).resolve()
            assert text.index(f"// {name_of(needed)}\n") < text.index(f"// {name_of(module)}\n")


def test_no_line_is_longer_than_120_characters():
    """Biome breaks code at 120, and leaves comments and texts as they are."""
    long = [
        f"{name_of(module)}:{number}"
        for module in FRONTEND.rglob("*.js")
        for number, line in enumerate(module.read_text().splitlines(), 1)
        if len(line) > 120
    ]
    assert long == []


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_text_can_never_become_markup_or_code(module: Path):
    """Titles, names and tokens come from strangers' files: nothing here may parse them."""
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bFunction\(|createContextualFragment|DOMParser"
        r"|srcdoc|javascript:|setTimeout\(\s*[\"'`]|setInterval|localStorage|sessionStorage|document\.cookie"
        r"|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|importScripts|https?://(?!www\.w3\.org/2000/svg)"
    )
    assert re.findall(forbidden, module.read_text()) == []


def test_no_text_of_the_style_sheet_is_smaller_than_11_px():
    sizes = re.findall(r"font(?:-size)?:[^;]*?(\d+)px", (FRONTEND / "style.js").read_text())
    assert sizes
    assert min(map(int, sizes)) >= 11


def write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        path = folder / f"{name}.js"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def test_links_a_diamond_once(tmp_path: Path):
    folder = write(
        tmp_path,
        base="export const one = 1;\n",
        left='import { one } from "./base.js";\nexport const two = one + 1;\n',
        right='import {\n  one,\n} from "./base.js";\nexport function three() { return one + 2; }\n',
        widget='import { two } from "./left.js";\nimport { three } from "./right.js";\n'
        "export default { two, three };\n",
    )
    text = link(folder=folder)
    assert text.count("const one=1;") == 1
    assert "import" not in text
    assert text.rstrip().endswith("export default{two,three};")


def test_links_a_folder_within_the_folder(tmp_path: Path):
    modules = {
        "base": "export const one = 1;\n",
        "parts/left": 'import { one } from "../base.js";\nexport const two = one + 1;\n',
        "parts/right": 'import { two } from "./left.js";\nexport const three = two + 1;\n',
        "widget": 'import { three } from "./parts/right.js";\nexport default { three };\n',
    }
    text = link(folder=write(tmp_path, **modules))
    assert re.findall(r"^// (.*)", text, re.MULTILINE) == ["base.js", "parts/left.js", "parts/right.js", "widget.js"]


def test_data_becomes_a_constant(tmp_path: Path):
    (tmp_path / "data.json").write_text('{\n  "one": [1, "\u00e9"],\n  "description": "for Python"\n}\n')
    text = 'import data from "./data.json" with { type: "json" };\nexport default data;\n'
    assert link(folder=write(tmp_path, widget=text)) == (
        '// widget.js\nconst data={one:[1,"\\u00e9"]};export default data;\n'
    )


def test_comments_and_spaces_stay_behind_and_texts_stay_whole(tmp_path: Path):
    text = (
        "// one\nexport default {\n  /** two\n   * three */\n  four: 'a // b', // five\n  /* six */ seven: 8,\n"
        "  eight: `a  /* b */\n  ${nine + 1}  //`,\n  ten: /[/ ]  \\/\\//,\n};\n"
    )
    linked = link(folder=write(tmp_path, widget=text))
    assert linked == (
        "// widget.js\nexport default{four:'a // b',seven:8,eight:`a  /* b */\n  ${nine + 1}  //`,"
        "ten:/[/ ]  \\/\\//};\n"
    )


_PIECE = re.compile(  # a regular expression counts as a text; none of ours begins elsewhere than after = ( , : > return
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<text>`(?:[^`\\]|\\.)*`|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
    r"|(?:(?<=[=(,:>])|(?<=return))\s*/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/)"
    r"|(?P<space>\s+)|(?P<code>.)",
    re.DOTALL,
)


def pieces(source: str) -> tuple[str, list[str]]:
    """The code of a module as it is the shortest, with a blank for each text in quotes, and these texts."""
    found = [piece for piece in _PIECE.finditer(source) if piece.lastgroup in ("text", "code")]
    code = "".join(piece[0] if piece.lastgroup == "code" else " " for piece in found)
    code = re.sub(r";const(?=[\w$[{])", ",", code)  # written once for several
    code = re.sub(r"\((\w+)\)=>", r"\1=>", re.sub(r"[;,](?=[}\])])", "", code))
    code = re.sub(r"(?<=[=,:(])\((\w+(?:\.\w+)*|\[\]|\{\})\)(?=[;,)])", r"\1", code)
    code = re.sub(r"(?<=[=(,\[*/<>:+-])0(?=\.\d)", "", code)
    return code, [piece[0].strip() for piece in found if piece.lastgroup == "text"]


@pytest.mark.parametrize("module", sorted({*MODULES} - {FRONTEND / "contract.js", FRONTEND / "style.js"}), ids=name_of)
def test_nothing_but_what_no_parser_needs_is_taken_out(module: Path):
    plain = re.sub(r"^import \{[^}]*\} from .*\n|^export (?!default)", "", module.read_text(), flags=re.MULTILINE)
    small = link().split(f"// {name_of(module)}\n")[1]
    assert pieces(re.split(r"\n// [\w/]+\.js\n", small)[0]) == pieces(plain)


def test_a_style_sheet_loses_its_spaces_and_nothing_else():
    plain, small = (
        re.search(r"styleText *= *(?:/\* css \*/ )?`([^`]*)`", text)[1]
        for text in ((FRONTEND / "style.js").read_text(), link())
    )
    assert len(small) < 0.9 * len(plain)
    bare = [re.sub(r"\s|/\*.*?\*/|;(?=\s*\})", "", text) for text in (plain, small)]
    assert bare[0] == bare[1]


@pytest.mark.parametrize(
    ("modules", "says"),
    [
        ({"widget": '\nimport { a } from "./gone.js";\n'}, r"widget\.js:2: there is no module 'gone\.js'"),
        (
            {"widget": 'import { a } from "./b.js";\n', "b": "const a = 1;\n"},
            r"widget\.js:1: b\.js does not export 'a'",
        ),
        (
            {"widget": 'import { a } from "./b.js";\n\nconst a = 2;\n', "b": "export const a = 1;\n"},
            r"widget\.js:3: the name 'a' is taken by b\.js:1",
        ),
        (
            {"widget": 'import { a } from "./b.js";\n', "b": 'import { c } from "./widget.js";\nexport const a = 1;\n'},
            r"b\.js:1: modules import each other in a circle: widget\.js > b\.js > widget\.js",
        ),
        ({"widget": 'import all from "./b.js";\n'}, r"widget\.js:1: only named imports"),
        ({"widget": "// x\nexport * from './b.js';\n"}, r"widget\.js:2: only named imports"),
        ({"widget": "const a = await import('./b.js');\n"}, r"widget\.js:1: only named imports"),
        ({"widget": "const a = `b ${\n{ c: 1 }[`d`]}`;\n"}, r"widget\.js:2: a template literal inside another one"),
        ({"widget": 'import { a as b } from "./b.js";\n', "b": "export const a = 1;\n"}, r"does not export 'a as b'"),
    ],
    ids=["missing", "export", "name", "circle", "default", "star", "dynamic", "nested", "as"],
)
def test_names_file_and_line_of_what_it_refuses(tmp_path: Path, modules: dict[str, str], says: str):
    with pytest.raises(LinkError, match=says):
        link(folder=write(tmp_path, **modules))


def test_parts_are_registered_and_know_nothing_of_each_other():
    parts = sorted((FRONTEND / "parts").glob("*.js"))
    registered = re.findall(r'from "\./parts/([\w-]+)\.js"', (FRONTEND / "registry.js").read_text())
    assert registered == [part.stem for part in parts]
    for part in parts:
        assert not re.findall(r'^import .* from "(?:\./|\.\./parts/)', part.read_text(), re.MULTILINE), part.name
