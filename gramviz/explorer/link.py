"""The ES modules of `frontend/` linked into one text: anywidget imports its module from a blob, where `./x.js` fails.

The modules keep to a small dialect, so that linking is joining and no bundler (and no Node) is needed: static named
imports of `./x.js` and `../x.js`, named exports, no `as`, top-level names that are unique over all modules, and one
`export default` in the entry. A default import of a JSON file becomes a constant, without its descriptions. rjsmin
takes out comments and spaces, a third of the bytes, and leaves every name, so that a line of a stack trace can still be
found; rcssmin does so in a template marked `/* css */`. rjsmin cannot read a template literal inside another one
(ndparker/rjsmin#22), so those are outside the dialect too. The same files give the same text, byte for byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from posixpath import dirname, join, normpath

from rcssmin import cssmin
from rjsmin import jsmin

from gram.bounded import InputError

FRONTEND = Path(__file__).parents[1] / "frontend"

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"(\.{1,2}/[\w./-]+\.js)";[ \t]*\n?', re.MULTILINE)
_DATA = re.compile(r'^import (\w+) from "(\.{1,2}/[\w./-]+\.json)" with \{ type: "json" \};', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let)\b)", re.MULTILINE)
_NAME = re.compile(r"^(export )?(?:async function\*?|function\*?|class|const|let) *([\w$]+)", re.MULTILINE)
_MAKER = re.compile(r"^export function (create\w+)\(", re.MULTILINE)  # of a plug-in's part
_ILLEGAL = re.compile(r"^(?:import|export|var)\b|\bimport\(", re.MULTILINE)
_SHEET = re.compile(r"(?<=/\* css \*/ `)[^`$]*(?=`)")  # as editors know it
# What the formatter writes and no parser needs: a separator that ends a last line, parentheses of one parameter and of
# a JSDoc cast, a zero before a point, the word const again.
_LAST = re.compile(r";(?=\n *\})|,(?=\n *[}\])])")
_ARROW = re.compile(r"(?<![\w$])\(([\w$]+)\)=>")
_CAST = re.compile(r"(?<=[=,:(])\(([\w$]+(?:\.[\w$]+)*|\[\]|\{\})\)(?=[;,)])")
_ZERO = re.compile(r"(?<=[=(,\[*/<>:+-])0(?=\.\d)")
_CONST = re.compile(r"^( *)const (?:.*;\n\1const )+", re.MULTILINE)  # below each other, a line each but the last
_KEY = re.compile(r'"([A-Za-z]\w*)":')  # in JSON, where a quote within a text is escaped
_JSDOC = re.compile(r"/\*\*.*?\*/", re.DOTALL)  # where import("./x.js").Name is a type
# A ${ that is still open, one pair of braces within it allowed, where the next backtick stands.
_NESTED = re.compile(r"`[^`]*\$\{(?:[^`{}]|\{[^`{}]*\})*`")


class LinkError(InputError):
    """A module breaks the dialect; the message names the file and the line."""


def link(entry: str = "widget.js", folder: Path = FRONTEND, plugins: Mapping[str, str] | None = None) -> str:
    """One ES module with everything that `entry` needs, dependencies first.

    Args:
        plugins: name -> text of modules of other packages that each export one `create...`, a part of the page; they
            import as the files in `parts/` do, and are held as texts that `isolated.js` runs.
    Raises:
        LinkError: a missing module or export, a cycle, a name used twice, or a statement outside the dialect.
    """
    sources: dict[str, str] = {}  # path in the folder -> its text without module syntax, in linking order
    exports: dict[str, set[str]] = {}
    owner: dict[str, str] = {}  # top-level name -> "file:line"
    added = _modules(plugins or {}, folder)

    def visit(name: str, asked: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise LinkError(f"{asked}: modules import each other in a circle: {' > '.join([*path, name])}")
        if name in sources:
            return
        if name not in added and not (folder / name).is_file():
            raise LinkError(f"{asked}: there is no module {name!r} in {folder}")
        text = added[name] if name in added else (folder / name).read_text(encoding="utf-8")
        text = _DATA.sub(lambda found: _constant(found[1], (folder / name).parent / found[2]), text)

        def at(offset: int) -> str:
            return f"{name}:{text.count(chr(10), 0, offset) + 1}"

        imported: list[str] = []
        for found in _IMPORT.finditer(text):
            module = normpath(join(dirname(name), found[2]))
            visit(module, at(found.start()), (*path, name))
            for wanted in filter(None, (word.strip() for word in found[1].split(","))):
                if wanted not in exports[module]:
                    raise LinkError(f"{at(found.start())}: {module} does not export {wanted!r}")
                imported.append(wanted)
        for found in _NAME.finditer(text):
            if found[2] in owner:
                raise LinkError(f"{at(found.start())}: the name {found[2]!r} is taken by {owner[found[2]]}")
            owner[found[2]] = at(found.start())
        exports[name] = {found[2] for found in _NAME.finditer(text) if found[1]}
        # Blanked, not cut, so that offsets (and so the line numbers in messages) stay true.
        plain = text
        for blank in (_JSDOC, _IMPORT):
            plain = blank.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), plain)
        plain = _EXPORT.sub(lambda found: " " * len(found[0]), plain)
        if name == entry:
            plain = re.sub(r"^export default\b", lambda found: " " * len(found[0]), plain, count=1, flags=re.MULTILINE)
        if bad := _ILLEGAL.search(plain):
            raise LinkError(
                f"{at(bad.start())}: only named imports of './', '../', named exports, const, let are linked"
            )
        if bad := _NESTED.search(plain):
            raise LinkError(f"{at(bad.end() - 1)}: a template literal inside another one; give the inner one a name")
        text = _SHEET.sub(lambda found: cssmin(found[0]), text)
        body = _EXPORT.sub("", _IMPORT.sub("", text))
        if name in added and name != "plugins.js":
            visit("isolated.js", name, (*path, name))
            (maker,) = _MAKER.findall(text)
            text = json.dumps(f"{jsmin(body)}\nreturn {maker};")
            body = f'const {maker}=isolated("{Path(name).stem}",{text},{{{",".join(imported)}}});'
        else:
            body = _CONST.sub(lambda found: found[0].replace(f";\n{found[1]}const ", ",\n"), body)
            body = _ZERO.sub("", _CAST.sub(r"\1", _ARROW.sub(r"\1=>", jsmin(_LAST.sub("", body)))))
        sources[name] = f"// {name}\n{body.strip()}\n"

    visit(entry, entry, ())
    return "\n".join(sources.values())


def _modules(plugins: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The modules of plug-ins by their place, and `plugins.js` with a line for each in its list."""
    found, imports, lines = {}, [], []
    for name, text in plugins.items():
        makers = _MAKER.findall(text)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or len(makers) != 1:
            raise LinkError(
                f"the plug-in {name!r} exports {', '.join(makers) or 'nothing'}; it must have a name of small letters "
                "and export one function create..., which makes its part"
            )
        if (folder / "parts" / f"{name}.js").exists():
            raise LinkError(f"there is a part {name!r} already; name the plug-in otherwise")
        found[f"parts/{name}.js"] = text
        imports.append(f'import {{ {makers[0]} }} from "./parts/{name}.js";\n')
        lines.append(f"[{makers[0]}]")
    if found:
        text = (folder / "plugins.js").read_text(encoding="utf-8")
        text = text.replace("PLUGINS = []", f"PLUGINS = [{', '.join(lines)}]")
        found["plugins.js"] = "".join(imports) + text
    return found


def _constant(name: str, path: Path) -> str:
    """What the page needs of a JSON file; descriptions are for the sentences of Python."""

    def undescribed(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return {key: value for key, value in pairs if key != "description"}

    data = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=undescribed)
    text = _KEY.sub(r"\1:", json.dumps(data, separators=(",", ":")))
    return f"const {name} = {text};"
